import json

import pytest

from lib.run import BadInput, write_jsonl
from lib.run.tables import BATCH, read_rows, write_rows

ROWS = [{"id": i, "text": f"Zoë ある {i}\u2028x", "nested": {"a": [[str(i)]]}, "empty": [], "none": None} for i in range(BATCH + 7)]


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "a.arrow", pytest.param("folder", marks=pytest.mark.smoke)])
def test_rows_come_back_as_they_were_written_whatever_the_file(tmp_path, name):
    assert write_rows(tmp_path / name, iter(ROWS)) == len(ROWS)
    assert list(read_rows(tmp_path / name)) == ROWS
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_jsonl_is_the_same_bytes_as_elsewhere_in_a_run(tmp_path):
    write_rows(tmp_path / "a.jsonl", ROWS)
    assert (tmp_path / "a.jsonl").read_bytes() == write_jsonl(tmp_path / "b.jsonl", ROWS).read_bytes()


def test_a_reader_sees_all_rows_or_none(tmp_path):
    write_rows(tmp_path / "a.parquet", ROWS)

    def breaking():
        yield from ROWS
        raise RuntimeError("out of ink")

    for name in ("a.parquet", "b.arrow", "c.jsonl"):
        with pytest.raises(RuntimeError):
            write_rows(tmp_path / name, breaking())
    assert list(read_rows(tmp_path / "a.parquet")) == ROWS
    assert [path.name for path in tmp_path.iterdir()] == ["a.parquet"]


def test_the_arrow_file_format_is_read_like_the_stream(tmp_path):
    import pyarrow

    table = pyarrow.Table.from_pylist([{"a": 1}, {"a": 2}])
    with pyarrow.ipc.new_file(str(tmp_path / "f.arrow"), table.schema) as file:
        file.write_table(table)
    assert list(read_rows(tmp_path / "f.arrow")) == [{"a": 1}, {"a": 2}]


def test_what_cannot_be_read_or_written_is_one_clear_line(tmp_path):
    (tmp_path / "bad.jsonl").write_text('{"a": 1}\n[2]\n', encoding="utf-8")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no more")
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years", encoding="utf-8")
    for name in ("bad.jsonl", "bad.parquet", "bad.json"):
        with pytest.raises(BadInput, match=f"{name} cannot be read"):
            list(read_rows(tmp_path / name))
    for name, problem in (("absent.jsonl", "expected a file or folder"), ("mine", "expected a folder with .arrow files")):
        with pytest.raises(BadInput, match=problem):
            list(read_rows(tmp_path / name))
    with pytest.raises(BadInput, match="expected a file ending in"):
        write_rows(tmp_path / "a.xls", ROWS)
    with pytest.raises(BadInput, match="no rows to write"):
        write_rows(tmp_path / "a.parquet", [])
    assert json.loads(json.dumps(sorted(p.name for p in (tmp_path / "mine").iterdir()))) == ["thesis.txt"]


@pytest.mark.parametrize(("lines", "where"), [
    (["1,a", '2,"open', "3,c", "4,d"], "lines 3 to 5"),
    (["1,a", '2,"open', '3,"whole, quoted"', "4,d"], "lines 3 to 4"),
    (['1,"said "no" twice"'], "line 2"),
])  # fmt: skip
def test_a_quote_that_is_never_closed_merges_no_rows_and_is_found_by_its_line(tmp_path, lines, where):
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["id,text", *lines, ""]), encoding="utf-8")
    with pytest.raises(BadInput, match=f"a.csv cannot be read: .*{where}: a quoted cell is not closed"):
        list(read_rows(file))
    file.write_text("\n".join(['id,"te', "1,a", ""]), encoding="utf-8")
    with pytest.raises(BadInput, match="lines 1 to 2: a quoted cell is not closed"):
        list(read_rows(file))


def test_quotes_that_are_in_order_are_read_as_they_are(tmp_path):
    (tmp_path / "a.csv").write_text('id,text\n1,"two\nlines, ""quoted"""\n2,5" pipe\n', encoding="utf-8")
    assert [row["text"] for row in read_rows(tmp_path / "a.csv")] == ['two\nlines, "quoted"', '5" pipe']


@pytest.mark.smoke
def test_a_folder_is_what_the_datasets_library_opens_and_no_folder_of_the_user_is_replaced(tmp_path):
    from datasets import DatasetDict, load_from_disk

    write_rows(tmp_path / "hf", ROWS)
    held = load_from_disk(str(tmp_path / "hf"))
    assert held.to_list() == ROWS
    write_rows(tmp_path / "hf", ROWS[:3])
    assert len(load_from_disk(str(tmp_path / "hf"))) == 3
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadInput, match="no datasets library wrote"):
        write_rows(tmp_path / "mine", ROWS)
    DatasetDict({"train": held, "valid": held.select(range(2))}).save_to_disk(str(tmp_path / "parts"))
    assert len(list(read_rows(tmp_path / "parts", "valid"))) == 2
    with pytest.raises(BadInput, match="split 'test'.*train, valid"):
        list(read_rows(tmp_path / "parts", "test"))
