"""What the tiny student is made from: wordings and short documents in their formats, and nothing of the sample domain among them."""

import random
import re
import sys

import pytest

from .test_sample_domain import DATA, document_text, documents, relative, rows, words

sys.path.insert(0, str(DATA))

from make_student import associations, happenings, stories  # noqa: E402
from make_student.invent import draw_exercise  # noqa: E402

MADE = sorted((DATA / "make_student").glob("*/*.txt"))
WORDINGS = [path for path in MADE if path.parent.name == "wordings"]
STORIES = [path for path in MADE if path.parent.name == "stories"]
ASSOCIATIONS = [path for path in MADE if path.parent.name == "associations"]
RUN = 8  # words in a row that two texts share by copying rather than by speaking the same language


def runs_of_words(text: str) -> set[tuple[str, ...]]:
    found = words(text)
    return set(zip(*(found[i:] for i in range(RUN)), strict=False))


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
            if line[:2] == "? ":
                question, answer = line[2:].rsplit(" | ", 1)
                assert answer in above and question[-1] not in "?.", line
            elif line[:2] != "! ":
                above = line


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_every_slot_of_a_story_is_of_a_kind_that_can_be_drawn(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search("[{}]", stories.SLOT.sub("", text)), "a brace that is no slot"
    for kind in sorted(set(stories.SLOT.findall(text))):
        assert all(stories.draw_slot(kind, random.Random(1), held_out).strip() for held_out in (False, True)), kind


@pytest.mark.parametrize("path", ASSOCIATIONS, ids=lambda path: path.stem)
def test_a_group_has_words_used_for_one_another_and_words_that_ask_for_them(path):
    for line in path.read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(r"[a-z]+(?: [a-z]+){2,11} \| [a-z]+(?: [a-z]+){5,13}", line), line


@pytest.mark.parametrize("p_story", [0.0, 1.0])
def test_a_line_joined_of_two_sentences_is_asked_for_what_either_says(p_story):
    rng = random.Random(7)
    asks = [(ask, exercise) for exercise in (draw_exercise(rng, n_passages=2, p_story=p_story, p_join=1.0, p_refuse=0.0) for _ in range(150)) for ask in exercise.asks]
    assert all(ask.quote in exercise.passages[ask.oracle] and (ask.answer in ask.quote or ask.answer in ("Yes", "No")) for ask, exercise in asks)
    joined = [(ask.quote.index("; "), ask.quote.find(ask.answer)) for ask, _ in asks if ask.quote.count("; ") == 1]
    assert any(answer < at for at, answer in joined) and any(answer > at for at, answer in joined)


def test_a_cue_goes_with_no_fewer_words_of_its_line_than_of_any_other():
    lines = ["The boiler is serviced every spring by the caretaker.", "Dogs on a lead may come along.", "A ticket for the evening costs {money}."]
    cues = 0
    for seed in range(60):
        at = seed % len(lines)
        if cue := associations.draw_cue(at, lines, random.Random(seed)):
            cues += 1
            cue = cue.removeprefix(max((lead for lead in associations.LEADS if cue.startswith(lead)), key=len))
            asked = [word for word in associations.words_of(cue) if word not in associations.LITTLE]
            fits = [associations.fit(asked, line) for line in lines]
            assert max(fits) == fits[at], (cue, fits)
    assert cues > 30
    assert associations.draw_cue(0, ["Qwrt zzkl bnmp"], random.Random(1)) == ""


def test_nothing_that_the_student_is_made_from_is_of_the_sample_documents_or_their_questions():
    made = "\n".join([*(path.read_text(encoding="utf-8") for path in MADE), happenings.EVENT_SAYS, *happenings.EVENT_ASKS.values(),
                      *(text for pair in happenings.RULES.values() for text in pair)])
    sample = runs_of_words("\n".join([*(document_text(relative(path)) for path in documents()), *(row["question"] for row in rows())]))
    copied = max((row["question"] for row in rows()), key=lambda question: len(words(question)))
    assert sorted(runs_of_words(made) & sample) == []
    assert runs_of_words(f"{made}\n{copied}") & sample == runs_of_words(copied) != set()  # the comparison finds what is copied
