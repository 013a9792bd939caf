import random
import warnings
from dataclasses import replace
from types import SimpleNamespace

import pytest

from lib.gen import answers, conversations, curate, prompt, questions, recipes, summaries
from lib.gen.records import API, Question
from lib.run import BadInput

from .corpus import make_answer, make_chunk

CHUNK = make_chunk("The mill at Aldern closed on 4 May 1931.")
QUESTION = Question("q", CHUNK.chunk_id, "When did the mill at Aldern close?", "t", "0")


def test_a_users_prompt_goes_before_the_shipped_one_and_changes_its_own_requests_only(tmp_path):
    folder = str(tmp_path)
    (tmp_path / "questions.txt").write_text(
        "Ask riddles.\n---\n<DOCUMENT>{chunk}</DOCUMENT>\nWrite {n} questions.", encoding="utf-8"
    )
    asked = questions.build_request(CHUNK, 3, folder=folder)
    assert asked.messages[0]["content"] == "Ask riddles."
    assert asked.messages[1]["content"].endswith("</DOCUMENT>\nWrite 3 questions.")
    assert asked.body() != questions.build_request(CHUNK, 3).body()
    assert answers.build_request(QUESTION, CHUNK, folder=folder).body() == answers.build_request(QUESTION, CHUNK).body()
    assert prompt.prompt_hash("questions", folder=folder) != prompt.prompt_hash("questions")
    assert prompt.prompt_hash("answer", folder=folder) == prompt.prompt_hash("answer")
    prompt.check_prompts(folder)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("system", " \n", "system.txt lacks any text"),
        ("question", "x", "nothing reads .*question.txt; did you mean questions.txt"),
        ("questions", "Ask.\n---\n{chunk}", "questions.txt lacks {n}"),
        ("questions", "Ask about {chunk}, {n} times.", "lacks a line '---'"),
        ("repair", "Again!", "repair.txt lacks {problem}"),
    ],
)
def test_a_prompt_file_that_would_do_nothing_or_lacks_a_place_is_refused(tmp_path, name, text, message):
    (tmp_path / f"{name}.txt").write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        prompt.check_prompts(str(tmp_path))


def everything_asked(folder):
    """Every request of 1_gen, and every text that its rows are told."""
    chains = [answers.answer_chain([QUESTION], replace(CHUNK, type=kind), recipe=recipe, folder=folder) for kind, recipe in ANSWERED]
    bad = SimpleNamespace(text="No tag.", error=None, finish_reason="stop")
    for chain in chains:
        yield [request.body() for request in next(chain)]
        yield [request.body() for request in chain.send([bad])]
    wishes = [("default", ""), ("api", ""), ("search", ""), ("conversational", ""), ("mixed", ""), ("default", "easy"), ("default", "hard")]
    for style, difficulty in wishes:
        wish = {"style": style, "difficulty": difficulty, "language": "Welsh", "folder": folder}
        yield questions.build_request(CHUNK, 3, **wish).body()
        yield questions.made_with(**wish)
    yield curate.build_request(make_answer(CHUNK, "When?", "1931", "closed on 4 May 1931"), CHUNK, folder=folder).body()
    yield [request.body() for request in next(conversations.conversation_chain(CHUNK, "m", folder=folder))]
    yield [request.body() for request in next(summaries.summary_chain(CHUNK, "Sum up.", "m", folder=folder))]
    yield summaries.deal_instructions(8, random.Random(1), folder)
    yield [recipes.row_system_prompt({"recipe": name, "system_prompt": "default", "prompts_dir": folder}) for name in recipes.RECIPES]


ANSWERED = (("general", "raft"), ("general", "qa"), (API, "raft"))


@pytest.mark.parametrize("name", sorted(prompt.known_prompts()))
def test_a_change_of_any_prompt_changes_what_is_asked_so_that_no_old_reply_is_taken_for_the_new(tmp_path, name):
    before = list(everything_asked(""))
    assert list(everything_asked(str(tmp_path))) == before
    (tmp_path / f"{name}.txt").write_text(f"Mind the tide.\n{prompt.read_prompt(name)}", encoding="utf-8")
    after = list(everything_asked(str(tmp_path)))
    changed = [new for old, new in zip(before, after, strict=True) if new != old]
    assert any("Mind the tide." in str(new) for new in changed) and len(changed) < len(before)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_prompt_saved_by_another_editor_is_the_same_prompt(tmp_path, encoding):
    text = "Stelle Fragen über die Mühle.\n---\n<DOCUMENT>{chunk}</DOCUMENT>\nSchreibe {n} größere Fragen."
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an encoding that had to be guessed
        (tmp_path / "questions.txt").write_bytes(text.replace("\n", "\r\n").encode(encoding))
        prompt.check_prompts(str(tmp_path))
        assert "\n---\n".join(prompt.read_parts("questions", str(tmp_path))) == text
        (tmp_path / "system.txt").write_bytes(" Sei kurz.\r\nSei höflich.\r\n".encode(encoding))
        assert prompt.system_prompt(str(tmp_path / "system.txt")) == "Sei kurz.\nSei höflich."


def test_an_absent_folder_is_refused_and_no_folder_is_fine():
    prompt.check_prompts("")
    with pytest.raises(BadInput, match="prompts_dir: expected a folder"):
        prompt.check_prompts("absent")


def test_every_shipped_prompt_has_its_places():
    for name in prompt.known_prompts():
        text = prompt.read_prompt(name)
        assert text
        assert all(f"{{{place}}}" in text for place in prompt.PLACES.get(name, ())), name


def test_whatever_a_document_holds_fills_its_place_and_no_other():
    sly = make_chunk("A passage with {n}, {question} and {refusal}.")
    assert "with {n}, {question} and {refusal}." in questions.build_request(sly, 3).messages[1]["content"]
    answer = make_answer(sly, "What is {chunk}?", "{answer}", "A passage")
    said = curate.build_request(answer, sly).messages[1]["content"]
    assert "<QUESTION>What is {chunk}?</QUESTION>" in said
    assert "<CANDIDATE>{answer}</CANDIDATE>" in said
