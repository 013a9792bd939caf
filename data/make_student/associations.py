"""Asks for a line in nothing but words that go with its words, so that the student learns which words point at the same thing.

`associations/*.txt` holds one group of words a line: `price cost fee | pay money bill`, left those that people use for one another, right those
that somebody who asks would use instead.
"""

import collections
import pathlib
import random
import re
from collections.abc import Sequence

FOLDER = pathlib.Path(__file__).parent / "associations"
LEADS = ["", "", "", "", "what about ", "anything on ", "I need ", "question about ", "something with ", "where does it say ", "tell me about ", "how about "]
LITTLE = "the a of for in on at with my we is it to and".split()


def read_links() -> dict[str, list[str]]:
    """What may be asked for a word: words of its groups; those that are used for it twice."""
    links: dict[str, list[str]] = collections.defaultdict(list)
    for file in sorted(FOLDER.glob("*.txt")):
        for line in file.read_text(encoding="utf-8").splitlines():
            same, _, related = (part.split() for part in line.partition("|"))
            for word in same:
                links[word] += [*(other for other in same * 2 if other != word), *related]
            for word in related:
                links[word] += same
    return dict(links)


LINKS = read_links()
LINKED = {word: frozenset(others) for word, others in LINKS.items()}


def words_of(text: str) -> list[str]:
    """Its different words, lower case, in order."""
    return list(dict.fromkeys(re.findall(r"[a-z]{3,}", text.lower())))


def fit(asked: Sequence[str], text: str) -> int:
    """How many of the words stand in a text or go with a word of it."""
    words = set(words_of(text))
    return sum(word in words or not words.isdisjoint(LINKED.get(word, ())) for word in asked)


def draw_cue(line: int, lines: Sequence[str], rng: random.Random) -> str:
    """Words that go with words of one line and with more of its words than of any other line's; empty if none were found."""
    able = [word for word in words_of(lines[line]) if word in LINKS]
    chosen = rng.sample(able, min(len(able), rng.choice((1, 2, 2, 3, 3, 4))))
    asked = [rng.choice(LINKS[word]) for word in chosen]
    asked = list(dict.fromkeys(word for word, of in zip(asked, chosen, strict=True) if word[:4] != of[:4] or rng.random() < 0.2))
    if not asked or any(fit(asked, other) >= len(asked) for at, other in enumerate(lines) if at != line):
        return ""
    if rng.random() < 0.3:
        asked.insert(rng.randrange(len(asked) + 1), rng.choice(words_of(" ".join(lines))))  # a word that stands anywhere: not to go by
    return rng.choice(LEADS) + " ".join(f"{rng.choice(LITTLE)} {word}" if rng.random() < 0.35 else word for word in asked)
