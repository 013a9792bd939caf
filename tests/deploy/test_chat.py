"""The chat: passages found, the reply in pieces, quotes marked, refusals named, earlier turns as far as they fit."""

import io
import os
import sys
from pathlib import Path

import pytest

import lib.deploy.serve as serve
from lib.deploy import chat, panel
from lib.deploy.passages import Passages, find_quote, split_quotes
from lib.deploy.show import REFUSED, as_html, as_text
from lib.deploy.talk import Talk, allows_turns, read_turn
from lib.llm import Format, Role
from lib.run import read_json, write_json, write_jsonl
from lib.run.supervise import process_start

from .fakes import ANSWERING, write_run

CHUNKS = [
    {"chunk_id": "a", "title": "Café", "section": "Hours", "page": 2, "text": "The café opens\n at 8:30. It closes at nine.", "n_tokens": 12},
    {"chunk_id": "b", "title": "Harbour", "section": "", "page": None, "text": "A boat pays 12 crowns. <b>Cash</b> only.", "n_tokens": 12},
    {"chunk_id": "c", "title": "Museum", "section": "", "page": None, "text": "The museum is free. It has a garden.", "n_tokens": 12},
]  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A finished run whose server is the fake one."""
    runs = tmp_path / "runs" / "toy"
    write_run(runs)
    write_jsonl(runs / "dataset" / "chunks.jsonl", CHUNKS)
    p = {"engine": "vllm", "student_model": str(runs / "base"), "systems": ["student"], "top_k": [2], "max_reply_tokens": 50, "keep_serving": True}
    write_json(runs / "run.json", {"parameters": {"1_gen": {"n_distractors": 1}, "3_deploy": p}})
    monkeypatch.setattr(serve, "SERVER_PYTHON", Path(sys.executable))
    monkeypatch.setattr(serve, "build_command", lambda server, **_: [sys.executable, "-c", ANSWERING, str(server.port), "0"])
    monkeypatch.setenv("RAFT_OWNER_PID", str(os.getpid()))
    monkeypatch.chdir(tmp_path)
    return runs


def test_the_command_answers_cites_refuses_and_leaves_no_server(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("When does the café open?\n\n/show\n/new\n/quit\nnever asked\n"))
    assert chat.main(["--run", "toy"]) == 0
    said = capsys.readouterr().out
    assert "Answer: The café opens\n at 8:30" in said
    assert "[1] Café, Hours, page 2\n    »The café opens at 8:30.« It closes at nine." in said
    assert "also shown: [2] " in said
    assert "never asked" not in said
    assert process_start(read_json(folder / "serving" / "servers.json")["student"]["pid"]) is None


def test_a_run_that_is_not_there_is_one_line_with_those_that_are(folder, capsys):
    assert chat.main(["--run", "tay"]) == 2
    assert capsys.readouterr().err.strip() == "error: run tay: there is no runs/tay/run.json; runs: toy"


@pytest.fixture
def talk(folder):
    run = chat.FinishedRun(folder)
    serve.ensure_served(run, ["student"])
    yield chat.open_talk(run, "student")
    serve.stop_served(run)


def test_a_reply_comes_in_pieces_and_its_turn_is_kept(talk):
    pieces = list(talk.ask("What does a boat pay?"))
    assert len(pieces) > 4
    assert "".join(pieces) == talk.turns[0].reply
    assert talk.turns[0].cited == [0]
    assert talk.turns[0].passages[0]["chunk_id"] == "b"
    assert talk.remembers  # the fake's template shows earlier turns


def test_a_server_that_dies_ends_the_chat_with_a_message_and_no_turn(talk, folder, capsys):
    serve.stop_process(read_json(folder / "serving" / "servers.json")["student"]["pid"])
    assert chat.converse(talk, ["What does a boat pay?"], colour=False) == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert talk.turns == []


def make_talk(context_tokens=4096, **changes):
    role = Role("student", "http://127.0.0.1:9/v1", "student")
    return Talk(role, Format(), Passages(CHUNKS), 1, context_tokens, **{"max_reply_tokens": 50, "remembers": True} | changes)


def test_earlier_turns_are_sent_without_their_passages_the_oldest_dropped_first():
    talk = make_talk()
    talk.turns = [read_turn(f"question {i}", "reply " * 100, CHUNKS, Format()) for i in range(3)]
    contents = [m["content"] for m in talk.build_request("and now?", CHUNKS[:1]).messages]
    assert [c for c in contents if c.startswith("question")] == ["question 0", "question 1", "question 2"]
    assert sum("<DOCUMENT>" in c for c in contents) == 1
    talk.context_tokens = 82 + 800
    contents = [m["content"] for m in talk.build_request("and now?", CHUNKS[:1]).messages]
    assert [c for c in contents if c.startswith("question")] == ["question 1", "question 2"]
    talk.context_tokens = 10  # not even the question fits: it is asked all the same, and the server says so
    assert len(talk.build_request("and now?", CHUNKS[:1]).messages) == 1
    talk.remembers, talk.context_tokens = False, 4096
    assert len(talk.build_request("and now?", CHUNKS[:1]).messages) == 1


def test_a_completion_model_has_no_turns():
    assert not allows_turns(Role("student", "http://127.0.0.1:9/v1", "m", completion=True))
    request = make_talk().build_request("why?", [])
    assert request.prompt is None


def test_a_follow_up_finds_what_the_question_before_was_about():
    passages = Passages(CHUNKS)
    assert passages.find("And when does it close?", 1, "When does the café open?")[0]["chunk_id"] == "a"
    assert passages.find("Is the museum free?", 1, "When does the café open?")[0]["chunk_id"] == "c"


def test_quotes_are_found_across_line_breaks_and_pieces_make_the_passage_again():
    text = CHUNKS[0]["text"]
    assert find_quote(text, "café opens at 8:30") is not None
    assert find_quote(text, "café opens at 9:30") is None
    assert find_quote(text, "") is None
    pieces = split_quotes(text, ["The café opens at 8:30.", "opens at", "closes at nine."])
    assert "".join(piece for piece, _ in pieces) == text
    assert [" ".join(piece.split()) for piece, quoted in pieces if quoted] == ["The café opens at 8:30.", "closes at nine."]


def test_refusals_and_quotes_from_nowhere_are_marked_and_markup_stays_text():
    refused = read_turn("q", f"<ANSWER>: {Format().refusal}", CHUNKS[:1], Format())
    assert as_text(refused, colour=False).startswith(f"[{REFUSED}]")
    assert REFUSED in as_html(refused)
    invented = read_turn("q", "##begin_quote##made up##end_quote## <ANSWER>: <script>x</script>", CHUNKS[1:2], Format())
    assert 'not in any passage shown: "made up"' in as_text(invented, colour=False)
    assert "<script>" not in as_html(invented)
    assert "<b>Cash" not in as_html(invented)


def test_the_panel_asks_when_a_line_is_entered_and_shows_the_answer(talk):
    box = panel.build_panel(talk)
    line, shown = box.children[0].children[0], box.children[1]
    assert shown.value == ""
    line.value = "What does a boat pay?"
    assert "<mark>A boat pays 12 crowns.</mark>" in shown.value
    assert (line.value, line.disabled) == ("", False)
    box.children[0].children[1].click()
    assert (shown.value, talk.turns) == ("", [])


def test_headless_the_panel_is_a_line_of_text(folder):
    made = panel.chat_panel(chat.FinishedRun(folder))
    assert "python -m lib.deploy.chat --run toy" in made.data
