"""The request store where it cannot be written: said at once, before more is paid for."""

import time

import pytest

from lib.llm import Asker
from lib.llm.store import Store

from .helpers import ask, chat


def test_a_full_disk_ends_the_asking_and_is_named(scripted, run):
    role, seen = scripted(lambda *_: (time.sleep(0.01), chat("word " * 500))[1])
    store = Store(run.path("requests.sqlite"))
    store._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(RuntimeError, match=r"requests\.sqlite could not be written \(database or disk is full\)"):
        Asker(role, run, store, max_in_flight=4).ask([ask(str(i)) for i in range(150)])
    assert len(seen) < 120
