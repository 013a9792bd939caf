"""Bytes of a file into text, whatever their encoding; one that had to be guessed is named.

UTF-8, and UTF-16 or 32 with a byte-order mark, are known for certain; without one they are told by zero bytes, which every text
has that holds a space or a line end of ASCII. Older encodings are not: a text in a script of
its own (Cyrillic, Greek, Hebrew, Arabic, Chinese, …) is left to charset-normalizer; one in Latin letters, where that library
takes Swedish or Portuguese for Polish, is told by the letters of Europe's alphabets.
"""

import codecs
import re
import unicodedata
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# No prose holds these: a page that says ISO-8859-1 and has them is in Windows-1252, where they are quotation marks, dashes and the
# euro sign, or in UTF-8. What pages mean by a name is in the Encoding Standard (WHATWG).
_CONTROLS = re.compile(r"[\x80-\x9f]")
_MEANT = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "iso-8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030",
    "shift-jis": "cp932", "sjis": "cp932", "euc-kr": "cp949",
}  # fmt: skip
SAMPLE_BYTES = 200_000
_SCRIPTS = [
    "cp1251", "koi8_r", "koi8_u", "cp866", "iso8859_5", "cp1253", "iso8859_7", "cp1255", "cp1256", "tis_620",
    "cp932", "euc_jp", "gb18030", "big5", "cp949",
]  # fmt: skip
_WESTERN = "cp1252"
_RUN = re.compile(rb"[\x80-\xff]{3,}")  # words of another script; Latin letters with an accent stand alone or in pairs

# The letters beyond a-z of each language, by code page: French, German, Spanish, Portuguese, Italian, Finnish and Swedish,
# Danish and Norwegian, Dutch, Icelandic, Catalan, Estonian; Czech, Polish, Slovak, Hungarian, Croatian and Slovene, Romanian;
# Turkish; Lithuanian, Latvian.
_CENTRAL = "áčďéěíňóřšťúůýž ąćęłńóśźż áäčďéíĺľňóôŕšťúýž áéíóöőúüű čćđšž ăâîşţ"
_LETTERS = {
    _WESTERN: "àâæçéèêëîïôœùûüÿ äöüß áéíñóúüç áâãàçéêíóôõúü àèéìíîòóùú åäöéšž æøåéóò ëïéèêüöáó áðéíóúýþæö àçéèíïóòúü äõöüšž",
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1254": "çğıöşüâîû",
    "cp1257": "ąčęėįšųūž āčēģīķļņšūž",
}
_LANGUAGES = [(page, frozenset(letters + letters.upper())) for page, held in _LETTERS.items() for letters in held.split()]
# Signs that prose holds in any of these pages. `³` before a letter is no sign but the `ł` of another page, and so on.
_SIGNS = re.compile(r"[€‚„…‰‹›‘’“”•–—™\u00a0§©®«»°·±µ×÷]|[¢£¥ª¹²³º¼½¾](?![^\W\d_])|(?<![^\W\d_])[¿¡]")
_FIT = 0.9  # share of the letters beyond a-z that must belong to the language


class Decoded(NamedTuple):
    """A text, and the encoding that had to be guessed for it, empty where it was known."""

    text: str
    guess: str = ""


def decode(data: bytes, charset: str = "") -> Decoded:
    """Turn bytes into text: a byte-order mark, what a server or page says, UTF-8, UTF-16 and 32 told by their zero bytes, a guess.

    Args:
        data: The bytes.
        charset: Encoding that came with them; ignored where it is unknown or wrong.

    Raises:
        ValueError: The bytes are not text.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return Decoded(data.decode(encoding))
            except UnicodeDecodeError as error:
                raise ValueError(f"not text: starts like {encoding} but is broken ({error.reason})") from error
    said = _try(data, charset)
    if said is not None and not _CONTROLS.search(said):
        return Decoded(said)
    head = data[:4096]
    is_little = head[1::2].count(0) > head[0::2].count(0)
    if 0 in head and (wide := _wide(data, is_little)) is not None:
        return Decoded(wide)
    if head.count(0) > len(head) // 4:  # western text in UTF-16 has a zero in every second byte
        western = _try(data, "utf-16-le" if is_little else "utf-16-be")
        if western is not None and "\0" not in western:  # a file of zeros is what a crash leaves of one
            return Decoded(western)
    if 0 in head:
        raise ValueError("not text: holds zero bytes (a binary file with a text suffix?)")
    try:
        return Decoded(data.decode("utf-8"))
    except UnicodeDecodeError:
        meant = _try(data, _MEANT.get(charset.lower().replace("_", "-"), ""))
        return _guess(data) if meant is None else Decoded(meant)


def _wide(data: bytes, is_little: bool) -> str | None:
    """A text in UTF-32 or UTF-16 without a byte-order mark; binary data read so holds control codes or unused ones, or no space.

    Args:
        data: The bytes.
        is_little: Whether the zero bytes are where spaces in UTF-16-LE have theirs; read in the other order, Latin letters are Chinese.
    """
    for encoding in ("utf-32-le", "utf-32-be", *sorted(("utf-16-le", "utf-16-be"), reverse=is_little)):
        text = _try(data, encoding)
        if text and not {" ", "\n"}.isdisjoint(text) and all(c.isspace() or unicodedata.category(c) not in ("Cc", "Cn", "Co", "Cs") for c in text[:20_000]):
            return text
    return None


def _try(data: bytes, encoding: str) -> str | None:
    """The text in that encoding; None where there is no such encoding or it does not fit."""
    try:
        return data.decode(encoding) if encoding else None
    except (LookupError, UnicodeError):  # an encoding called `undefined` is one, and raises the latter
        return None


def decode_file(path: Path) -> str:
    """The text of a file; warns where its encoding is a guess.

    Raises:
        ValueError: The file is not text.
    """
    text, guess = decode(path.read_bytes())
    if guess:
        warnings.warn(f"{path}: {describe_guess(guess)}", stacklevel=2)
    return text


def describe_guess(guess: str) -> str:
    """What to tell the user about a guessed encoding."""
    return f"read as {guess}, a guess: it is not UTF-8 and names no encoding; if letters are wrong, save it as UTF-8"


def _guess(data: bytes) -> Decoded:
    text = data.decode("utf-8", "replace")
    n_broken, n_whole = text.count("\ufffd"), sum(c > "\x7f" for c in text)
    if n_broken <= 0.05 * n_whole:  # other encodings hold next to no such pairs of bytes
        return Decoded(text, f"utf-8 with {n_broken} broken characters")
    sample = data[:SAMPLE_BYTES]
    sample = sample[: sample.rfind(b"\n") + 1] or sample if len(data) > SAMPLE_BYTES else sample
    encoding = (_guess_script(sample) or _guess_latin(sample)) if _in_runs(sample) else _guess_latin(sample)
    try:
        return Decoded(data.decode(encoding), encoding)
    except UnicodeDecodeError:  # Windows-1252 has a few bytes without meaning, Latin-1 none
        return Decoded(data.decode("latin-1"), "latin-1") if encoding == _WESTERN else Decoded(data.decode(encoding, "replace"), encoding)


def _in_runs(sample: bytes) -> bool:
    n_high = sum(n for byte, n in Counter(sample).items() if byte > 127)
    return sum(map(len, _RUN.findall(sample))) > n_high / 2


def _guess_script(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    telling = b"\n".join(line for line in sample.split(b"\n") if _RUN.search(line))  # it looks at a few places only
    found = from_bytes(telling, cp_isolation=_SCRIPTS, enable_fallback=False).best()
    return found.encoding if found else ""


def _guess_latin(sample: bytes) -> str:
    """The page of the language whose letters fit best; another than the Western one only where a third of the language's own
    letters occur: those whose bytes would be other letters there.
    """
    counts = {page: Counter(c for c in _SIGNS.sub("", sample.decode(page, "replace")) if c > "\x7f") for page in _LETTERS}
    best, best_fit = _WESTERN, 0.0
    for page, letters in _LANGUAGES:
        fit = sum(n for c, n in counts[page].items() if c in letters) / max(1, counts[page].total())
        own = {c for c in letters if c.islower() and c.encode(page).decode(_WESTERN, "replace") != c}
        held = own & {c.lower() for c in counts[page]}
        if fit > best_fit and (page == _WESTERN or (fit >= _FIT and 3 * len(held) >= len(own))):
            best, best_fit = page, fit
    return best
