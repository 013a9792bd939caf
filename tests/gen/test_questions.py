import dataclasses
import re
from types import SimpleNamespace

import pytest

from lib.gen import prompt, questions
from lib.gen.pairs import generate_pairs
from lib.gen.quota import Ask
from lib.gen.records import Drop, teacher_failed
from lib.gen.text import fingerprint
from lib.run import BadInput

from .corpus import make_chunk

CASES = {
    "a year before the question mark stays": ("When was it, in 2021?", ["When was it, in 2021?"]),
    "brackets and digits stay": ("How long is MV Corrie (2nd) [A-1]?", ["How long is MV Corrie (2nd) [A-1]?"]),
    "accents stay": ("Où est né Élie Façade à Zürich?", ["Où est né Élie Façade à Zürich?"]),
    "Chinese": ("1. 北京大学成立于哪一年？", ["北京大学成立于哪一年？"]),
    "Arabic": ("١ متى تأسست الجامعة؟", ["١ متى تأسست الجامعة؟"]),
    "Greek question mark": ("2) Πότε ιδρύθηκε το σχολείο;", ["Πότε ιδρύθηκε το σχολείο;"]),
    "Cyrillic": ("- Когда построили мост?", ["Когда построили мост?"]),
    "numbered list": ("1. Who is A?\n2. Who is B?\n10. Who is C?", ["Who is A?", "Who is B?", "Who is C?"]),
    "brackets as numbering": ("(1) Who is A?\n2) Who is B?", ["Who is A?", "Who is B?"]),
    "bullets and bold": ("* **Who is A?**\n- Who is B?", ["Who is A?", "Who is B?"]),
    "labels": ("Q1: Who is A?\nQuestion 2: Who is B?", ["Who is A?", "Who is B?"]),
    "a number that starts a question stays": ("3D printing started when?", ["3D printing started when?"]),
    "a decimal that starts a question stays": ("1.5 litres of what?", ["1.5 litres of what?"]),
    "preamble": ("Sure! Here are two questions:\n\n1. Who is A?\n2. Who is B?", ["Who is A?", "Who is B?"]),
    "numbered preamble": ("1. Questions:\nWho is A?", ["Who is A?"]),
    "closing remark": ("Who is A?\nI hope that these help.", ["Who is A?"]),
    "quotation marks around": ('"Who is A?"', ["Who is A?"]),
    "JSON object": ('{"questions": ["Who is A?", "Who is B?"]}', ["Who is A?", "Who is B?"]),
    "JSON list": ('["Who is A?"]', ["Who is A?"]),
    "JSON objects": ('[{"question": "Who is A?", "answer": "x"}]', ["Who is A?"]),
    "JSON in a fence": ('```json\n{"questions": ["Who is A?"]}\n```', ["Who is A?"]),
    "JSON after a preamble": ('Here you are:\n{"questions": ["Who is A?"]}', ["Who is A?"]),
    "list in a fence": ("```\n1. Who is A?\n```", ["Who is A?"]),
    "numbering inside JSON": ('["1. Who is A?", "2. Who is B?"]', ["Who is A?", "Who is B?"]),
    "a lone number inside JSON stays": ('["1. FC Köln was founded when?"]', ["1. FC Köln was founded when?"]),
    "escaped quotes": ('{"questions": ["What is a \\"skerry\\"?"]}', ['What is a "skerry"?']),
    "numbering with a Chinese comma": (
        "1、北京大学成立于哪一年？\n2、谁写了这本书？",
        ["北京大学成立于哪一年？", "谁写了这本书？"],
    ),
    "full-width numbering": ("１）誰が書きましたか？", ["誰が書きましたか？"]),
    "a list number inside a question stays": ("1. What is rule 1. of the club?", ["What is rule 1. of the club?"]),
    "an answer told after the question goes": (
        "1. Who is A? (Answer: B)\n2. Who is B? A: C",
        ["Who is A?", "Who is B?"],
    ),
    "JSON objects, one a line": ('{"question": "Who is A?"}\n{"question": "Who is B?"}', ["Who is A?", "Who is B?"]),
    "JSON with a comma too many": ('{"questions": ["Who is A?", "Who is B?",]}', ["Who is A?", "Who is B?"]),
    "thoughts before the list": ("<think>Should I ask who?\nWho is X?</think>\n1. Who is A?", ["Who is A?"]),
    "preamble, fence and closing remark": (
        'Of course.\n```json\n["Who is A?"]\n```\nLet me know if you need more!',
        ["Who is A?"],
    ),
    "brackets inside a question": ("1. What is [1] of A?\n2. Is p in [0, 1]?", ["What is [1] of A?", "Is p in [0, 1]?"]),
    "one pair of brackets in the reply": ("1. Is p in [0, 1]?\n2. Who is B?", ["Is p in [0, 1]?", "Who is B?"]),
    "empty braces inside a question": ("1. What is {} in Python?", ["What is {} in Python?"]),
    "JSON fields that count": ('{"question1": "Who is A?", "question2": "Who is B?"}', ["Who is A?", "Who is B?"]),
    "JSON of counted fields": ('{"questions": {"1": "Who is A?", "2": "Who is B?"}}', ["Who is A?", "Who is B?"]),
    "nothing": ("", []),
    "no question": ("I cannot help with that.", []),
    "JSON of another shape": ('{"error": "busy"}', []),
}


@pytest.mark.parametrize("case", CASES)
def test_questions_survive_parsing_whatever_their_wrapping_and_script(case):
    text, expected = CASES[case]
    assert questions.parse_questions(text) == expected


@pytest.mark.parametrize(
    "question",
    [
        "According to the passage, when did it open?",
        "What does the text say about dogs?",
        "When, based on the given document, does the ferry leave?",
        "Which ships are mentioned in this paragraph?",
        "What is described in the excerpt?",
        "Who is named in the passage?",
        "Laut dem Text, wann öffnet es?",
        "Selon le document, quand ouvre le musée?",
        "Según el texto, ¿cuándo abre?",
        "What is stated in the text above about dogs?",
        "Who is the author of the passage above?",
        "What does the author imply about tides?",
        "Which rule is mentioned above?",
        "What is this passage's main subject?",
        "What does document 3 say about fees?",
        "According to the provided information, who pays?",
        "Secondo il testo, quando apre?",
        "Согласно тексту, когда открылся мост?",
        "根据上文，北京大学成立于哪一年？",
        "本文によると、誰が書きましたか？",
    ],
)
def test_questions_that_lean_on_an_unseen_passage_are_caught(question):
    assert "passage" in questions.find_problem(question)


@pytest.mark.parametrize("question", ["When was it built?", "Who owns them now?", "What did he say?", "Why is this?"])
def test_questions_that_name_nothing_are_caught(question):
    assert questions.find_problem(question) == "does not name what it is about"


@pytest.mark.parametrize(
    "question",
    [
        "When was it that Margit Skene wrote her letter?",
        "How long does the ferry take on its way to Skarra Bay?",
        "What year did Aldern lose its mill?",
        "Which document must a visitor show at the gate of the museum?",
        "How wide is the passage between Little Murr and the skerry?",
        "What is the text on the memorial plaque in Kettle Haven?",
        "Which article of the constitution names the trustees?",
        "Who keeps the documents of the harbour office in 2024?",
    ],
)
def test_questions_about_real_passages_and_documents_are_not_caught(question):
    assert questions.find_problem(question) == ""


SAME = [
    ("When does it open on Monday?", "when does it OPEN  on monday"),
    ("In what year was the mill at Aldern built?", "What year was the Aldern mill built?"),
    ("For the museum, what is the fee?", "What is the fee for the museum, please?"),
    ("How many passengers does the ferry carry?", "How many passengers does the ferry carry exactly?"),
    ("北京大学成立于哪一年？", "北京大学成立于哪一年"),
]
DIFFERENT = [
    ("When was the mill at Aldern built?", "When was the mill at Birk built?"),
    ("What opened in 1998?", "What opened in 1999?"),
    ("Who represents Elspeth Quarrie?", "Who does Elspeth Quarrie represent?"),
    ("What does a ticket from Aldern to Birk cost?", "What does a ticket from Birk to Aldern cost?"),
    ("What must be done before landing?", "What must be done after landing?"),
    ("Which dogs may come in?", "Which dogs may not come in?"),
    ("When was the mill built?", "Where was the mill built?"),
    ("How wide is the port door?", "How wide is the starboard door?"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_near_copies_of_a_question_are_the_same_question(one, other):
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_questions_that_differ_in_a_name_number_or_direction_are_different(one, other):
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("ferry timetable winter\nTansy Rowe capacity", 2), ("Here are two queries:\n- ferry timetable winter", 1)],
)
def test_search_queries_need_no_question_mark(text, kept):
    assert len(questions.parse_questions(text, needs_mark=False)) == kept
    assert questions.find_problem("ferry timetable", style="search") == ""
    assert questions.find_problem("ferry timetable") == "fewer than three words"


def test_wishes_stand_behind_the_chunk_and_the_plain_request_has_none():
    chunk = make_chunk("A passage about the ferry.")
    plain = questions.build_request(chunk, 3).messages
    wished = questions.build_request(chunk, 3, style="search", difficulty="hard", language="French").messages
    assert wished[0] == plain[0]
    assert wished[1]["content"].startswith(plain[1]["content"] + "\n")
    assert "French" in wished[1]["content"]
    assert "search quer" in wished[1]["content"]
    hashes = {
        questions.made_with(*wish, "") for wish in (("default", "", ""), ("search", "", ""), ("default", "hard", ""))
    }
    assert len(hashes) == 3


def test_without_structured_output_the_same_prompt_goes_without_a_schema():
    chunk = make_chunk("A passage about the ferry.")
    plain, free = questions.build_request(chunk, 3), questions.build_request(chunk, 3, structured=False)
    assert plain.messages == free.messages
    assert plain.response_format
    assert free.response_format is None


def _ask(teacher, chunks, replies, n, taken=()):
    """Questions and drops of a teacher that asks `replies` in turn, and answers each question with the whole passage."""
    replies = iter(replies)

    def mend(request, text):
        if request.response_format:
            return next(replies)
        passage = request.messages[1]["content"].partition("<DOCUMENT>")[2].partition("</DOCUMENT>")[0].strip()
        return f"##begin_quote##{passage}##end_quote##\n<ANSWER>: {passage}"

    made = generate_pairs([Ask(chunk, n) for chunk in chunks], teacher(mend), taken=taken)
    return made.questions, made.dropped


def test_the_same_question_is_kept_once_however_it_is_written(teacher):
    replies = ['["When does it open on Monday?"]', '["when does it OPEN  on monday", "Who keeps the key of A?"]']
    chunks = [make_chunk("One passage about something."), make_chunk("Another passage about it.")]
    kept, dropped = _ask(teacher, chunks, replies, 3)
    assert [q.question for q in kept] == ["When does it open on Monday?", "Who keeps the key of A?"]
    assert [d.reason for d in dropped] == ["asked before"]


def test_a_question_of_the_eval_set_is_not_trained_on(teacher):
    replies = ['["When does it open on Monday?", "Who keeps the key of A?"]']
    taken = ["When does it open on Monday ?"]
    kept, dropped = _ask(teacher, [make_chunk("A passage.")], replies, 3, taken)
    assert [q.question for q in kept] == ["Who keeps the key of A?"]
    assert [d.reason for d in dropped] == ["stands in the eval set"]


def test_every_question_of_every_reply_is_kept_or_dropped_with_a_reason(teacher):
    replies = ['["Who is the first one?", "Who?", "Who is the second one?"]', "no idea", ""]
    chunks = [make_chunk(f"A passage about {i} things.") for i in range(3)]
    kept, dropped = _ask(teacher, chunks, replies, 2)
    assert [q.question for q in kept] == ["Who is the first one?"]
    assert [(d.stage, d.reason) for d in dropped] == [
        ("question", "fewer than three words"),
        ("question", "more than asked for"),
        ("ask", "no question in the reply"),
        ("ask", "no question in the reply"),
    ]


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [("finish_reason", "length", "cut off"), ("error", "content filter", "endpoint error")],
)
def test_a_reply_that_failed_gives_no_question(teacher, field, value, reason):
    fake = teacher()
    good = fake._reply
    bad_chunk, good_chunk = (
        make_chunk("A bad passage about one thing."),
        make_chunk("A good passage about another thing."),
    )

    def reply(request):
        made = good(request)
        return SimpleNamespace(**{**vars(made), field: value}) if "bad" in request.messages[1]["content"] else made

    fake._reply = reply
    made = generate_pairs([Ask(bad_chunk, 2), Ask(good_chunk, 2)], fake)
    assert {q.chunk_id for q in made.questions} == {good_chunk.chunk_id}
    assert [d.reason for d in made.dropped] == [reason]


def test_no_usable_question_at_all_is_one_clear_line(teacher):
    with pytest.raises(
        BadInput, match="no usable question for 1 chunks; 1 of 1 dropped as: no question in the reply .*Hello"
    ):
        generate_pairs([Ask(make_chunk("A passage."), 2)], teacher(lambda *_: "Hello"))


@pytest.mark.parametrize(
    ("stage", "reason", "advice"),
    [
        ("ask", "no question in the reply", "take a teacher that follows instructions better: .*TEACHER_LOCAL_MODEL"),
        ("answer", "cut off", "does not think aloud at length"),
        ("answer", "endpoint error", "mend what its endpoint says"),
        ("question", "cannot stand alone", r"\(for example 'the reply'\)$"),
    ],
)
def test_a_teacher_whose_replies_are_of_no_use_is_told_with_a_reply_and_what_to_do(stage, reason, advice):
    drops = [Drop("answer", "quote not in the document", "0", "a.md", "q"), *[Drop(stage, reason, str(i), "a.md", "q", "the reply") for i in range(3)]]
    assert re.search(f"teacher: nothing; 3 of 4 dropped as: {reason} .*'the reply'.*", line := str(teacher_failed("nothing", drops)))
    assert re.search(advice, line) and "\n" not in line


def test_a_change_of_chunk_prompt_or_number_changes_the_request(monkeypatch, tmp_path):
    chunk = make_chunk("A passage about {n} and {chunk}.")
    before = questions.build_request(chunk, 3).body()
    assert "A passage about {n} and {chunk}." in before["messages"][1]["content"]
    assert questions.build_request(chunk, 3).body() == before
    assert questions.build_request(chunk, 4).body() != before
    assert questions.build_request(dataclasses.replace(chunk, text="Another."), 3).body() != before
    for name in ("questions", "answer", "repair", "system"):
        (tmp_path / f"{name}.txt").write_text(
            prompt.read_prompt(name).replace("questions", "riddles"), encoding="utf-8"
        )
    made = prompt.prompt_hash("questions")
    monkeypatch.setattr(prompt, "FOLDER", tmp_path)
    assert questions.build_request(chunk, 3).body() != before
    assert prompt.prompt_hash("questions") != made
