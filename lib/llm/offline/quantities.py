"""Numbers, dates, times and amounts in a text, in one normal form each, however they are written."""

import re
import unicodedata
from dataclasses import dataclass

from lib.llm.offline.words import MONTHS, NUMBER_WORDS

_MONTH = "|".join(m if len(m) < 4 else rf"{m}|{m[:3]}\.?" + (r"|sept\.?" if m == "september" else "") for m in MONTHS)
_DATE = (
    re.compile(rf"\b(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<m>{_MONTH})\b(?:,?\s+(?P<y>\d{{4}}))?"),
    re.compile(rf"\b(?P<m>{_MONTH})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,?\s+(?P<y>\d{{4}}))?"),
    re.compile(rf"\b(?P<m>{_MONTH})\s+(?P<y>\d{{4}})\b"),
    re.compile(r"\b(?P<y>\d{4})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})\b"),
    re.compile(r"\b(?P<d>\d{1,2})(?P<sep>[/.])(?P<m>\d{1,2})(?P=sep)(?P<y>\d{4})\b"),
)
_TIME = re.compile(
    r"\b(?P<h>\d{1,2})[:.](?P<min>\d\d)(?:\s?(?P<half>[ap])\.?m\b\.?)?(?![\d%]|\s?(?:per|%|m\b|km|kg|litre|met|tonne|knot|hectare|euro|pound))"
    r"|\b(?P<h2>\d{1,2})\s?(?P<half2>[ap])\.?m\b\.?|\b(?P<h3>\d{1,2})\s?o['’]clock\b|\b(?P<word>noon|midday|midnight)\b|\b(?P<h4>\d{1,2})h(?P<min4>\d\d)\b"
)
_SCALE = {
    "hundred": 100,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "k": 1e3,
    "bn": 1e9,
    "mn": 1e6,
    "dozen": 12,
}
_WORDS = "|".join(sorted(NUMBER_WORDS, key=len, reverse=True))
_NUMBER = re.compile(
    r"(?P<cur>[£$€¥])?\s?(?P<sign>(?<![\w)])[-−])?(?P<n>\d{1,3}(?:[ \u00a0\u202f,.'’]\d{3})+(?:[.,]\d+)?|\d+(?:[.,]\d+)?)(?P<ord>st|nd|rd|th)?"
    r"(?:\s?(?P<scale>k|bn|mn)\b|\s(?P<scale2>hundred|thousand|million|billion|trillion|dozen)\b)?"
)
_WORD_NUMBER = re.compile(
    rf"\b(?:(?:{_WORDS}|hundred|thousand|million|billion|half a dozen|a (?:hundred|thousand|million|dozen))(?:[\s-](?:and\s)?(?=(?:{_WORDS}|hundred|thousand|million|billion)\b)|\b))+"
)
_FACTOR = {
    "mm": ("m", 1e-3), "cm": ("m", 1e-2), "m": ("m", 1.0), "metre": ("m", 1.0), "meter": ("m", 1.0), "km": ("m", 1e3), "kilometre": ("m", 1e3),
    "kilometer": ("m", 1e3), "centimetre": ("m", 1e-2), "centimeter": ("m", 1e-2), "millimetre": ("m", 1e-3), "millimeter": ("m", 1e-3),
    "g": ("kg", 1e-3), "gram": ("kg", 1e-3), "kg": ("kg", 1.0), "kilo": ("kg", 1.0), "kilogram": ("kg", 1.0), "kilogramme": ("kg", 1.0), "tonne": ("kg", 1e3), "t": ("kg", 1e3),
    "ml": ("l", 1e-3), "l": ("l", 1.0), "litre": ("l", 1.0), "liter": ("l", 1.0), "second": ("s", 1.0), "sec": ("s", 1.0), "minute": ("s", 60.0), "min": ("s", 60.0),
    "hour": ("s", 3600.0), "hr": ("s", 3600.0), "day": ("day", 1.0), "week": ("day", 7.0), "month": ("month", 1.0), "year": ("month", 12.0),
    "%": ("%", 1.0), "percent": ("%", 1.0), "per cent": ("%", 1.0), "£": ("£", 1.0), "pound": ("£", 1.0), "gbp": ("£", 1.0), "€": ("€", 1.0), "euro": ("€", 1.0),
    "eur": ("€", 1.0), "$": ("$", 1.0), "dollar": ("$", 1.0), "usd": ("$", 1.0), "pence": ("£", 0.01), "p": ("£", 0.01), "cent": ("$", 0.01), "kw": ("kw", 1.0), "w": ("kw", 1e-3),
    "kilowatt": ("kw", 1.0), "watt": ("kw", 1e-3), "mw": ("kw", 1e3), "knot": ("knot", 1.0), "mile": ("mile", 1.0), "foot": ("ft", 1.0), "feet": ("ft", 1.0), "ft": ("ft", 1.0),
    "hectare": ("ha", 1.0), "ha": ("ha", 1.0), "km/h": ("km/h", 1.0), "degree": ("°", 1.0), "°c": ("°", 1.0), "°": ("°", 1.0),
}  # fmt: skip
_UNIT = re.compile(r"[\s-]?(%|per\s?cent\b|km/h\b|°c?\b|[a-z]+)")


@dataclass(frozen=True)
class Quantity:
    """A number of a kind: `date` (year, month, day; 0 where not said), `time` (minutes), or `number` with its base unit or none."""

    kind: str
    value: tuple[float, ...]
    unit: str = ""
    start: int = 0
    end: int = 0

    def agrees(self, other: "Quantity") -> bool:
        """Whether `other` says the same and leaves nothing out that this one says."""
        if self.kind == "date" and other.kind == "date":
            return all(mine in (0, theirs) for mine, theirs in zip(self.value, other.value))
        if self.kind == "number" and other.kind == "date":
            return not self.unit and self.value[0] in (v for v in other.value if v)
        if self.kind != other.kind:
            return False
        if self.unit and other.unit and self.unit != other.unit:
            return False
        # A bare number stands for the base unit or for the one in which it was written; the latter is the second value.
        mine, theirs = (self.value, other.value) if self.unit and other.unit else (self.value[-1:], other.value[-1:])
        return abs(mine[0] - theirs[0]) <= 1e-9 * max(1.0, abs(mine[0]))


def find_quantities(text: str) -> list[Quantity]:
    """Every quantity in order of its place; a stretch of text counts once, dates and times before numbers."""
    text = unicodedata.normalize("NFKC", text).lower().replace("−", "-")
    found: list[Quantity] = []

    def free(start: int, end: int) -> bool:
        return not any(start < q.end and q.start < end for q in found)

    for pattern in _DATE:
        for m in pattern.finditer(text):
            g = m.groupdict()
            month = g["m"]
            number = (
                int(month)
                if month.isdigit()
                else next(i for name, i in MONTHS.items() if name.startswith(month.rstrip(".")[:3]))
            )
            day = int(g.get("d") or 0)
            if 1 <= number <= 12 and day <= 31 and free(*m.span()):
                found.append(Quantity("date", (float(g.get("y") or 0), float(number), float(day)), "", *m.span()))
    for m in _TIME.finditer(text):
        before = text[: m.start()]
        pointed = m["h"] and text[m.end("h")] == "." and not m["half"]
        if (
            before.rstrip()[-1:] in ("£", "$", "€", "¥")
            or pointed
            and not re.search(r"\b(?:at|by|from|until|till|to|before|after|between|and|o'clock)\s$", before)
        ):
            continue  # 2.50 is a number, 16.00 after "by" a time
        minutes = _minutes(m)
        if minutes is not None and free(*m.span()):
            found.append(Quantity("time", (minutes,), "", *m.span()))
    for m in _NUMBER.finditer(text):
        start, end = m.start("n"), m.end()
        if free(start, end) and not (start and text[start - 1].isalnum()):
            scale = _SCALE.get(m["scale"] or m["scale2"] or "", 1)
            value = _parse(m["n"]) * scale * (-1 if m["sign"] else 1)
            found.append(_with_unit(text, value, m["cur"], m.start(), end))
    for m in _WORD_NUMBER.finditer(text):
        if free(*m.span()):
            value = _in_words(m.group())
            rest = text[m.end() :]
            # "one of them", "no one": a pronoun, no count
            if value is not None and not (
                m.group().strip() == "one" and (rest.startswith(" of") or text[: m.start()].endswith("no "))
            ):
                found.append(_with_unit(text, value, None, m.start(), m.start() + len(m.group().rstrip(" -"))))
    return sorted(found, key=lambda q: q.start)


def _with_unit(text: str, value: float, currency: str | None, start: int, end: int) -> Quantity:
    name, factor, stop = "", 1.0, end
    if currency:
        name = _FACTOR[currency][0] if currency in _FACTOR else currency
    elif m := _UNIT.match(text, end):
        word = re.sub(r"per\s?cent", "percent", m.group(1))
        for form in (word, word.removesuffix("s")):
            if form in _FACTOR:
                (name, factor), stop = _FACTOR[form], m.end()
                break
    return Quantity("number", (value * factor, value), name, start, stop)


def _minutes(m: re.Match) -> float | None:
    if m["word"]:
        return 0.0 if m["word"] == "midnight" else 720.0
    hour = int(m["h"] or m["h2"] or m["h3"] or m["h4"])
    minute = int(m["min"] or m["min4"] or 0)
    half = m["half"] or m["half2"]
    if hour > 24 or minute > 59:
        return None
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return float(hour * 60 + minute)


def _parse(text: str) -> float:
    """A number with any thousands separator; a lone point before three digits is a decimal point, a lone comma a thousands separator."""
    text = re.sub(r"[ \u00a0\u202f'’](?=\d{3})", "", text)
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", text):
        return float(text.replace(",", ""))
    if re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}(?:,\d+)?|\d{1,3}(?:\.\d{3})+,\d+", text):
        return float(text.replace(".", "").replace(",", "."))
    text = text.replace(",", ".")
    return float(text) if text.count(".") <= 1 else float(text.replace(".", ""))


def _in_words(text: str) -> float | None:
    total = part = 0.0
    for word in re.findall(r"[a-z]+", text):
        if word in ("and", "a", "half"):
            continue
        if word == "dozen":
            part = max(part, 1) * 12 / (2 if "half" in text else 1)
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word in _SCALE:
            total, part = total + max(part, 1) * _SCALE[word], 0.0
        else:
            part += NUMBER_WORDS[word]
    return total + part
