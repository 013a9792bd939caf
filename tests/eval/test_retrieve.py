"""Retrieval: the right passage is found, rankings are complete and deterministic, and recall is counted on known sources only."""

import numpy as np
import pytest

from lib.eval.retrieve import fuse, oracle_ids, recall_table, retrieve
from lib.run import BadInput


@pytest.mark.parametrize("retriever", ["bm25", "dense", "hybrid"])
def test_every_retriever_ranks_every_chunk_once_and_finds_the_source(corpus, embedder, retriever):
    chunks, questions = corpus
    rankings = retrieve(chunks, questions, retriever=retriever, depth=len(chunks), embedder=embedder)
    assert all(sorted(order) == sorted(c["chunk_id"] for c in chunks) for order in rankings.values())
    oracles = {row["id"]: oracle_ids(row, chunks) for row in questions}
    table = recall_table(rankings, oracles, [1, 3, 8])
    assert [row["n"] for row in table] == [7, 7, 7]  # the question without an answer has no source
    assert table[0]["recall"] <= table[1]["recall"] <= table[2]["recall"] == 1
    assert table[1]["recall"] >= 6 / 7
    assert all(row["low"] <= row["recall"] <= row["high"] for row in table)


def test_bm25_needs_no_embedder_and_depth_cuts(corpus):
    chunks, questions = corpus
    assert all(len(order) == 2 for order in retrieve(chunks, questions, retriever="bm25", depth=2).values())


def test_fusion_is_reciprocal_rank_and_ties_keep_the_order_of_the_chunks():
    fused = fuse([np.array([[2, 0, 1]]), np.array([[0, 2, 1]])])
    assert fused.tolist() == [[0, 2, 1]]
    assert fuse([np.array([[0, 1, 2, 3]]), np.array([[1, 2, 3, 0]])]).tolist() == [[1, 0, 2, 3]]


def test_a_passage_that_repeats_the_evidence_counts_as_right(corpus):
    chunks, questions = corpus
    twin = {
        **chunks[0],
        "chunk_id": "twin",
        "source": "copy.md",
        "text": "Copy: the berth at Skarra  Bay costs £45 a night. End.",
    }
    assert oracle_ids(questions[0], [*chunks, twin]) == {chunks[0]["chunk_id"], "twin"}
    assert oracle_ids(questions[-1], chunks) == set()


@pytest.mark.parametrize(
    ("chunks", "retriever", "message"), [([], "bm25", "run 1_gen"), ([{}], "bm52", "bm25, dense, hybrid")]
)
def test_what_cannot_work_is_said_in_one_line(chunks, retriever, message):
    with pytest.raises(BadInput, match=message):
        retrieve(chunks, [], retriever=retriever, depth=1)
