"""Search: the same order as ranking everything in full, one query at a time as many at once, and no memory that grows with both."""

import random
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from lib.llm import search
from lib.llm.search import Lexical, Search, best, fuse, order_of, passage_text, terms
from lib.llm.words import words

NAMES = "harbour ferry berth crane museum garden lantern toll pilot anchor winter Sunday".split()


def make_chunks(n, seed=3):
    """Passages of a few words each, every tenth a copy of the one before, so that there are ties."""
    rng = random.Random(seed)
    texts = [" ".join(rng.choices(NAMES, k=6)) + f" {rng.randint(1, 30)}" for _ in range(n)]
    texts = [texts[i - 1] if i % 10 == 9 else text for i, text in enumerate(texts)]
    return [{"chunk_id": f"c{i}", "title": NAMES[i % 5], "section": "", "text": text} for i, text in enumerate(texts)]


class Embedder:
    """Vectors by letters."""

    role = SimpleNamespace(identity="letters")

    def embed(self, texts):
        counts = np.array([[text.lower().count(letter) + 0.01 for letter in "abcdefghilmnoprstuvy0123456789"] for text in texts], dtype=np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True) if texts else np.zeros((0, 0), dtype=np.float32)


def rank_in_full(chunks, queries, retriever):
    """The definition, with arrays of queries times chunks: all scores scaled to [0, 1], added by weight, sorted whole."""
    import bm25s
    import faiss

    texts, both = [passage_text(chunk) for chunk in chunks], []
    if retriever != "dense":
        index = bm25s.BM25()
        index.index([terms(text) or [""] for text in texts], show_progress=False)
        both.append((0.2, np.stack([index.get_scores(terms(query)) if terms(query) else np.zeros(len(texts)) for query in queries])))
    if retriever != "bm25":
        vectors = Embedder().embed(texts)
        index = faiss.IndexFlatIP(vectors.shape[1])
        index.add(vectors)
        cosines, order = index.search(Embedder().embed(queries), len(texts))
        both.append((0.8, np.take_along_axis(cosines, np.argsort(order, axis=1), axis=1)))
    if len(both) == 1:
        return np.argsort(-both[0][1], axis=1, kind="stable")
    spans = [(weight, scores - scores.min(axis=1, keepdims=True)) for weight, scores in both]
    total = sum(weight * scores / np.where(high := scores.max(axis=1, keepdims=True), high, 1) for weight, scores in spans)
    return np.argsort(-total, axis=1, kind="stable")


QUERIES = ["What is the toll at the berth?", "Where is the garden 12?", "twelve lantern", "", "unheard-of words", "Sunday ferry in winter"]


@pytest.mark.parametrize("retriever", search.RETRIEVERS)
@pytest.mark.parametrize("depth", [1, 7, 60, 1000])
def test_the_first_ones_are_those_of_the_ranking_in_full_ties_included(retriever, depth):
    chunks = make_chunks(60)
    found = Search(chunks, retriever, embedder=Embedder()).rank(QUERIES, depth)
    assert found.shape == (len(QUERIES), min(depth, 60))
    assert found.tolist() == rank_in_full(chunks, QUERIES, retriever)[:, :depth].tolist()


@pytest.mark.parametrize("retriever", search.RETRIEVERS)
def test_a_question_alone_finds_what_it_finds_among_others_and_in_blocks(retriever, monkeypatch):
    chunks = make_chunks(60)
    opened = Search(chunks, retriever, embedder=Embedder())
    together = opened.rank(QUERIES, 5).tolist()
    assert [opened.rank([query], 5)[0].tolist() for query in QUERIES] == together
    monkeypatch.setattr(search, "N_CELLS", 130)  # two questions at a time
    assert opened.rank(QUERIES, 5).tolist() == together


@pytest.mark.parametrize("retriever", search.RETRIEVERS)
def test_ranking_takes_no_memory_of_questions_times_passages(retriever, monkeypatch):
    chunks, queries = make_chunks(4000), [f"{name} {i}" for i in range(25) for name in NAMES]
    opened = Search(chunks, retriever, embedder=Embedder())
    monkeypatch.setattr(search, "N_CELLS", 20_000)
    whole = len(queries) * len(chunks) * 4  # bytes of one array of numbers for every pair: 4.8 MB
    tracemalloc.start()
    found = opened.rank(queries, 10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.shape == (300, 10)
    assert peak < whole / 3


def test_fusion_weighs_scaled_scores_so_that_neither_scale_counts():
    lexical, dense = np.array([0.0, 12.0, 3.0]), np.array([0.31, 0.30, 0.41])
    assert fuse(lexical, dense).tolist() == pytest.approx([0.8 / 11, 0.2, 0.05 + 0.8])
    assert fuse(7 * lexical, 0.1 * dense + 0.5).tolist() == pytest.approx(fuse(lexical, dense).tolist())


def test_where_no_word_is_shared_meaning_alone_decides():
    assert fuse(np.zeros(3), np.array([0.2, 0.6, 0.4])).tolist() == pytest.approx([0, 0.8, 0.4])


def test_terms_leave_endings_and_function_words_out_but_never_everything():
    assert terms("When does the ferry to the islands open?") == ["ferry", "island", "open"]
    assert terms("who is it?") == ["who", "is", "it"]


def test_the_best_are_the_beginning_of_the_whole_order():
    scores = np.array([1.0, 3.0, 3.0, 0.0, 3.0, 2.0])
    assert [best(scores, n).tolist() for n in range(8)] == [order_of(scores)[:n].tolist() for n in range(8)]


def test_words_keep_scripts_apart_and_numbers_whole():
    assert words("Twelve boats, 1,200 crowns at 09:40") == ["12", "boats", "1200", "crowns", "at", "9:40"]
    assert words("港口 Café") == ["港", "口", "café"]


def test_a_lexical_index_splits_texts_and_questions_alike():
    index = Lexical(["a-b c", "d"], split=lambda text: text.split("-"))
    assert (index.scores("a-x") > 0).tolist() == [True, False]
    assert not index.scores("a").any() or index.scores("a")[0] > 0
    assert not index.scores("c").any()


def test_an_index_cut_short_while_it_was_written_is_made_again(tmp_path):
    chunks = make_chunks(30)
    fresh = Search(chunks, "bm25", cache=tmp_path).rank(QUERIES, 30).tolist()
    (kept,) = tmp_path.iterdir()
    assert (kept / "params.index.json").is_file()
    assert Search(chunks, "bm25", cache=tmp_path).rank(QUERIES, 30).tolist() == fresh
    (kept / "params.index.json").unlink()
    assert Search(chunks, "bm25", cache=tmp_path).rank(QUERIES, 30).tolist() == fresh
