"""What the tiny student is made from: wordings and short documents in their formats, and nothing of the sample domain among them."""

import json
import re
import sys

import pytest

from .test_sample_domain import DATA, documents, extract_text

sys.path.insert(0, str(DATA))

from make_student import happenings, stories  # noqa: E402

MADE = sorted((DATA / "make_student").glob("*/*.txt"))
WORDINGS = [path for path in MADE if path.parent.name == "wordings"]
STORIES = [path for path in MADE if path.parent.name == "stories"]
KINDS = """name person town org street money count date year time timespan span day days code email phone weight length volume power temp
area age floor room colour ordinal percent""".split()
RUN = 9  # words in a row that two texts share by copying rather than by speaking the same language


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return set(zip(*(words[i:] for i in range(RUN)), strict=False))


@pytest.mark.parametrize("path", WORDINGS, ids=lambda path: path.stem)
def test_a_statement_has_both_slots_and_a_question_only_the_subject(path):
    for block in path.read_text(encoding="utf-8").strip().split("\n\n"):
        first, *lines = block.split("\n")
        assert re.fullmatch(r"[^|]+ \| [a-z]+", first)
        assert {line[:2] for line in lines} == {"- ", "? "}, first
        for line in lines:
            slots = re.findall(r"\b[SV]\b", line[2:])
            assert sorted(slots) == (["S", "V"] if line[0] == "-" else ["S"]), line


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_an_answer_of_a_story_stands_in_the_line_above(path):
    for document in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip()):
        above = ""
        for line in document.split("\n"):
            assert set(stories.SLOT.findall(line)) <= set(KINDS), line
            if line[:2] == "? ":
                question, answer = line[2:].rsplit(" | ", 1)
                assert answer in above and question[-1] not in "?.", line
            elif line[:2] != "! ":
                above = line


def test_nothing_that_the_student_is_made_from_is_of_the_sample_documents_or_their_questions():
    made = "\n".join([*(path.read_text(encoding="utf-8") for path in MADE), happenings.EVENT_SAYS, *happenings.EVENT_ASKS.values(),
                      *(text for pair in happenings.RULES.values() for text in pair)])
    rows = [json.loads(line) for line in (DATA / "eval_set.jsonl").read_text(encoding="utf-8").splitlines()]
    sample = "\n".join([*map(extract_text, documents()), *(row["question"] for row in rows)])
    assert runs_of_words(sample) & runs_of_words(sample[:2000])  # the comparison can find something
    assert sorted(runs_of_words(made) & runs_of_words(sample)) == []
