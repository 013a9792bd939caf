"""The request store where it cannot be written: said at once, before more is paid for."""

import time

import pytest

from lib.llm import Asker
from lib.llm.store import Store
from lib.run import BadInput

from .helpers import ask, chat


def test_a_full_disk_ends_the_asking_and_is_named(scripted, run):
    role, seen = scripted(lambda *_: (time.sleep(0.01), chat("word " * 500))[1])
    store = Store(run.path("requests.sqlite"))
    store._db.execute("PRAGMA max_page_count = 20")
    with pytest.raises(RuntimeError, match=r"requests\.sqlite could not be written \(database or disk is full\)"):
        Asker(role, run, store, max_in_flight=4).ask([ask(str(i)) for i in range(150)])
    assert len(seen) < 120


@pytest.mark.parametrize("name", ["a folder", "a text", "a text/under it.sqlite"])
def test_a_store_that_cannot_be_opened_is_said_in_one_line_with_its_path(tmp_path, name):
    (tmp_path / "a folder").mkdir()
    (tmp_path / "a text").write_text("no database " * 100)
    with pytest.raises(BadInput, match=f"request store .*{name}: .*name another file in store"):
        Store(tmp_path / name)
