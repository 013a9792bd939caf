"""A small corpus of distinct facts, with their questions and answers."""

from lib.gen.chunk import flag_near_duplicates
from lib.gen.records import Answer, Chunk, Question, content_id


def make_chunk(text: str, source: str = "a.md", split: str = "train") -> Chunk:
    """A chunk with nothing but text, source and split."""
    return Chunk(
        content_id(source, text), content_id(source), source, source, None, "", text, len(text), len(text) // 4, split
    )


def make_answer(chunk: Chunk, question: str, answer: str, quote: str) -> Answer:
    """A verified answer."""
    asked = Question(content_id(chunk.chunk_id, question), chunk.chunk_id, question, "fake-teacher", "0")
    cot = f"The documents say: ##begin_quote##{quote}##end_quote##\n<ANSWER>: {answer}"
    return Answer(asked, cot, answer, (quote,))


NAMES = (
    *("Aldern", "Birk", "Colby", "Drem", "Esker", "Fenn", "Garth", "Holm", "Irby", "Jarrow"),
    *("Keld", "Lund", "Moss", "Nab", "Oxen", "Pell", "Quern", "Rigg", "Skell", "Thorn"),
)
THINGS = ("mill", "tower", "quay", "bridge", "cellar", "barn", "well", "lock", "kiln", "forge")


def make_corpus(n: int, split=lambda i: "train") -> tuple[list[Chunk], list[Answer]]:
    """`n` chunks of a fact each, and its question and answer; no number stands in two chunks."""
    chunks, answers = [], []
    for i in range(n):
        place = f"{NAMES[i % 20]} {THINGS[i // 20 % 10]}"
        fact = f"The {place} was built in {1200 + i} by the guild of {NAMES[(i * 7 + 3) % 20]}."
        text = f"{fact} Visitors reach the {place} by path number {5000 + i}, marked {['red', 'blue', 'green'][i % 3]}."
        chunks.append(make_chunk(text, f"{i // 4}.md", split(i)))
        answers.append(make_answer(chunks[-1], f"When was the {place} built?", str(1200 + i), fact))
    return flag_near_duplicates(chunks), answers
