"""Perplexity: from a server's prompt logprobs and from weights alike, over windows of the text, per word."""

import json
import math
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lib.eval.perplexity import COLUMNS, held_out_text, measure, summarise_windows, windows
from lib.llm import Role
from lib.run import BadInput

TEXT = "one two three four five six seven eight nine ten eleven twelve " * 4


@pytest.fixture
def server():
    """A server in vLLM's manner: a word is a token, and each has the log probability that `rule` gives; asked prompts are kept."""

    class Handler(BaseHTTPRequestHandler):
        rule, prompts, longest = staticmethod(lambda i: -2.0), [], 1000

        def do_POST(self):  # noqa: N802
            body, status = json.loads(self.rfile.read(int(self.headers["Content-Length"]))), 200
            if len(body["prompt"]) > self.longest and self.path != "/tokenize":
                status, value = 400, {"error": {"message": f"maximum context length is {self.longest} tokens"}}
            elif self.path == "/tokenize":
                value = {"tokens": [len(word) for word in body["prompt"].split()]}
            elif self.rule is None:
                value = {"choices": [{"text": ""}]}
            else:
                self.prompts.append(body["prompt"])
                given = [None, *({str(t): {"logprob": self.rule(i)}} for i, t in enumerate(body["prompt"][1:]))]
                value = {"choices": [{"text": "", "prompt_logprobs": given}]}
            data = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield Role("student", f"http://127.0.0.1:{http.server_address[1]}/v1", "m"), Handler
    http.shutdown()


def test_a_servers_logprobs_become_perplexity_per_token_and_per_word(server):
    role, handler = server
    table = measure([("student", role)], TEXT, [6, 12])
    assert tuple(table.columns) == COLUMNS
    assert table["windows"].tolist() == [8, 4] and table["tokens_scored"].tolist() == [40, 44]
    assert table["perplexity_per_token"].tolist() == pytest.approx([math.exp(2)] * 2)
    assert table["words_per_token"].tolist() == [1, 1]
    assert table["normalised_perplexity"].tolist() == pytest.approx([math.exp(2)] * 2)
    assert {len(prompt) for prompt in handler.prompts} == {6, 12}


def test_a_window_longer_than_the_server_takes_is_refused_in_the_servers_words(server):
    role, handler = server
    handler.longest = 8
    with pytest.raises(BadInput, match=r"answers 400: .*maximum context length is 8 tokens.*shorter windows in perplexity_tokens"):
        measure([("student", role)], TEXT, [12])


def test_a_server_that_is_gone_is_said_in_a_line():
    gone = Role("student", "http://127.0.0.1:1/v1", "m", remedy="look into its log")
    with pytest.raises(BadInput, match="student: http://127.0.0.1:1/tokenize does not answer .*refused.*; look into its log"):
        measure([("student", gone)], TEXT, [12])


def test_more_past_is_seen_to_help(server):
    role, handler = server
    handler.rule = staticmethod(lambda i: -3.0 + 0.1 * i)
    short, long = measure([("student", role)], TEXT, [6, 24])["normalised_perplexity"]
    assert long < short


def test_what_cannot_be_measured_is_said(server):
    role, handler = server
    with pytest.raises(BadInput, match="48 tokens, fewer than 100"):
        measure([("student", role)], TEXT, [100])
    handler.rule = None
    with pytest.raises(BadInput, match="gives prompt_logprobs"):
        measure([("student", role)], TEXT, [6])
    with pytest.raises(BadInput, match="kept out of training"):
        held_out_text([{"split": "train", "text": "x"}])


def test_windows_do_not_overlap_and_held_out_text_repeats_nothing():
    assert windows(list(range(10)), 3) == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    many = windows(list(range(1000)), 10)
    assert len(many) == 32 and len({w[0] for w in many}) == 32
    chunks = [{"split": "test", "text": "abcd efgh"}, {"split": "train", "text": "no"}, {"split": "test", "text": "efgh ijkl"}]
    assert held_out_text(chunks) == "abcd efgh\n ijkl"


def test_a_tokenizer_of_half_words_is_compared_by_the_word():
    whole = summarise_windows([20.0, 22.0], [10, 10], 1.0)
    halves = summarise_windows([20.0, 22.0], [20, 20], 0.5)
    assert whole["normalised_perplexity"] == pytest.approx(halves["normalised_perplexity"])
    assert whole["normalised_low"] <= whole["normalised_perplexity"] <= whole["normalised_high"]


@pytest.mark.smoke
def test_weights_loaded_here_give_the_loss_that_transformers_gives():
    from pathlib import Path

    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, text = Path("data/student"), "The ferry leaves Skarra Bay at nine and the crossing takes an hour. " * 12
    (line,) = measure([("baseline", folder)], text, [32]).to_dict("records")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    asked = torch.tensor(windows(tokenizer(text, add_special_tokens=False)["input_ids"], 32))
    with torch.no_grad():
        assert line["nll_per_token"] == pytest.approx(model(asked, labels=asked).loss.item(), rel=1e-3)
