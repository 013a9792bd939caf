"""The RAFT format: what is asked is what was trained, and every reply is taken apart where it should be."""

import pytest

from lib.llm.raft import REFUSAL, Format, build_instruction, parse_reply


@pytest.mark.parametrize(
    ("reply", "answer", "has_tag", "refused"),
    [
        ("The documents say: ##begin_quote##It is 8K.##end_quote##\n<ANSWER>: 8K", "8K", True, False),
        ("reasoning <ANSWER>:8K", "8K", True, False),
        ("<ANSWER>:\n8K\n", "8K", True, False),
        ("<ANSWER>: 7K, no: <ANSWER>: 8K", "8K", True, False),
        ("**<ANSWER>: 8K**", "8K", True, False),
        ("It is 8K.", "It is 8K.", False, False),
        ("", "", False, False),
        ("##begin_quote##It is 8K.##end_quote##", "It is 8K.", False, False),
        ("<ANSWER>: 八千", "八千", True, False),
        (REFUSAL, REFUSAL, False, True),
        ("<ANSWER>: " + REFUSAL, REFUSAL, True, True),
        ("I cannot find that in the text.", "I cannot find that in the text.", False, True),
        ("The documents don’t mention a fee.", "The documents don’t mention a fee.", False, True),
        ("The rule says you cannot park.\n<ANSWER>: No parking", "No parking", True, False),
    ],
)
def test_replies_are_taken_apart(reply, answer, has_tag, refused):
    parsed = parse_reply(reply)
    assert (parsed.answer, parsed.has_tag, parsed.refused) == (answer, has_tag, refused)


def test_quotes_come_back_verbatim():
    assert parse_reply("a ##begin_quote## x  y ##end_quote## b ##begin_quote##z##end_quote##").quotes == ("x  y", "z")


def test_documents_keep_their_order_and_the_question_is_last():
    assert build_instruction(["a", "b"], "q?") == "<DOCUMENT>a</DOCUMENT>\n<DOCUMENT>b</DOCUMENT>\nq?"
    assert build_instruction([], "q?") == "q?"


def test_a_format_survives_its_file(tmp_path):
    written = Format("completion", "Answer {briefly}.", completion_stop="\n\n")
    assert Format.load(written.save(tmp_path / "format.json")) == written
    assert written.prompt(["d"], "q {x}?") == "Answer {briefly}.\n\n<DOCUMENT>d</DOCUMENT>\nq {x}?\n"


def test_a_system_prompt_is_a_message_only_when_there_is_one():
    assert [m["role"] for m in Format(system_prompt="s").messages(["d"], "q")] == ["system", "user"]
    assert [m["role"] for m in Format().messages(["d"], "q")] == ["user"]
