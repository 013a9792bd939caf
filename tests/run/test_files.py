"""Files between stages: written whole or not at all, hashed by content and name."""

import pytest

from lib.run.files import read_jsonl, tree_hash, write_jsonl


def test_jsonl_keeps_every_script_and_order(tmp_path):
    rows = [{"b": "Åse – 5 €", "a": 1}, {"text": "行 2\nline"}]
    path = write_jsonl(tmp_path / "new" / "rows.jsonl", rows)
    assert read_jsonl(path) == rows
    assert "Åse" in path.read_text(encoding="utf-8")


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = write_jsonl(tmp_path / "rows.jsonl", [{"a": 1}])

    def breaks():
        yield {"a": 2}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_jsonl(path, breaks())
    assert read_jsonl(path) == [{"a": 1}]


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": 1}\n{"a": \n')
    with pytest.raises(ValueError, match=r"rows\.jsonl, line 2: expected a JSON object"):
        read_jsonl(path)


def test_a_tree_hash_sees_names_and_bytes_but_no_caches(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    before = tree_hash(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_text("cache")
    (tmp_path / ".hidden").write_text("x")
    assert tree_hash(tmp_path) == before
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    renamed = tree_hash(tmp_path)
    (tmp_path / "b.txt").write_text("two")
    assert len({before, renamed, tree_hash(tmp_path)}) == 3
