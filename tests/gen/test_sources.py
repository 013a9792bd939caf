import json
from pathlib import Path

import numpy as np
import pytest

from lib.gen import plan
from lib.gen.sources import check, chunk_table, cut_sources, load_sources, preview
from lib.run import BadInput
from lib.run.params import read_parameters

from .website import page, serve


@pytest.fixture
def p(tmp_path):
    """Parameters as the notebook has them, with documents of three files."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for number in range(3):
        text = " ".join(f"Boat {number * 100 + i} is {i + 3} metres long and green." for i in range(20))
        (folder / f"{number}.txt").write_text(text, encoding="utf-8")
    (folder / "3.txt").write_text(text + " So it is.", encoding="utf-8")
    return {one.name: one.default for one in read_parameters(Path("1_gen.ipynb"))} | {"documents": str(folder)}


def test_the_defaults_of_the_notebook_are_in_range(p):
    check(p)


@pytest.mark.parametrize(
    ("name", "value"),
    [("chunker", "magic"), ("text_column", ""), ("crawl_delay_s", -1.0), ("crawl_max_pages", 0), ("crawl_max_mb", 0.0), ("crawl_agent", "two\nlines"),
     ("crawl_agent", ""), ("crawl_private", ["http://a/"]), ("crawl_private", [1]), ("near_duplicates", "keep"), ("min_chunk_chars", -1), ("p_breakpoint", 1.5)],
)  # fmt: skip
def test_a_parameter_out_of_range_is_one_line_that_names_it(p, name, value):
    with pytest.raises(BadInput, match=f"{name}: expected"):
        plan.check_parameters(p | {name: value})


def test_chunks_by_tokens_need_the_students_tokenizer(p):
    check(p | {"chunker": "tokens"})
    with pytest.raises(BadInput, match="chunker tokens: expected the tokenizer"):
        check(p | {"chunker": "tokens", "student_model": "some-org/some-model"})


def test_the_embedder_is_asked_for_semantic_chunks_and_for_no_other(p, tmp_path):
    class Embedder:
        asked = 0

        def embed(self, texts, label):
            self.asked += len(texts)
            return np.eye(4)[[len(text) % 4 for text in texts]]

    loaded, embedder = load_sources(p, tmp_path), Embedder()
    cut_sources(p, loaded.documents, len, embedder)
    assert not embedder.asked
    chunks, _ = cut_sources(p | {"chunker": "semantic"}, loaded.documents, len, embedder)
    assert embedder.asked
    assert max(c.n_chars for c in chunks) <= p["chunk_chars"]


def test_the_table_of_chunks_adds_up(p, tmp_path):
    loaded = load_sources(p, tmp_path)
    for how in ("group", "drop"):
        chunks, dropped = cut_sources(p | {"near_duplicates": how}, loaded.documents, len)
        rows = chunk_table(chunks, dropped).set_index("what")["n"].to_dict()
        assert rows.pop("chunks kept") == len(chunks)
        near = rows.pop("of them near-copies of another")
        assert (near > 0) == (how == "group")
        assert sum(rows.values()) == len(dropped)


def test_a_plan_of_a_sitemap_asks_for_no_page_and_writes_nothing(p, tmp_path, monkeypatch):
    with serve() as site:
        site.pages = {
            "/s.xml": site.sitemap("/a", "/b"),
            "/a": page("The mill closed in 1931."),
            "/b": page("It was a mill."),
        }
        p |= {"documents": f"{site.url}/s.xml", "crawl_private": [site.host], "crawl_delay_s": 0.0, "run": "web"}
        monkeypatch.chdir(tmp_path)
        before = sorted(tmp_path.rglob("*"))
        loaded, rows = preview(p)
        assert loaded is None
        assert [(row["item"], row["value"]) for row in rows] == [("pages", 2)]
        assert site.paths() == ["/s.xml"]
        assert sorted(tmp_path.rglob("*")) == before
        load_sources(p, tmp_path / "runs/web")
        loaded, [row] = preview(p)
        assert len(loaded.documents) == 2
        assert "0 to be fetched" in row["note"]
        kept = [json.loads(line) for line in (tmp_path / "runs/web/crawl/pages.jsonl").read_text().splitlines()]
        assert [row["status"] for row in kept] == [200, 200]
