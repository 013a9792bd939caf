"""The offline teacher's other words: they mean the same, come back to the same answer, and loosen neither refusals nor verdicts."""

import itertools
import re

import pytest

from lib.llm.offline.answers import find_answer
from lib.llm.offline.facts import find_facts, find_prose_facts
from lib.llm.offline.frame_table import FRAMES
from lib.llm.offline.frames import plainly, reframed
from lib.llm.offline.judge import judge
from lib.llm.offline.paraphrase import paraphrases, swapped
from lib.llm.offline.questions import write_questions
from lib.llm.offline.thesaurus import entries, groups, near
from lib.llm.offline.words import FUNCTION, content, stem, tokens

PASSAGES = (
    "The Alder Library was founded in 1912. The reading room is kept at 19 degrees. Children under 10 may borrow six books for three weeks. "
    "A lost card costs £4.00. The card catalogue is kept in the attic. The head librarian, Nora Quill, lives beside the garden. "
    "The garden is closed on Mondays because the paths are steep. A visit to the archive takes 45 minutes.",
    "The mill at Corrow was built by Edda Marsh in 1788. It grinds oats. The big wheel is 4 metres wide. Visitors purchase flour at the counter. "
    "A guided tour begins at 14:00. The miller's house was repaired in June 2019. The annual fee for members is £25.00. The shop sells brushes.",
    "## Rooms\n\n| Room | Beds | Price per night | Opened |\n|---|---|---|---|\n| Linden | 2 | £48.00 | 1998 |\n| Small Rowan | 4 | £61.50 | 2007 |\n",
    "# The River Bus\n\n- The river bus leaves the lower quay at 08:15.\n- Dogs are permitted on the upper deck between 1 April and 31 May.\n"
    "- The luggage is stored in the red cabin.\n- The largest boat carries 120 passengers.\n",
)  # fmt: skip
SEED = b"a seed"


def own_words(passage: str, question: str) -> float:
    """Share of a question's content words that stand in the line of its answer."""
    line = set(tokens(find_answer([passage], question).quote))
    words = [w for w in tokens(question) if w not in FUNCTION]
    return sum(w in line for w in words) / len(words)


def test_fewer_of_a_questions_words_stand_in_the_line_of_its_answer():
    plain, put = [], []
    for passage in PASSAGES:
        plain += [own_words(passage, w) for f in find_facts(passage) for w in f.wordings if find_answer([passage], w)]
        put += [own_words(passage, q) for q in write_questions(passage, 20)]
    assert sum(put) / len(put) < 0.85 * sum(plain) / len(plain)


def test_some_wordings_stay_plain_and_most_do_not():
    facts = [fact for passage in PASSAGES for fact in find_facts(passage)]
    drawn = [(fact, wording, bytes([i])) for fact in facts for wording in fact.wordings for i in range(4)]
    plain = sum(not list(paraphrases(wording, fact, seed)) for fact, wording, seed in drawn) / len(drawn)
    assert 0.05 < plain < 0.4


def test_every_question_in_other_words_comes_back_to_a_fact():
    for passage in PASSAGES:
        known = {(fact.value, fact.unit.text) for fact in find_facts(passage)}
        for question in write_questions(passage, 30):
            found = find_answer([passage], question)
            assert (found.value, found.quote) in known


@pytest.mark.parametrize(("question", "value"), [
    ("Where can I find the card catalogue?", "in the attic"),
    ("What will a lost card set me back?", "£4.00"),
    ("How much do I pay for a lost card?", "£4.00"),
    ("What does the chief librarian's card cost?", None),
    ("How much time does a visit to the archive take?", "45 minutes"),
    ("When did the Alder Library come into being?", "1912"),
    ("How many books may kids under 10 borrow for three weeks?", "six"),
    ("Who works as the head librarian?", "Nora Quill"),
    ("How come the garden is closed on Mondays?", "because the paths are steep"),
    ("I am new to this: where would I look for the card catalogue?", "in the attic"),
    ("Have you any idea what a lost card costs?", "£4.00"),
])  # fmt: skip
def test_what_people_say_is_understood(question, value):
    found = find_answer([PASSAGES[0]], question)
    assert (found and found.value) == value


@pytest.mark.parametrize(("question", "value"), [
    ("When was the miller's house fixed?", "June 2019"), ("What time does a guided tour start?", "14:00"),
    ("How much is the yearly charge for members?", "£25.00"), ("What can I buy from the shop?", "brushes"),
    ("What does the big wheel measure across?", "4 metres"), ("Who was the builder of the mill at Corrow?", "Edda Marsh"),
])  # fmt: skip
def test_near_synonyms_are_understood(question, value):
    assert find_answer([PASSAGES[1]], question).value == value


def test_questions_about_another_passage_stay_without_an_answer():
    asked = [(a, b, q) for a, b in itertools.permutations(PASSAGES, 2) for q in write_questions(a, 10)]
    answered = [q for _, other, q in asked if find_answer([other], q)]
    assert len(answered) <= 0.01 * len(asked), answered


@pytest.mark.parametrize("question", [
    "When was the Alder Library closed?", "Who built the Alder Library?", "Where can I find the red cabin?", "What will a lost book set me back?",
    "How much do I pay for a new card?", "Who works as the gardener?",
])  # fmt: skip
def test_loose_words_answer_nothing_that_is_not_there(question):
    assert find_answer([PASSAGES[0]], question) is None


def test_the_judge_knows_nothing_of_the_thesaurus():
    for reference, candidate in (("the luggage", "the baggage"), ("a fortnightly timetable", "a fortnightly schedule"), ("a passenger", "a traveller")):
        assert not judge("What is it?", reference, candidate)[0]
        assert judge("What is it?", reference, reference)[0]


def test_the_thesaurus_is_well_formed():
    assert len(groups()) >= 300
    for role, olds, news in groups():
        assert role in "vpincmax" and all(olds) and all(news)
        assert not set(olds) & set(news) or olds == news
    assert "children" in entries() and "kids" in entries()["children"][0].others
    assert "bought" in entries()["purchased"][0].others
    assert stem("traveller") in near(stem("passenger"))


def test_neighbours_of_neighbours_do_not_stand_for_one_another():
    begin, commence, initiate = map(stem, ("begin", "commence", "initiate"))
    assert {commence, initiate} < near(begin) and initiate not in near(commence)
    assert all(word in near(word) for word in ("boat", "zebra"))


@pytest.mark.parametrize("question", [
    'Where is the "Small Ship" shown?', "Who wrote Boat and Child?", "What is the API call of purchase.boat?", "How many (big boats) are there?",
])  # fmt: skip
def test_names_quotes_brackets_and_code_keep_their_words(question):
    kept = {w for w in ("Small Ship", "Boat and Child", "purchase.boat", "(big boats)") if w in question}
    assert all(w in swapped(question, bytes([i])) for w in kept for i in range(20))


@pytest.mark.parametrize(("question", "wanted"), [
    ("When does an annual trip begin?", "When does a yearly"), ("Where may a large boat be moored?", "Where may a big"),
    ("Where are children not permitted?", "Where are kids not allowed"), ("How much luggage may be carried?", "How much baggage may be carried"),
])  # fmt: skip
def test_a_swap_keeps_number_tense_and_article(question, wanted):
    assert any(swapped(question, bytes([i])).startswith(wanted) for i in range(40))


def test_a_word_that_is_a_noun_here_is_not_taken_for_a_verb():
    for i in range(40):
        assert "the begin" not in swapped("Where is the start of the course?", bytes([i]))
        assert "boat rent" not in swapped("What does the boat hire offer?", bytes([i]))


def test_every_frame_that_is_written_can_be_read():
    """Each way to say it leads back to a plain question with the same content."""
    samples = {
        ("money", "£4"): "How much does a lost card cost?", ("place", "in it"): "Where is the catalogue kept?", ("time", "14:00"): "At what time does the tour begin?",
        ("measure", "2 m"): "How wide is the wheel?", ("reason", "because"): "For what reason is it shut?", ("person", "Ida Falk"): "Who is the keeper?",
        ("count", "4"): "How many oxen does the Corrow mill need?", ("percent", "5 %"): "What percentage of the rent is paid?",
    }  # fmt: skip
    for (kind, value), question in samples.items():
        frames = reframed(question, kind, value)
        assert frames
        for frame in frames:
            assert frame.endswith("?") and frame != question
            assert any(set() < set(content(way)) <= set(content(question)) for way in plainly(frame)), frame
    for _, plain, others in FRAMES:
        assert isinstance(others, tuple) and all(other.format(**re.compile(plain).groupindex) for other in others), plain


def test_tables_and_key_lines_give_no_odd_questions():
    asked = [w for f in find_facts(PASSAGES[2]) for w in f.wordings]
    assert "When was Linden opened?" in asked and not any("the opened" in q for q in asked)
    lines = "# Winter\n\nClause 8: Dangerous goods\nChristmas Day 2025: no sailings at all\nAgainst: Tom Bell\n"
    assert not any(w for f in find_facts(lines) for w in f.wordings if "lause 8" in w or "christmas" in w or "against of" in w)
    times = "| Sailing | Leaves Corrow |\n|---|---|\n| Winter sailing 1 | 07:40 |\n| Winter sailing 2 | 12:00 |\n"
    assert "When does the winter sailing 1 leave Corrow?" in [w for f in find_facts(times) for w in f.wordings]


def asked_of(passage: str) -> list[str]:
    return [wording for fact in (*find_facts(passage), *find_prose_facts(passage)) for wording in fact.wordings]


@pytest.mark.parametrize(("passage", "wanted"), [
    ("- Yearly ticket to the windmill: £16.00\n", "How much is the yearly ticket to the windmill?"),
    ("Entry for the raft race costs £20 a crew.", "How much does entry for the raft race cost per crew?"),
    ("The first president was the miller, Hedda Groom.", "Who was the first president?"),
    ("Claims must be sent to the clerk within 14 days.", "Within how many days must claims be sent to the clerk?"),
    ("Hedda Groom was president of the Kite Society from 1923 to 1946.", "When was Hedda Groom president of the Kite Society?"),
    ("| Step | Time |\n|---|---|\n| Opening of the bids | 4 March 2025 |\n", "When is the opening of the bids?"),
    ("| Workshop | Age |\n|---|---|\n| Kite Making | 7–11 |\n", "For what age is Kite Making?"),
])  # fmt: skip
def test_a_plain_question_suits_its_value(passage, wanted):
    assert wanted in asked_of(passage)


@pytest.mark.parametrize(("passage", "odd"), [
    ("The stew uses 2 kg of brown lentils in place of the mutton.", "How much brown lentils"),
    ("Disputes are first put to a conciliator named by the Corrow Chamber of Trade.", "conciliator named"),
    ("Photographs of the gables will be taken in the week from 25 August 2025.", "in the week"),
    ("The station will deliver 120 kW at 400 V.", "120 kW"),
    ("The crane at Corrow may be driven only by persons with the crane card.", "only by persons"),
    ("The assessment takes place on two ordinary rounds under the eye of a miller.", "under the eye"),
    ("The fine for fishing was raised from £200 to £350.", "How much was"),
    ("Tickets cancelled by the guest are refunded in 2025.", "When are"),
    ("Skipping Ropes introduces the four ropes of the village.", "Who introduces"),
    ("Boats may lie there for 10 minutes.", " there"),
])  # fmt: skip
def test_odd_questions_are_not_asked(passage, odd):
    assert not any(odd in wording for wording in asked_of(passage))


@pytest.mark.parametrize(("question", "odd"), [
    ("When are clients affected by the storm?", "influenced"), ("How large are the bins that are emptied?", "cleared"), ("Who is the owner of the dog?", "proprietor"),
    ("When does the music stop?", "halt"), ("How long does the battery last?", "go on"), ("When is the annual meeting of the club?", "gathering"),
    ("What does a small stock hold?", "little"), ("How much is the basic fee?", "fundamental"), ("When does the train leave the yard?", "depart"),
    ("How much is the deposit?", "down payment"), ("What happens if no fault is found?", "mistake"), ("Where does the car stand?", "motor car"),
])  # fmt: skip
def test_a_word_that_means_something_else_in_most_places_is_not_put(question, odd):
    assert not any(odd in swapped(question, bytes([i])) for i in range(40))


@pytest.mark.parametrize(("question", "odd"), [
    ("Why does the council object?", "item"), ("From when will the plant be shut down for the summer?", "close"), ("When is the plant shut down?", "closed"),
    ("Could you say to what address requests go?", "asks for"), ("What happens if the driver is used to the mirrors?", "employed"),
    ("When are used cars bought back?", "purchased"), ("When does the branch schedule?", "timetable"), ("When are long calls fine?", "penalty"),
])  # fmt: skip
def test_a_word_in_another_role_keeps_its_place(question, odd):
    assert not any(odd in swapped(question, bytes([i])) for i in range(40))


def test_other_verbs_are_inflected_rightly():
    forms = {other for kinds in entries().values() for entry in kinds for other in entry.others}
    assert {"torn down", "set up", "shut", "referred to"} <= forms
    wrong = ("teared", "seted", "puted", "leted", "shuted", "splited", "stired", "swaped", "tiped", "scrubed", "sumed", "refered", "repayed", "shuting", "spliting")
    assert not [form for form in forms if form.split()[0] in wrong]


@pytest.mark.parametrize(("question", "kind", "value", "odd"), [
    ("What is the who takes care of Sunday dance?", "cell", "Ida Falk", "Can "), ("What is the each extra hour of Green?", "cell", "£4", "Can "),
    ("What is the topic of Morning?", "cell", "Heart massage", " have"), ("What is the extent of Diary 4?", "cell", "ten leaves", " have"),
    ("Where must the label hang?", "place", "on the valve", "which place"), ("How many hours do lessons last?", "measure", "two hours", "does"),
    ("How many hours does the battery last?", "measure", "two hours", "How long is"), ("How many times did the crew go out?", "count", "four", "number of times"),
    ("At what price is the damage put?", "money", "£400", "cost"), ("How high are the doors?", "measure", "2 m", "does"), ("What does the guide wear?", "object", "a red cap", "do the"),
])  # fmt: skip
def test_a_frame_suits_what_it_is_filled_with(question, kind, value, odd):
    assert not any(odd in frame for frame in reframed(question, kind, value))


def test_a_frame_is_kept_for_what_suits_it():
    assert "Can you give me the adult price of Linden?" in reframed("What is the adult price of Linden?", "cell", "£4")
    assert "Where exactly must the label hang?" in reframed("In what place must the label hang?", "place", "on the valve")
    assert "How many rooms has the Corrow Inn got?" in reframed("How many rooms does the Corrow Inn have?", "count", "four")


@pytest.mark.parametrize(("question", "odd"), [
    ("For what reason is the seat at the front kept for the youngest?", "stored"), ("Who or what photographs the gables?", "photos"), ("What does skate hire cost?", "rent"),
    ("What is the price per night of Linden?", "price a night"), ("By whom is the book kept on the ship?", "stored"), ("Which person receives parents in the library?", "gets"),
    ("What should you do if life is in danger?", "threat"), ("For how much may benches be donated?", "given away"), ("Where does the virus hide?", "conceal"), ("On which day may hunters enter to count the deer?", "go into"),
    ("What is the exception to the rule that dogs stay outside?", "regulation"),
])  # fmt: skip
def test_a_word_keeps_its_place_beside_what_changes_its_sense(question, odd):
    assert not any(odd in swapped(question, bytes([i])) for i in range(40))


@pytest.mark.parametrize(("question", "kind", "odd"), [
    ("Who is the lantern carried by?", "person", "called"), ("Where is the miller sitting?", "place", "find"), ("Where is a third paid?", "place", "find"),
    ("What are earplugs near the stage?", "definition", "mean"),
])  # fmt: skip
def test_a_passive_or_a_posture_is_no_post_and_no_thing_to_find(question, kind, odd):
    assert not any(odd in frame for frame in reframed(question, kind, "Ida Falk"))


def test_a_lead_asks_and_does_not_state():
    fact = next(f for f in find_facts(PASSAGES[0]) if f.kind == "money")
    put = [p for i in range(99) for p in paraphrases("Can you tell me how much a lost card costs?", fact, bytes([i]))]
    assert put and not any(p.startswith(("I wonder", "I need")) for p in put)
