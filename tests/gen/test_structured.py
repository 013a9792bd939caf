import json
from types import SimpleNamespace

import pytest

from lib.gen import structured
from lib.run import BadInput


class Endpoint:
    """Replies with one text, or refuses."""

    def __init__(self, text="", error=None, stand_in=False, batch=False):
        self.text, self.error, self.asked = text, error, 0
        self.role = SimpleNamespace(identity="model@address", stand_in=stand_in, batch=batch)

    def ask(self, requests, label=""):
        """One reply a request."""
        self.asked += len(requests)
        return [SimpleNamespace(text=self.text, error=self.error) for _ in requests]


@pytest.fixture
def run(tmp_path):
    (tmp_path / "logs").mkdir()
    return SimpleNamespace(path=lambda name: tmp_path / name)


@pytest.mark.parametrize(
    ("text", "error", "takes"),
    [
        ('{"ready": true}', None, True),
        ("Sure! {ready}", None, False),
        ("[]", None, False),
        ('{"ready": "yes"}', None, False),
        ("", "HTTP 400: response_format is not supported", False),
    ],
)
def test_what_an_endpoint_takes_is_asked_once_and_remembered(run, text, error, takes):
    endpoint = Endpoint(text, error)
    assert structured.takes_schema(endpoint, run) is takes
    assert structured.takes_schema(endpoint, run) is takes
    assert endpoint.asked == 1
    assert json.loads(run.path("logs/structured.json").read_text()) == {"model@address": takes}


def test_what_the_user_says_goes_before_and_a_stand_in_is_known(run):
    endpoint = Endpoint()
    assert structured.takes_schema(endpoint, run, "yes")
    assert not structured.takes_schema(endpoint, run, "no")
    assert structured.takes_schema(Endpoint(stand_in=True), run)
    batched = Endpoint(batch=True)  # a question of its own would be a batch of its own
    assert structured.takes_schema(batched, run) and not structured.takes_schema(batched, run, "no")
    assert not endpoint.asked and not batched.asked
    assert not structured.takes_schema(Endpoint("no JSON"), run) and not structured.takes_schema(batched, run)  # known by now
    with pytest.raises(BadInput, match="structured_output: expected one of auto, yes, no"):
        structured.check_setting("maybe")
