"""Servers of tests are up in a tenth of a second, and are looked at as often."""

import pytest


@pytest.fixture(autouse=True)
def look_often(monkeypatch):
    monkeypatch.setattr("lib.deploy.serve.POLL_S", 0.02)
