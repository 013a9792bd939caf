"""The offline teacher on text it was not made for: no nonsense, and more of plain prose asked about."""

import pytest

from lib.llm.offline.answers import find_answer
from lib.llm.offline.facts import find_facts, find_further_facts, find_prose_facts
from lib.llm.offline.questions import write_questions
from lib.llm.offline.sound import is_prose, is_sound
from lib.llm.offline.text import split_units
from lib.llm.offline.writing import _api_instructions


def wordings(passage: str) -> list[str]:
    facts = (*find_facts(passage), *find_prose_facts(passage), *find_further_facts(passage))
    return [wording for fact in facts for wording in fact.wordings]


@pytest.mark.parametrize(
    ("fault", "passage"),
    [
        ("an imperative for a noun", "# Forms\n\nPlease use the format of: plain text, one answer a line.\n"),
        ("a template's markup", "The keeper [begin_quote] opens the gate of the harbour [end_quote] at 8 am."),
        ("a quotation that stays open", 'The harbour is classified among "A1: Large harbours of the north.'),
        ("an adverb for a subject", "Below is a picture that shows the harbour of Orrin."),
        ("something outside the passage", "The following steps are a short guide to the lamps of Orrin."),
        ("a heading run into its sentence", "Closed Gate A closed gate often refers to the winter of the harbour."),
        ("a word said twice", "Orrin Orrin builds on the lamps of the north."),
        ("a participle for a verb", "A sailor named Ada Nord Falk designed a similar sail for the harbour."),
        ("a denial for a statement", "The ship does not sail with a faulty bow door."),
    ],
)
def test_no_question_is_made_of(fault, passage):
    assert wordings(passage) == [], fault


@pytest.mark.parametrize(
    ("passage", "never"),
    [
        ("Hydrofoils work by generating lift under the board.", "What work by"),
        ("The harbour lamps are coated with wax and oil.", "What are coated"),
        ("Ten keepers and forty young sailors made up the first crew.", "How many"),
        ("Kai Falk pioneered a turn now called the wave in which the rider leans.", "in?"),
        ("In 1964, the Orrin Movement organised student resistance to the long rules of the harbour and its many old boards.", "did the Orrin Movement organise?"),
        ("The lamp is the best tool made only for the long nights of the north.", "only?"),
        ("The reeds of the pond are used on boats through the long work of Neil Pryde Falk.", "whom"),
    ],
)  # fmt: skip
def test_no_question_breaks_off_or_disagrees_with_its_subject(passage, never):
    assert not any(never in wording for wording in wordings(passage))


@pytest.mark.parametrize("maker", ["Jon Vale 50", "Jon Vale", "Hallin & Sons", "the council"])
def test_whoever_made_it_is_no_place(maker):
    passage = f"Section 0 of the sea wall was built by {maker} in 1950."
    assert not any(fact.kind == "place" for fact in find_facts(passage))
    assert any(fact.kind == "person" and fact.value == maker for fact in find_facts(passage))


def test_the_place_behind_the_maker_is_asked_for():
    passage = "The MV Orrin was built by Hallin & Sons at Garrowmouth."
    assert find_answer([passage], "Where was the MV Orrin built?").value == "at Garrowmouth"


def test_a_place_that_something_is_kept_by_stays_a_place():
    passage = "The spare lamp is kept by the door of the boat house."
    assert find_answer([passage], "Where is the spare lamp kept?").value == "by the door of the boat house"


@pytest.mark.parametrize(
    ("passage", "question", "value"),
    [
        ("ORF is a plain recipe for lamps.", "What is ORF?", "a plain recipe for lamps"),
        ("Later, the lamp guild incorporated the Orrin lamp into the winter games.", "Who or what incorporated the Orrin lamp into the winter games?", "the lamp guild"),
        ("The set consists of a lamp, a mast and a sail.", "What does the set consist of?", "a lamp, a mast and a sail"),
        ("Some of the best lamp oils include cod oil, rape oil, and wax.", "What do some of the best lamp oils include?", "cod oil, rape oil, and wax"),
        ("The lamp fin significantly reduces the effects of rough water.", "What does the lamp fin reduce?", "the effects of rough water"),
        ("The club is governed by a board of old sailors.", "Who or what is the club governed by?", "a board of old sailors"),
        ("Wide boards allow the rider to turn in rough water.", "What do wide boards allow the rider to do?", "to turn in rough water"),
        ("Ada Nord Falk, a noted sailor of the north, began to race.", "Who or what is Ada Nord Falk?", "a noted sailor of the north"),
        ("The keepers met the Orrin Lamp Union (OLU) at the pier.", "What does OLU stand for?", "Orrin Lamp Union"),
        ("They rely on SLK (Safe Lamp Keeping) in storms.", "What does SLK stand for?", "Safe Lamp Keeping"),
        ("A wing is considered any lamp that turns over.", "What is a wing considered?", "any lamp that turns over"),
        ("Lamp with two wicks: this is the common lamp for fog, with a clear shade.", "How can Lamp with two wicks be described?", "the common lamp for fog"),
        ("The deck is usually made from light woods such as pine or elm.", "From what is the deck made?", "light woods such as pine or elm"),
    ],
)  # fmt: skip
def test_plain_prose_gives_a_question_with_its_answer(passage, question, value):
    assert question in wordings(passage)
    assert find_answer([passage], question).value == value
    assert 1 <= len(write_questions(passage, 5)) <= 2


def test_a_date_in_front_is_read_in_either_order():
    passage = "On July 25, 2019, the Orrin lamp was moved to the museum."
    assert find_answer([passage], "When was the Orrin lamp moved to the museum?").value == "July 25, 2019"


def test_what_is_found_first_keeps_further_questions_away():
    passage = "The Orrin Bridge was built in 1911. The set consists of a lamp, a mast and a sail."
    assert not any("consist" in question for question in write_questions(passage, 20))


@pytest.mark.parametrize("heading", ["🦍 LAMPS: How to keep one", "Lamps: how do they work? 📝", "Lamps for the Long Nights of the North"])  # fmt: skip
def test_a_heading_that_a_chunk_repeats_is_no_part_of_its_first_sentence(heading):
    body = "The lamps of Orrin are filled with oil and lit by the keeper before the last ferry has come in."
    assert [unit.text for unit in split_units(f"{heading}\n{body}")] == [body]


def test_a_sentence_whose_beginning_is_missing_gives_nothing_below_a_heading_either():
    assert wordings("Lamps 📝\nof the keeper is a plain recipe for the lamps of Orrin.") == []


def test_lines_of_a_wrapped_paragraph_are_no_headings():
    passage = "The Orrin Bridge was built in the\nyear that Ida Falk came to the\nharbour."
    assert len(split_units(passage)) == 1


@pytest.mark.parametrize("text", ["a [mark] in it", 'an "open quote', "a (bracket", "a {field}", "## a heading", "a lamp 💡"])
def test_markup_is_no_prose(text):
    assert not is_prose(text)


@pytest.mark.parametrize("text", ['the "Heron" of 1998', 'a board of 12" length', "a) the lamp (old)", "at 20 °C"])
def test_marks_that_belong_to_a_sentence_are_prose(text):
    assert is_prose(text)


def test_a_question_that_ends_on_an_announcement_is_not_sound():
    assert is_sound("What is the lamp made of?")
    assert not any(map(is_sound, ("What is the lamp made of only?", "What is on the figure below?", "What is the following lamp?")))


API = "api_name: {name}\napi_call: hub.load('x', model='{name}')\ndomain: {domain}\nfunctionality: {need}\ndescription: {told}\n"


@pytest.mark.parametrize(
    ("name", "need", "told"),
    [
        ("vorn-nets", "Image Recognition", "vorn-nets are small networks from the Orrin challenge. They are used for large pictures."),
        ("LampNet", "LampNet", "LampNet is a plain network for lamps. Input pictures are small."),
        ("lamp_net", "Lamps", "Lamp Net models are from the Lamp Net paper. They are trained on lamps."),
        ("OrrinBERT", "OrrinBERT", "OrrinBERT outperforms OrrinBERT-small."),
    ],
)  # fmt: skip
def test_an_instruction_never_names_its_api_nor_stands_a_pronoun_for_it(name, need, told):
    written = _api_instructions(API.format(name=name, domain="Vision", need=need, told=told), 4)
    assert written
    for instruction in written:
        squeezed = "".join(c for c in instruction.lower() if c.isalnum())
        assert "".join(c for c in name.lower() if c.isalnum()) not in squeezed
        assert ": it " not in instruction and " it are " not in instruction


def test_two_apis_of_one_topic_are_asked_for_in_different_words():
    one, other = (
        _api_instructions(API.format(name=name, domain="Vision", need="Image Classification", told=f"{name} is a network for {use}."), 4)
        for name, use in (("Aba", "roads"), ("Ebe", "lamps"))
    )  # fmt: skip
    assert one and other and not set(one) & set(other)
