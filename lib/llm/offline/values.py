"""Values in a sentence by kind: dates, times, money, percentages, quantities, names."""

import re
from dataclasses import dataclass
from functools import lru_cache

MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
YEAR = r"(?:1[0-9]\d\d|20\d\d)"
WEEKDAY = r"(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)s?"
NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
WORD_NUMBER = (
    r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|"
    r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:-(?:one|two|three|four|five|six|seven|eight|nine))?|a hundred|a thousand|half a dozen|a dozen)"
)
SCALE = r"(?:\s(?:hundred|thousand|million|billion|trillion))"
CURRENCY = (
    r"(?:euros?|dollars?|pounds?(?! (?:of|in))|pence|cents?|francs?|kroner|crowns?|yen|EUR|USD|GBP|CHF|NOK|SEK|DKK)"
)
UNITS = (
    r"(?:km/h|mph|m/s|kWh|MWh|GWh|kW|MW|GW|km²|m²|m³|km|cm|mm|nm|m|kg|g|mg|lb|lbs|oz|ft|in|L|l|ml|ha|W|V|A|Hz|kHz|MHz|GHz|GB|MB|TB|KB|kB|°C|°F|bar|"
    r"metres?|meters?|kilometres?|kilometers?|centimetres?|centimeters?|millimetres?|millimeters?|miles?|nautical miles?|feet|foot|inch(?:es)?|yards?|fathoms?|acres?|"
    r"hectares?|square (?:metres?|meters?|kilometres?|kilometers?|miles?|feet)|cubic (?:metres?|meters?|feet)|litres?|liters?|gallons?|pints?|grams?|kilograms?|"
    r"kilogrammes?|tonnes?|tons?|stone|knots?|watts?|kilowatts?|volts?|amps?|degrees(?: Celsius| Fahrenheit)?|"
    r"seconds?|minutes?|hours?|days?|working days?|nights?|weeks?|months?|years?|decades?|centuries|century|sec|min|hrs?)"
)
TIME_UNIT = re.compile(
    r"(?:seconds?|minutes?|hours?|days?|nights?|weeks?|months?|years?|decades?|centuries|century|sec|min|hrs?)$"
)
_N = rf"(?:{NUMBER}|{WORD_NUMBER}){SCALE}?"
_RANGE = rf"{_N}(?:\s?(?:–|-|to|and a)\s?(?:{_N}|half))?"
LIMIT = r"(?:at least|at most|up to|more than|less than|fewer than|over|under|about|around|approximately|nearly|almost|some|only|not more than|no more than)"
_CLOCK = r"(?:\d{1,2}:\d\d(?:\s?[ap]\.?m\.?)?|\d{1,2}(?:\.\d\d)?\s?[ap]\.?m\b\.?|noon|midnight)"

_PATTERNS = (
    ("address", re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w|https?://[^\s)>\]]*[^\s)>\].,;]|\bwww\.[^\s)>\]]*[^\s)>\].,;]")),
    ("date", re.compile(
        rf"\b(?:the\s)?(?:spring|summer|autumn|fall|winter)\s(?:of\s)?{YEAR}\b|\b(?:{WEEKDAY},?\s)?\d{{1,2}}(?:st|nd|rd|th)?(?:\s(?:and|to)\s\d{{1,2}})?\s(?:of\s)?{MONTH}(?:,?\s{YEAR})?\b"
        rf"|\b{MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s{YEAR}\b|\b{MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?\b(?![.,:]\d)|\b(?:(?:early|late|mid)[ -])?{MONTH}\s{YEAR}\b"
        rf"|\b\d{{4}}-\d\d-\d\d\b|\b\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}\b|\b(?:the\s)?(?:(?:early|late|mid)[ -])?{YEAR}s\b"
    )),
    ("time", re.compile(rf"\b{_CLOCK}(?:\s?(?:–|-|to|and)\s?{_CLOCK})?(?!\d)")),
    ("money", re.compile(
        rf"[£$€¥]\s?(?:{NUMBER})(?:\s?(?:million|billion|thousand|bn|k|m)\b)?|\b(?:{_N})\s?{CURRENCY}\b|\b(?:{NUMBER})\s?€|\b(?:EUR|USD|GBP|CHF|NOK|SEK|DKK)\s?(?:{NUMBER})")),
    ("percent", re.compile(rf"(?:\b{_N})\s?(?:%|per\s?cent\b|percent\b|percentage points\b)")),
    ("year", re.compile(rf"(?<=\bin )(?:early |late |mid-)?{YEAR}\b(?![-/]\d)|(?<=\b(?:by) ){YEAR}\b|(?<=\bsince ){YEAR}\b|(?<=\buntil ){YEAR}\b|(?<=\bbuilt ){YEAR}\b|(?<=\bfrom ){YEAR}\b|(?<=\bbefore ){YEAR}\b|(?<=\bafter ){YEAR}\b|(?<=\bof ){YEAR}\b|(?<=\baround ){YEAR}\b")),
    ("measure", re.compile(rf"(?<![\w.,/-]){_RANGE}[\s-]?{UNITS}(?![\w²³/])(?:\s(?:a|an|per)\s(?:day|week|month|year|hour|minute|second|night|person|term)\b)?")),
    ("weekday", re.compile(rf"\b(?:every\s)?{WEEKDAY}(?:(?:,\s|\s(?:and|to|or)\s){WEEKDAY})*\b")),
    ("count", re.compile(rf"(?<![\w.,/£$€-]){_N}(?![\w.,:]*\d)(?=\s[a-z])")),
    ("number", re.compile(rf"(?<![\w.,/£$€-])(?:{NUMBER}){SCALE}?(?![\w/-]|[.,:]\d)")),
)  # fmt: skip
_NAME = re.compile(
    r"(?:[A-ZÀ-ÖØ-Þ][\w'’.-]*[\w'’](?:\s(?:of|the|de|van|von|and|&)\s(?=[A-ZÀ-Þ])|\s(?=[A-ZÀ-Þ0-9])|(?![\w'’])))+\d*"
)
QUOTED = re.compile(r"[\"“”„«]([^\"“”„«»]{2,60})[\"”“»]|[‘']([A-Z][^'’]{2,40})['’](?!\w)")


@dataclass(frozen=True)
class Value:
    """A value found at `[start, end)` of a plain sentence."""

    kind: str
    text: str
    start: int
    end: int


@lru_cache(maxsize=16384)
def find_values(sentence: str) -> tuple[Value, ...]:
    """Values in order, none overlapping another; the more telling kind goes before."""
    taken: list[Value] = []
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(sentence):
            text = match.group().strip()
            if text and not any(match.start() < v.end and v.start < match.end() for v in taken):
                kind_here = "date" if kind in ("year", "weekday") else kind
                taken.append(Value(kind_here, text, match.start(), match.start() + len(text)))
    return tuple(sorted(taken, key=lambda v: v.start))


def find_names(sentence: str) -> list[Value]:
    """Runs of capitalised words, the sentence's first word only as part of a longer run."""
    found = []
    for match in _NAME.finditer(sentence):
        text = match.group().strip().rstrip(".,")
        if match.start() == 0 and " " not in text:
            continue
        found.append(Value("name", text, match.start(), match.start() + len(text)))
    return found
