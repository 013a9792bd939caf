"""What an address tells by itself."""

import pytest

from lib.llm.address import is_openai
from lib.llm.roles import Role
from lib.llm.usage import with_price


@pytest.mark.parametrize(("host", "own"), [
    ("api.openai.com", True), ("eu.api.openai.com:443", True), ("API.OpenAI.com", True), ("openai.com", True),
    ("notopenai.com", False), ("openai.com.example.org", False), ("example.org/openai.com", False), ("mine.openai.azure.com", False),
])  # fmt: skip
def test_openais_own_hosts_are_told_from_those_that_only_sound_alike(host, own):
    url = f"https://{host}/v1"
    assert is_openai(url) is own
    assert (with_price(Role("teacher", url, "gpt-4o")).price is not None) is own
