"""Fixtures of every test: no real key, no network beyond this machine, repository root as working directory."""

import os
import signal
import socket
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROLES = ("TEACHER", "EMBEDDER", "STUDENT", "BASELINE", "JUDGE", "COMPLETION", "EMBEDDING")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as in what a shell starts in the background; tests of Ctrl-C need it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_keys_no_network(monkeypatch):
    """Remove role variables, look at no `.env`, and refuse connections to anything but loopback."""
    monkeypatch.setattr("lib.llm.roles.ENV_FILE", "no.env")
    for name in list(os.environ):
        if name.startswith(tuple(f"{role}_" for role in ROLES)) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    connect = socket.socket.connect

    def loopback_only(self, address):
        host = address[0] if isinstance(address, tuple) else "localhost"
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in ("127.0.0.1", "::1", "localhost"):
            raise RuntimeError(f"a test tried to reach {host}; tests stay on this machine")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", loopback_only)


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    """Notebooks and commands run from the repository's root, and so do tests."""
    monkeypatch.chdir(ROOT)
