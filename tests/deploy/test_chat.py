"""The chat: passages found, the reply in pieces, quotes marked, refusals named, earlier turns as far as they fit."""

import io
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import lib.deploy.serve as serve
from lib.deploy import chat, panel
from lib.deploy.passages import Passages, find_quote, split_quotes
from lib.deploy.show import REFUSED, as_html, as_text, source_of
from lib.deploy.talk import Talk, allows_turns, read_turn
from lib.eval.retrieve import retrieve
from lib.llm import Format, Role
from lib.llm.search import Search
from lib.run import BadInput, read_json, write_json, write_jsonl
from lib.run.supervise import process_start

from .fakes import ANSWERING, write_run

CHUNKS = [
    {"chunk_id": "a", "title": "Café", "section": "Hours", "page": 2, "text": "The café opens\n at 8:30. It closes at nine.", "n_tokens": 12},
    {"chunk_id": "b", "title": "Harbour", "section": "", "page": None, "text": "A boat pays 12 crowns. <b>Cash</b> only.", "n_tokens": 12},
    {"chunk_id": "c", "title": "Museum", "section": "", "page": None, "text": "The museum is free. It has a garden.", "n_tokens": 12},
]  # fmt: skip


class Letters:
    """An embedder that counts letters."""

    role = SimpleNamespace(identity="letters")

    def embed(self, texts):
        counts = np.array([[text.casefold().count(letter) + 0.01 for letter in "abcdefghilmnoprstuwyé0123456789"] for text in texts], dtype=np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)


PASSAGES = Passages(CHUNKS, lambda: Search(CHUNKS, "bm25"))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A finished run whose server is the fake one."""
    runs = tmp_path / "runs" / "toy"
    write_run(runs)
    write_jsonl(runs / "dataset" / "chunks.jsonl", CHUNKS)
    p = {"engine": "vllm", "student_model": str(runs / "base"), "systems": ["student"], "top_k": [2], "max_reply_tokens": 50, "keep_serving": True, "retriever": "bm25"}
    write_json(runs / "run.json", {"stand_ins": [], "parameters": {"1_gen": {"n_distractors": 1}, "3_deploy": p}, "stages": {}})
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


def test_a_run_that_is_not_there_is_one_line_with_those_that_are_and_a_damaged_one_is_named(folder, capsys):
    assert chat.main(["--run", "tay"]) == 2
    assert capsys.readouterr().err.strip() == "error: run tay: there is no runs/tay/run.json; runs: toy"
    (folder / "run.json").write_text('{"run": ')
    assert chat.main(["--run", "toy"]) == 2
    assert capsys.readouterr().err.startswith("error: runs/toy/run.json is damaged")


@pytest.fixture
def talk(folder):
    run = chat.FinishedRun(folder)
    serve.ensure_served(run, ["student"])
    yield chat.open_talk(run, "student")
    serve.stop_served(run)


def test_the_chat_searches_as_the_report_did_and_shows_as_many(folder, monkeypatch):
    def passages(**parameters):
        write_json(folder / "run.json", {"stand_ins": [], "parameters": {"1_gen": {"n_distractors": 1}, "3_deploy": served, **parameters}, "stages": {}})
        run = chat.FinishedRun(folder)
        serve.ensure_served(run, ["student"])
        talk = chat.open_talk(run, "student")
        return talk.top_k, len(talk.passages.find("When does the café open?", talk.top_k)), asked[-1:]

    served = {"engine": "vllm", "student_model": str(folder / "base"), "systems": ["student"], "top_k": [1, 3], "max_reply_tokens": 50, "retriever": "bm25"}
    asked, make = [], chat.Search
    monkeypatch.setattr(chat, "Search", lambda chunks, retriever, **how: asked.append((retriever, how["reranker"])) or make(chunks, "bm25"))
    monkeypatch.setattr(chat, "connect", lambda *_, **__: None)
    assert passages() == (3, 3, [("bm25", "")])  # training's 2 were not asked
    measured = {"retriever": "hybrid", "reranker": "folder", "top_k": [1, 2]}
    assert passages(**{"4_eval": measured}) == (2, 2, [("hybrid", "folder")])
    run = chat.FinishedRun(folder)
    with pytest.raises(BadInput, match="room for 2 passages.*found 3"):
        chat.open_talk(run, "student", top_k=3)
    serve.stop_served(run)


@pytest.mark.parametrize("retriever", ["bm25", "dense", "hybrid"])
def test_a_first_question_is_shown_what_4_eval_shows_and_by_the_same_index(retriever, tmp_path):
    embedder = Letters()
    questions = [{"id": f"q{i}", "question": text} for i, text in enumerate(["When does the café open?", "Is the museum free?", "12 crowns", "?"])]
    ranked = retrieve(CHUNKS, questions, retriever=retriever, embedder=embedder, cache=tmp_path)
    kept = sorted(tmp_path.iterdir())
    passages = Passages(CHUNKS, lambda: Search(CHUNKS, retriever, embedder=embedder, cache=tmp_path))
    for row in questions:
        assert [chunk["chunk_id"] for chunk in passages.find(row["question"], 2)] == ranked[row["id"]][:2]
    assert sorted(tmp_path.iterdir()) == kept != []


def test_a_reply_comes_in_pieces_and_its_turn_is_kept(talk):
    pieces = list(talk.ask("What does a boat pay?"))
    assert len(pieces) > 4
    assert "".join(pieces) == talk.turns[0].reply
    assert talk.turns[0].cited == [0]
    assert talk.turns[0].passages[0]["chunk_id"] == "b"
    assert not talk.remembers  # its rows are single questions, and so are 4_eval's


def test_a_server_that_dies_ends_the_chat_with_a_message_and_no_turn(talk, folder, capsys):
    serve.stop_process(read_json(folder / "serving" / "servers.json")["student"]["pid"])
    assert chat.converse(talk, ["What does a boat pay?"], colour=False) == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert talk.turns == []


def make_talk(context_tokens=4096, **changes):
    role = Role("student", "http://127.0.0.1:9/v1", "student")
    return Talk(role, Format(), PASSAGES, 1, context_tokens, **{"max_reply_tokens": 50, "remembers": True} | changes)


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


def test_earlier_turns_count_where_training_had_turns_or_a_person_asks_for_it(folder):
    run = chat.FinishedRun(folder)
    serve.ensure_served(run, ["student"])
    assert chat.open_talk(run, "student", remembers=True).remembers  # the fake's template shows earlier turns
    manifest = read_json(folder / "run.json")
    manifest["parameters"]["1_gen"]["recipe"] = "conversations"
    write_json(folder / "run.json", manifest)
    assert chat.open_talk(run, "student").remembers
    assert not chat.open_talk(run, "student", remembers=False).remembers
    serve.stop_served(run)


def test_a_section_that_begins_with_the_title_is_named_once():
    chunk = {"chunk_id": "a", "title": "Guide", "section": "Guide > Hours", "text": "", "page": None}
    assert source_of(chunk) == "Guide > Hours"
    assert source_of(chunk | {"section": "Hours", "page": 2}) == "Guide, Hours, page 2"


def test_a_completion_model_has_no_turns():
    assert not allows_turns(Role("student", "http://127.0.0.1:9/v1", "m", completion=True))
    request = make_talk().build_request("why?", [])
    assert request.prompt is None


def test_a_follow_up_finds_what_the_question_before_was_about():
    passages = PASSAGES
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


def test_a_student_whose_server_made_room_is_not_offered_in_the_notebook(folder, monkeypatch):
    monkeypatch.delenv("RAFT_OWNER_PID")
    write_json(folder / "serving" / "servers.json", {"student": {"engine": "vllm", "base_url": "http://127.0.0.1:1/v1", "model": "m", "pid": 1, "pid_start": -1}})
    assert "lib.deploy.chat --run toy" in panel.chat_panel(chat.FinishedRun(folder)).data


def test_fewer_passages_than_none_are_refused(talk, folder):
    with pytest.raises(BadInput, match="--top-k: expected 0 or more"):
        chat.open_talk(chat.FinishedRun(folder), "student", top_k=-1)
