"""What endpoints do that are not quite OpenAI's: errors in other forms, pages instead of replies, connections that break in the middle."""

import pytest

from .helpers import ask, chat, make


@pytest.mark.parametrize("body", [{"error": "too long"}, [{"error": {"message": "too long"}}], "too long", {"detail": "too long"}])
def test_the_reason_of_a_refusal_is_told_in_whatever_form_it_comes(scripted, run, body):
    role, _ = scripted(lambda *_: (400, {}, body))
    assert make(role, run).ask([ask("a")])[0].error == "HTTP 400: too long"


def test_a_field_that_is_refused_in_a_list_of_errors_is_left_out(scripted, run):
    def strict(number, body, headers):
        return (400, {}, [{"error": {"message": 'Unknown name "seed": Cannot find field.'}}]) if "seed" in body else chat("ok")

    role, _ = scripted(strict)
    assert make(role, run).ask([ask("a", seed=1)])[0].text == "ok"
