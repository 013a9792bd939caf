"""What an address tells by itself."""

import ssl

import pytest

from lib.llm.address import is_loopback, is_openai
from lib.llm.provider import Account, make_openai, make_together
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


@pytest.mark.parametrize(("url", "here"), [
    ("http://127.0.0.1:8000/v1", True), ("http://localhost/v1", True), ("http://[::1]:80/v1", True), ("https://127.0.0.1/v1", False),
    ("http://127.example.org/v1", False), ("http://localhost.example.org/v1", False), ("http://127.0.0.1.example.org/v1", False),
])  # fmt: skip
def test_this_machine_is_told_from_hosts_whose_names_begin_alike(url, here):
    assert is_loopback(url) is here


@pytest.mark.parametrize("client", [make_openai, make_together])
@pytest.mark.parametrize("host", ["api.together.ai", "127.example.org"])
def test_certificates_of_every_real_host_are_checked(client, host):
    made = client(Account("together", f"https://{host}/v1", "k", "K"))
    context = made._client._transport._pool._ssl_context
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname


def test_no_certificates_are_loaded_for_this_machine(monkeypatch):
    def load(*_, **__):
        raise AssertionError("certificates were loaded")

    monkeypatch.setattr(ssl, "create_default_context", load)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", load)
    for client in (make_openai, make_together):
        client(Account("together", "http://127.0.0.1:9/v1", "k", "K"))
    with pytest.raises(AssertionError, match="certificates were loaded"):
        make_together(Account("together", "https://api.together.ai/v1", "k", "K"))
