"""The thesaurus: words of everyday English that stand for one another, read from `thesaurus.txt`, inflected, and as stems for comparing."""

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from lib.llm.offline.verbs import PARTICIPLES, past_of, third_of
from lib.llm.offline.words import content

_PLURALS = {"child": "children", "man": "men", "woman": "women", "person": "people", "foot": "feet", "craft": "craft", "aircraft": "aircraft"}  # fmt: skip
_SAME_PAST = frozenset("cut hit let put set shut split spread".split())
_PASTS = {"tear": ("tore", "torn"), "light": ("lit", "lit"), "shine": ("shone", "shone"), "repay": ("repaid", "repaid")}
_VOWELS = "aeiou"


@dataclass(frozen=True)
class Entry:
    """One form of a word, and the same form of the words that may stand for it.

    Attributes:
        role: Letter of the line in `thesaurus.txt`: `v`, `i`, `p`, `n`, `c`, `m`, `a` or `x`.
        form: `base`, `third`, `past`, `participle`, `ing`, `one`, `many` or empty.
        others: What may be written in its place.
    """

    role: str
    form: str
    others: tuple[str, ...]


@cache
def groups() -> tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...]:
    """Lines of the file: the role, the words that may be replaced, and the words that replace them."""
    found = []
    for line in (Path(__file__).parent / "thesaurus.txt").read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            role, words = line.split(maxsplit=1)
            before, _, behind = words.partition(">")
            olds = tuple(w.strip() for w in before.split(","))
            found.append((role, olds, tuple(w.strip() for w in behind.split(",")) if behind else olds))
    return tuple(found)


@cache
def entries() -> dict[str, tuple[Entry, ...]]:
    """What each form of each word may be replaced with, by the form; phrases have spaces in them."""
    found: dict[str, dict[tuple[str, str], list[str]]] = {}
    for role, olds, news in groups():
        for old in olds:
            others = [n for n in news if n != old]
            for form, text in _inflected(role, old):
                kept = found.setdefault(text, {}).setdefault((role, form), [])
                kept += [t for n in others for f, t in _inflected(role, n) if f == form and t not in kept]
    return {
        text: tuple(Entry(role, form, tuple(others)) for (role, form), others in kinds.items())
        for text, kinds in found.items()
    }


def _inflected(role: str, word: str) -> list[tuple[str, str]]:
    head, _, rest = word.partition(" ")
    tail = f" {rest}" if rest else ""
    if role in "vip":
        past, participle = (head, head) if head in _SAME_PAST else _PASTS.get(head) or (past_of(head), _participle(head))
        forms = (("base", head), ("third", third_of(head)), ("past", past), ("participle", participle), ("ing", _ing(head)))
        return [(form, text + tail) for form, text in forms]
    if role in "nc":
        return [("one", word), ("many", _plural(word))]
    return [("", word)]


@lru_cache(maxsize=4096)
def _participle(base: str) -> str:
    return next((form for form, known in PARTICIPLES.items() if known == base), "") or past_of(base)


def _ing(base: str) -> str:
    if base.endswith("ie"):
        return base[:-2] + "ying"
    if base.endswith("e") and not base.endswith(("ee", "oe", "ye")):
        return base[:-1] + "ing"
    past = past_of(base)
    return base + base[-1] + "ing" if past == base + base[-1] + "ed" or base in _SAME_PAST - {"spread"} | {"get", "run", "begin"} else base + "ing"


def _plural(word: str) -> str:
    head, _, rest = word.partition(" of ")
    if rest:
        return f"{_plural(head)} of {rest}"
    *before, last = word.split()
    if last in ("in", "out"):
        return f"{_plural(' '.join(before))} {last}"
    if last in _PLURALS:
        last = _PLURALS[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2] not in _VOWELS:
        last = last[:-1] + "ies"
    else:
        last += "s"
    return " ".join((*before, last))


@cache
def _near() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for _, olds, news in groups():
        for old in olds:
            for new in news:
                if new != old:
                    for a, b in ((content(old), content(new)), (content(new), content(old))):
                        for word in a:
                            found.setdefault(word, set()).update(b if len(a) == 1 else ())
                            if len(b) == 1:
                                found[word].add(b[0])
    return {word: frozenset(near | {word}) for word, near in found.items()}


def near(stem: str) -> frozenset[str]:
    """The stems that a stem of a question may stand for, itself among them: the neighbours of its groups, and not theirs."""
    return _near().get(stem) or frozenset((stem,))
