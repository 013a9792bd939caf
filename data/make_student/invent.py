"""Invents reading exercises: a few passages about things that do not exist, and questions about them.

In: a `random.Random`. Out: `Exercise`s (passages and several questions each with the quote and answer, or none when
the passages do not say). Nothing is read from disk; the same seed gives the same text.
"""

import dataclasses
import random

from make_student.associations import draw_cue
from make_student.speech import speak
from make_student.stories import draw_stories
from make_student.world import World

REFUSAL = ("Sorry, I don't know the answer to this question because related documents are not found. "
           "Please try again.")


@dataclasses.dataclass(frozen=True)
class Ask:
    """One question; `quote` and `answer` are empty when the passages shown do not hold the answer, `answer` alone where only the line is asked for."""
    question: str
    quote: str = ""
    answer: str = ""
    oracle: int = -1

    @property
    def reply(self) -> str:
        if not self.quote:
            return REFUSAL
        return f"The documents say: ##begin_quote##{self.quote}##end_quote##" + (f"\n<ANSWER>: {self.answer}" if self.answer else "")


@dataclasses.dataclass(frozen=True)
class Exercise:
    passages: list[str]
    asks: list[Ask]


def show_passages(passages: list[str]) -> str:
    """The passages as a prompt shows them, before the question."""
    return "".join(f"<DOCUMENT>{passage}</DOCUMENT>\n" for passage in passages)


def cut(world: World, rng: random.Random, low: int, high: int) -> list[tuple[int, int]]:
    """Cut a document into pieces of `low` to `high` characters, at word gaps or, sometimes, at ends of units."""
    text, pieces, start = world.text(), [], 0
    tidy = rng.random() < 0.4
    ends = [unit.span[1] for unit in world.units]
    while start < len(text) - low // 2:
        stop = start + rng.randint(low, high)
        if stop < len(text):
            near = [e for e in ends if start + low // 2 < e <= stop + 20]
            gap = text.rfind(" ", start, stop)
            stop = near[-1] if tidy and near else gap if gap > start else stop
        pieces.append((start, min(stop, len(text))))
        start = stop + 1
    return pieces


def draw_exercise(rng: random.Random, *, n_passages: int, low: int = 250, high: int = 400, n_asks: int = 5,
                  held_out: bool = False, p_refuse: float = 0.2, p_story: float = 0.0, n_cues: int = 0, p_join: float = 0.0) -> Exercise:
    """Invent passages that resemble one another and questions about them, some of which they do not answer."""
    worlds, shown = [], []  # shown holds (world, start, stop)
    stories = draw_stories(rng, held_out, n_passages) if rng.random() < p_story else []
    while len(shown) < n_passages:
        worlds.append(stories.pop() if stories else World(rng, held_out))
        worlds[-1].join(p_join)
        pieces = [(worlds[-1], *piece) for piece in cut(worlds[-1], rng, low, high)]
        rng.shuffle(pieces)
        shown += pieces[:max(1, n_passages - len(shown) - (rng.random() < 0.3))]
    rng.shuffle(shown)
    passages = [world.text()[start:stop].strip() for world, start, stop in shown]
    found, missing = [], []
    for world in worlds:
        missing += world.missing
        for unit in world.units:
            if not unit.facts:
                continue
            places = [i for i, (w, a, b) in enumerate(shown) if w is world and a <= unit.span[0] and unit.span[1] <= b]
            touched = [i for i, (w, a, b) in enumerate(shown) if w is world and a < unit.span[1] and unit.span[0] < b]
            for _label, asks, answer in unit.facts:
                if not touched:
                    missing.append(asks)
                elif places and (unit.needs is None or shown[places[0]][1] <= unit.needs.span[0] < shown[places[0]][2]):
                    risen = answer[0].upper() + answer[1:]  # as it stands when it opens the sentence
                    found.append((asks, unit.text, answer if answer in unit.text else risen, places[0]))
    rng.shuffle(found)
    n_refuse = sum(rng.random() < p_refuse for _ in range(n_asks))
    asks = [Ask(speak(rng.choice(wordings), rng), quote, answer, oracle)
            for wordings, quote, answer, oracle in (found * 3)[:n_asks - n_refuse]]  # few facts: asked again, in other words
    asks += [Ask(speak(rng.choice(wordings), rng)) for wordings in rng.sample(missing, min(n_refuse, len(missing)))]
    asks = list({ask.question: ask for ask in asks}.values())
    asks += draw_cues(worlds, shown, rng, n_cues)
    rng.shuffle(asks)
    return Exercise(passages, asks) if asks else draw_exercise(
        rng, n_passages=n_passages, low=low, high=high, n_asks=n_asks, held_out=held_out, p_refuse=p_refuse,
        p_story=p_story, n_cues=n_cues, p_join=p_join)


def draw_cues(worlds: list[World], shown: list, rng: random.Random, n: int) -> list[Ask]:
    """At most `n` lines that stand whole in a passage, each asked for in words that go with it."""
    units = [(unit, place) for place, (world, start, stop) in enumerate(shown)
             for unit in world.units if start <= unit.span[0] and unit.span[1] <= stop]
    lines = [unit.text for unit, _ in units]
    asks = []
    for at in rng.sample(range(len(units)), min(n, len(units))):
        if len(lines[at].split()) > 3 and lines.count(lines[at]) == 1 and (cue := draw_cue(at, lines, rng)):
            asks.append(Ask(cue[:1].upper() + cue[1:] + rng.choice(("", "?")), lines[at], "", units[at][1]))
    return asks
