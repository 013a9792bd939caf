import json

import pytest

from lib.eval.plan import plan
from lib.eval.sets import read_sets
from lib.gen.evalset import locate_evidence, read_eval_set
from lib.gen.records import Chunk
from lib.run import BadInput
from lib.run.questions import cell_text, cell_truth, parse_rows

BAD = {
    "a.jsonl": ('{"question": "", "answer": "b"}', "row 1 has no question"),
    "b.jsonl": ('{"question": "a?", "answerable": true}', "row 1 is answerable and has no answer"),
    "c.jsonl": ('{"question": "a?", "answerable": "perhaps"}', "answerable is 'perhaps', expected true or false"),
    "d.jsonl": ('{"question": "a?", "answer": "b"}\n{"question": "a?", "answer": "c"}', "row 2 repeats the question"),
    "e.csv": ("id,question,answer\n1,a?,b\n1,c?,d\n", "row 2 repeats the id"),
    "f.csv": ("question,answer\na?,b, and c\n", "more cells than the header's 2"),
    "g.json": ("[1", "cannot be read"),
    "h.json": ("[1]", "expected objects"),
    "i.jsonl": ("", "no rows"),
    "k.json": ('[{"question": "a?", "answer": ["b"]}]', "row 1: answer is a list, expected one text"),
    "j.xls": ("question", "expected a file ending in .jsonl, .json, .csv, .parquet"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_said_in_the_same_words_by_generation_and_evaluation(tmp_path, name):
    text, problem = BAD[name]
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as by_gen:
        read_eval_set(tmp_path / name)
    with pytest.raises(BadInput) as by_eval:
        read_sets([str(tmp_path / name)], [])
    assert problem in str(by_gen.value)
    assert str(by_eval.value) == str(by_gen.value).replace("eval_set", "more_eval_sets", 1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_same_file_gives_the_same_questions_in_both_rooms(tmp_path, delimiter):
    rows = [("id", "question", "answer", "answerable"), ("1", "Wer war Zoë?", "eine Müllerin", ""), ("2", "Und dann?", "", "no")]
    (tmp_path / "e.csv").write_text("\n".join(map(delimiter.join, rows)), encoding="utf-8")
    made, shown = read_eval_set(tmp_path / "e.csv"), read_sets([str(tmp_path / "e.csv")], [])["e"]
    names = ("question", "answer", "answerable", "source", "evidence")
    assert [[getattr(row, name) for name in names] for row in made] == [[row[name] for name in names] for row in shown]
    assert [f"e:{row.id}" for row in made] == [row["id"] for row in shown]


def test_the_same_file_gives_the_same_chunks_in_both_rooms(tmp_path):
    texts = {"The long bridge was opened in 1931 by the mayor": "test", "by the mayor and her council after nine years.": "test", "| Adult | £8.60 |": "test"}
    chunks = [Chunk(f"c{i}", "d", "a.md", "", None, "", text, len(text), 9, split) for i, (text, split) in enumerate(texts.items())]
    rows = [
        {"question": "Who?", "answer": "the mayor", "source": "a.md", "evidence": "opened in 1931 by the mayor and her council"},
        {"question": "Fee?", "answer": "£8.60", "source": "a.md", "evidence": "Adult** | £8.60"},
        {"question": "Named no source?", "answer": "£8.60"},
        {"question": "Of two words one is somewhere?", "answer": "x", "source": "a.md", "evidence": "opened then"},
        {"question": "Where no chunk is known?", "answer": "x", "source": "a.md", "evidence": "nowhere in there"},
        {"question": "Unanswerable?", "answer": "", "source": "a.md"},
    ]  # fmt: skip
    (tmp_path / "e.json").write_text(json.dumps(rows), encoding="utf-8")
    made = locate_evidence(read_eval_set(tmp_path / "e.json"), chunks)
    shown = read_sets([str(tmp_path / "e.json")], [vars(chunk) for chunk in chunks])["e"]
    names = ("chunk_id", "source", "split")
    assert [[getattr(row, name) for name in names] for row in made] == [[row[name] for name in names] for row in shown]
    assert [row.chunk_id for row in made] == ["c0", "c2", "c2", "", "", ""]
    assert {row.split for row in made} == {"test"}


def test_a_question_that_brings_its_context_is_given_no_chunk_by_a_guess(tmp_path):
    row = {"question": "Summarise.", "answer": "dogs stay outside", "context": "A section. Dogs stay outside."}
    (tmp_path / "e.json").write_text(json.dumps([row]), encoding="utf-8")
    chunk = {"chunk_id": "c", "source": "a.md", "text": "Dogs stay outside.", "split": "train"}
    [found] = read_sets([str(tmp_path / "e.json")], [chunk])["e"]
    assert (found["chunk_id"], found["source"], found["split"]) == ("", "", "")


def test_a_file_without_answers_is_not_one_of_questions_that_have_none(tmp_path):
    (tmp_path / "e.jsonl").write_text('{"question": "a?", "gold_final_answer": "b"}', encoding="utf-8")
    for read in (read_eval_set, lambda path: read_sets([str(path)], [])):
        with pytest.raises(BadInput, match="has no answer|no row has an answer"):
            read(tmp_path / "e.jsonl")


def test_a_plan_counts_questions_as_they_will_be_read(tmp_path):
    (tmp_path / "e.jsonl").write_text('{"question": "a\u2028b?", "answer": "c"}\n\n{"question": "d?"}\n', encoding="utf-8")
    (tmp_path / "bad.json").write_text("[1", encoding="utf-8")
    p = {"top_k": [3], "eval_set": str(tmp_path / "e.jsonl")}
    assert plan(p)[0]["value"] == 2
    with pytest.raises(BadInput, match=r"more_eval_sets: .*bad\.json cannot be read"):
        plan(p | {"more_eval_sets": [str(tmp_path / "bad.json")]})


def test_cells_mean_the_same_whatever_kind_of_file_they_come_from():
    assert [cell_text(value) for value in (None, float("nan"), " a ", 7, 7.0, 7.5, "")] == ["", "", "a", "7", "7", "7.5", ""]
    yes, no = (True, "TRUE", 1, 1.0, " yes "), (False, "False", 0, "0.0", "No")
    assert [cell_truth(value, False) for value in yes] == [True] * 5
    assert [cell_truth(value, True) for value in no] == [False] * 5
    assert [cell_truth(value, True) for value in (None, "", float("nan"), "maybe")] == [True, True, True, None]


def test_an_id_may_depend_on_more_than_the_question():
    rows = [{"question": "Why?", "answer": "a", "page": page} for page in "12"]
    found = parse_rows("here", rows, lambda said, row: said["question"] + row["page"])
    assert json.dumps([row["id"] for row in found]) == '["Why?1", "Why?2"]'
