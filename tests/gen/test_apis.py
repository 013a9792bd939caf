from types import SimpleNamespace

import pytest

from lib.gen import answers, apis, questions
from lib.gen.chains import run_chains
from lib.gen.quota import Ask
from lib.gen.records import API, Answer, Chunk, Drop, Question
from lib.llm.offline.tasks import complete

CALL = "sound.load(name='birds', pretrained=True)"
TEXT = (
    f"domain: Audio\nframework: Soundlib\nfunctionality: Tells birds by their song\napi_name: birds\napi_call: {CALL}\n"
    f"description: A model that names the bird in a recording. It was trained on garden birds.\nexample_code: import sound\n{CALL}"
)
CHUNK = Chunk("c", "d", "api.json", "birds", None, "", TEXT, len(TEXT), 50, type=API)
GOOD = (
    f"This call fits. ##begin_quote##api_call: {CALL}##end_quote##\n<<<domain>>>: Audio\n<<<api_call>>>: {CALL}\n"
    f"<<<api_provider>>>: Soundlib\n<<<explanation>>>: load it, then call it\n<<<code>>>: import sound\n<ANSWER>: {CALL}"
)
QUESTION = Question("q", "c", "I want to know which bird sings in a recording. What do I call?", "t", "0")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD, ""),
        (GOOD.replace("\n<<<", ", <<<"), ""),
        (GOOD.replace("<<<code>>>: import sound\n", ""), "no <<<code>>> part"),
        (
            GOOD.replace("<<<api_call>>>: sound", "<<<api_call>>>: noise"),
            "the API call is not word for word in the document",
        ),
        (
            GOOD.replace("<ANSWER>: " + CALL, "<ANSWER>: sound"),
            "the answer is not the API call of its <<<api_call>>> part",
        ),
        (GOOD.replace("<ANSWER>:", "Answer:"), "no <ANSWER>: tag"),
        (
            GOOD.replace("quote##api_call: sound", "quote##api_call: noise"),
            "a quote is not word for word in the document",
        ),
    ],
)
def test_an_api_answer_has_its_five_parts_and_the_documented_call(text, problem):
    bad = SimpleNamespace(text=text, error=None, finish_reason="stop")
    fake = SimpleNamespace(ask=lambda requests, label="": [bad] * len(requests), role=SimpleNamespace())
    [[made]] = run_chains(fake, [answers.answer_chain([QUESTION], CHUNK)], answers.TURNS)
    if problem:
        assert isinstance(made, Drop)
        assert made.reason == problem
    else:
        assert isinstance(made, Answer)
        assert made.answer == CALL
        assert set(apis.parse_fields(made.cot_answer)) == set(apis.FIELDS)


def test_api_records_are_asked_for_instructions_by_a_prompt_of_their_own():
    asked = questions.build_request(CHUNK, 2, style="api")
    assert "instructions" in asked.messages[1]["content"]
    assert (
        "<<<api_call>>>"
        in answers.build_request(QUESTION, CHUNK, prompt=answers.prompt_for(CHUNK)).messages[0]["content"]
    )
    assert answers.prompt_for(CHUNK, "qa") == "answer_api"


@pytest.mark.parametrize("structured", [True, False])
def test_the_offline_endpoint_writes_instructions_and_answers_that_pass(structured):
    request = questions.build_request(CHUNK, 3, style="api", structured=structured).body()
    reply = complete(request["messages"], "questions" if structured else "")
    found, lost = questions.read_reply(
        Ask(CHUNK, 3, "api"), SimpleNamespace(text=reply, error=None, finish_reason="stop"), "t", "0"
    )
    assert not lost
    assert len(found) == 3
    assert not any("birds." in q.question or CALL in q.question for q in found)
    body = answers.build_request(found[0], CHUNK, prompt="answer_api").body()
    text = complete(body["messages"], "")
    assert answers.find_problem(text, found[0].question, TEXT) == ""
    assert apis.find_api_problem(text, CALL, TEXT) == ""
