import json
import random
from dataclasses import replace
from types import SimpleNamespace

import pytest

from lib.finetune.hosted.plan import conversation_rows
from lib.gen import conversations, recipes, rows, summaries
from lib.gen.chains import run_chains
from lib.gen.convert import read_raft, write_as
from lib.gen.funnel import build_funnel
from lib.gen.records import Answer, Drop, Example, Question
from lib.llm.raft import REFUSAL, Format
from lib.run import BadInput

from .corpus import make_chunk

RECORDS = [
    {"id": "a", "conversations": [
        {"from": "human", "value": "What is a tide table for?"}, {"from": "gpt", "value": "an old reply"},
        {"from": "human", "value": "And who prints it?"},
    ]},
    {"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Write about ropes."}]},
    {"prompt": "Name three knots."},
    "One turn as a text.",
]  # fmt: skip


class Talker:
    """Says what it was told last and how many messages it saw."""

    role = SimpleNamespace(model="fake", stand_in=True, identity="fake")

    def __init__(self, bad=lambda request: None):
        self.bad, self.asked, self.turns = bad, [], []

    def ask(self, requests, label=""):
        """Replies in order."""
        self.asked += requests
        self.turns.append(len(requests))
        return [self.bad(r) or _reply(f"{len(r.messages)}: {r.messages[-1]['content']}") for r in requests]


def _reply(text, error=None, finish="stop"):
    return SimpleNamespace(text=text, error=error, finish_reason=finish)


def _file(tmp_path, records, name="talk.jsonl"):
    path = tmp_path / name
    lines = [r if isinstance(r, str) and r.startswith("!") else json.dumps(r) for r in records]
    path.write_text(json.dumps(records) if name.endswith(".json") else "\n".join(lines), encoding="utf-8")
    return path


def _read(path):
    documents, dropped = conversations.read_conversations(path)
    return conversations.keep_whole(documents, len), dropped


def _answered(chunks, talker=None):
    talker = talker or Talker()
    chains = [conversations.conversation_chain(chunk, "fake") for chunk in chunks]
    return run_chains(talker, chains, ("replies",)), talker


@pytest.mark.parametrize("name", ["talk.json", "talk.jsonl"])
def test_human_turns_are_read_from_json_and_jsonl_and_old_replies_are_not(tmp_path, name):
    chunks, dropped = _read(_file(tmp_path, RECORDS, name))
    assert [conversations.turns_of(chunk) for chunk in chunks] == [
        ["What is a tide table for?", "And who prints it?"],
        ["Write about ropes."],
        ["Name three knots."],
        ["One turn as a text."],
    ]
    assert not dropped
    assert len({chunk.chunk_id for chunk in chunks}) == 4


def test_an_instruction_keeps_what_it_is_about(tmp_path):
    records = [{"instruction": "Sum this up.", "input": "A long tale.", "output": "x"}, {"instruction": "Sing.", "input": ""}]
    chunks, _ = _read(_file(tmp_path, records))
    assert [conversations.turns_of(chunk) for chunk in chunks] == [["Sum this up.\n\nA long tale."], ["Sing."]]


PAIRS = [
    {"conversation": [{"human": "Who keeps the light?", "assistant": "x"}, {"human": "Since when?", "gpt": "y"}]},
    {"user": "Name a bird.", "assistant": "A tern."},
    {"prompt": "Name a fish.", "response": "A ling."},
    {"messages": [{"role": "prompter", "content": "Name a boat."}, {"role": "assistant", "content": "Ada"}]},
    ["Where is the quay?", "And the pier?"],
]


def test_pairs_named_by_who_speaks_are_read_and_a_plan_counts_what_1_gen_would_answer(tmp_path):
    path = _file(tmp_path, [*RECORDS, *PAIRS, {"other": 1}, PAIRS[1]])
    chunks, dropped = _read(path)
    assert [conversations.turns_of(chunk) for chunk in chunks[4:]] == [
        ["Who keeps the light?", "Since when?"],
        *(["Name a bird."], ["Name a fish."], ["Name a boat."]),
        ["Where is the quay?", "And the pier?"],
    ]
    assert len(dropped) == 2
    turns, length, _ = conversation_rows(path)
    assert turns == sum(len(conversations.turns_of(chunk)) for chunk in chunks)
    assert 500 < length < 520
    with pytest.raises(BadInput, match="conversations: no conversation in .*#1: expected conversations, .*found other"):
        conversation_rows(_file(tmp_path, [{"other": 1}]))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ("!not json", "not JSON (Expecting value)"),
        ({"conversations": [{"from": "gpt", "value": "hello"}]}, "no human turn"),
        ({"conversations": [{"from": "human", "value": "  "}]}, "an empty human turn"),
        ({"conversations": [{"from": "alien", "value": "x"}]}, "a turn of unknown origin 'alien'"),
        ({"conversations": [{"from": "human"}]}, "a turn without text"),
        ({"conversations": "hello"}, None),
        (
            {"other": 1},
            "expected conversations, conversation, messages, turns, or one turn as instruction, prompt, question, text, human, user, "
            "prompter; found other",
        ),
        (
            {"messages": [{"speaker": "A", "says": "x"}]},
            "expected turns like {'from': 'human', 'value': …}, {'role': 'user', 'content': …} or {'human': …, 'assistant': …}; "
            "found says, speaker",
        ),
        ({"conversations": {"from": "human"}}, "expected a list of turns, found dict"),
        ("One turn as a text.", "copy of another conversation"),
    ],
)
def test_a_record_that_cannot_be_used_is_a_row_with_its_reason(tmp_path, record, reason):
    chunks, dropped = _read(_file(tmp_path, [*RECORDS, record]))
    assert [drop.reason for drop in dropped] == ([reason] if reason else [])
    assert len(chunks) == (4 if reason else 5)


def test_a_file_without_conversations_is_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match="no conversation in .*line 1: not JSON"):
        conversations.read_conversations(_file(tmp_path, ["!nothing"]))
    with pytest.raises(BadInput, match="expected a file ending in"):
        conversations.read_conversations(tmp_path / "absent.json")


def test_every_turn_is_answered_with_the_history_of_the_teachers_own_replies(tmp_path):
    chunks, _ = _read(_file(tmp_path, RECORDS))
    made, talker = _answered(chunks)
    first, second = (answer for _, answer in made[0])
    assert second.question.history == ("What is a tide table for?", first.cot_answer)
    sent = talker.asked[-1].messages
    assert [m["role"] for m in sent] == ["system", "user", "assistant", "user"]
    assert sent[2]["content"] == first.cot_answer
    assert talker.turns == [4, 1]  # conversations run side by side, turn by turn


def test_a_turn_that_fails_ends_its_conversation_and_keeps_what_came_before(tmp_path):
    turns = [{"from": "human", "value": f"Turn number {i}"} for i in range(4)]
    chunks, _ = _read(_file(tmp_path, [{"conversations": turns}]))
    bad = lambda r: _reply("", finish="length") if r.messages[-1]["content"] == "Turn number 2" else None  # noqa: E731
    [made], talker = _answered(chunks, Talker(bad))
    assert [type(held) for _, held in made] == [Answer, Answer, Drop]
    assert made[-1][1].reason == "cut off"
    assert "1 turns after it were not asked" in made[-1][1].detail
    assert len(talker.asked) == 3


def test_what_a_teacher_thinks_aloud_is_learnt_by_nobody(tmp_path):
    chunks, _ = _read(_file(tmp_path, RECORDS[:1]))
    think = lambda r: _reply(f"<think>Hm, {len(r.messages)}?</think>\nReply to {r.messages[-1]['content']}")  # noqa: E731
    [made], talker = _answered(chunks, Talker(think))
    assert [held.cot_answer for _, held in made] == ["Reply to What is a tide table for?", "Reply to And who prints it?"]
    assert "<think>" not in str(talker.asked[-1].messages)
    [[(_, dropped)]], _ = _answered(chunks, Talker(lambda r: _reply("<think>Hm.</think>\n")))
    assert dropped.reason == "empty reply"
    text = "The harbour was begun in 1904 with stone from a quarry above the bay."
    chain = summaries.summary_chain(make_chunk(SECTION), "Summarise this text.", "fake")
    next(chain)
    with pytest.raises(StopIteration) as end:
        chain.send([_reply(f"Perhaps 1905? No.</think>\n\n{text}")])
    assert end.value.value[0][1].cot_answer == text


def _examples(tmp_path):
    chunks, _ = _read(_file(tmp_path, RECORDS))
    chunks = [type(c)(**{**vars(c), "split": "train"}) for c in chunks]
    made, _ = _answered(chunks)
    answers = [answer for result in made for _, answer in result]
    return rows.talk_examples(answers, {c.chunk_id: c for c in chunks})


def test_each_turn_is_learnt_once_with_its_history_as_the_prompt(tmp_path):
    examples = _examples(tmp_path)
    chat = [rows.talk_row(example, Format()) for example in examples]
    assert [len(row["messages"]) for row in chat] == [2, 4, 2, 2, 2]
    assert all(row["messages"][-1]["role"] == "assistant" for row in chat)
    assert chat[1]["messages"][:2] == chat[0]["messages"]
    text = rows.talk_row(examples[1], Format("completion"))
    assert text["prompt"].startswith("[INST] What is a tide table for? [/INST] ")
    assert text["prompt"].endswith("[INST] And who prints it? [/INST]")


def test_the_text_file_has_every_conversation_once_and_whole(tmp_path):
    examples = _examples(tmp_path)
    files = rows.own_files("conversations", examples)
    assert [row["text"].count("[INST]") for row in files["text.jsonl"]] == [2, 1, 1, 1]
    first = files["text.jsonl"][0]["text"]
    row = rows.talk_row(examples[1], Format("completion"))
    assert first == row["prompt"] + row["completion"]
    assert files["conversations.jsonl"][0]["messages"] == rows.talk_row(examples[1], Format())["messages"]
    assert files["text_valid.jsonl"] == []


SECTION = "The harbour was begun in 1904. " + "Stone came from the quarry above the bay by a tramway of its own. " * 20


@pytest.mark.parametrize(
    ("summary", "problem"),
    [
        ("The harbour was begun in 1904 with stone from a quarry above the bay.", ""),
        (
            "Built in 1905, the harbour took its stone from a quarry above the bay.",
            "a number that the section does not hold",
        ),
        ("A harbour.", "a summary of fewer than eight words"),
        (SECTION[:-200], "a summary longer than 60% of its section"),
    ],
)
def test_a_summary_is_short_and_invents_no_number(summary, problem):
    assert summaries.find_problem(summary, SECTION) == problem


def test_a_summary_row_shows_its_section_and_asks_for_a_summary():
    chunk = make_chunk(SECTION)
    reply = _reply("The harbour was begun in 1904 with stone from a quarry above the bay.")
    chain = summaries.summary_chain(chunk, "Summarise this text.", "fake")
    [request] = chain.send(None)
    assert request.messages[1]["content"] == f"<DOCUMENT>{SECTION}</DOCUMENT>\nSummarise this text."
    with pytest.raises(StopIteration) as end:
        chain.send([reply])
    [(_, answer)] = end.value.value
    [example] = rows.talk_examples([answer], {chunk.chunk_id: chunk})
    row = rows.talk_row(example, Format("completion"))
    assert row["prompt"] == f"[INST] <DOCUMENT>{SECTION}</DOCUMENT>\nSummarise this text. [/INST]"
    assert row["completion"] == f" {reply.text}"


@pytest.mark.parametrize("system", ["none", "default"])
@pytest.mark.parametrize("form", ["chat", "completion"])
def test_a_student_of_summaries_is_asked_as_it_was_trained_and_its_rows_convert(form, system):
    p = {"recipe": "summaries", "dataset_format": form, "system_prompt": system, "prompts_dir": "", "completion_stop": ""}
    made = replace(recipes.build_form(p, [REFUSAL]), system_prompt="" if system == "none" else "Be brief.")
    chunk, question = make_chunk(SECTION), Question("q", "c", "Sum this up.", "m", "0", summaries.SUMMARY)
    row = rows.talk_row(Example(summaries.SUMMARY, question, chunk, (chunk,), "It is.", "It is.", "train"), made)
    asked = {"messages": made.messages([SECTION], "Sum this up.")} if form == "chat" else {"prompt": made.prompt([SECTION], "Sum this up.")}
    assert row.get("prompt", row.get("messages", [])[:-1]) == next(iter(asked.values()))
    [back] = write_as(read_raft([row]), "eval")
    assert (back["question"], back["answer"], back["context"]) == ("Sum this up.", "It is.", f"<DOCUMENT>{SECTION}</DOCUMENT>")


def test_a_completion_of_several_turns_is_no_question_and_answer():
    with pytest.raises(BadInput, match="row 1: expected one question and one answer, found several turns in `prompt`"):
        list(read_raft([{"prompt": "[INST] a [/INST] b [INST] c [/INST]", "completion": " d"}]))


@pytest.mark.parametrize("p", [0.2, 0.5, 0.75, 1.0])
def test_summaries_and_conversations_are_mixed_in_their_share_and_as_many_as_there_are(p):
    n_sections, n_talks = recipes.balance(40, 30, p)
    assert abs(n_sections - p * (n_sections + n_talks)) <= 1
    assert n_sections >= 39 or n_talks >= 29 or p == 1.0
    assert n_sections <= 40
    assert n_talks <= 30


def test_sections_and_conversations_left_out_of_a_mix_are_counted_where_chunks_are():
    sections = [make_chunk(f"{SECTION} Part {i}.") for i in range(8)] + [make_chunk("Too short.")]
    talks = [replace(make_chunk(f"Turn {i}"), type=conversations.CONVERSATION) for i in range(3)]
    chosen, dropped = recipes.choose_passages({"recipe": "summaries", "p_summaries": 0.5}, [*sections, *talks], random.Random(1))
    assert (len(chosen), len(dropped)) == (6, 6)
    counts = {"documents": 12, "chunks": len(chosen), "asked": len(chosen), "questions": 6, "answers": 6}
    steps = {step.name: step for step in build_funnel(**counts, drops=dropped)}
    assert steps["chunks"].came == 12
    assert steps["chunks with a question"].came == steps["chunks"].kept == steps["chunks with a question"].kept == 6
