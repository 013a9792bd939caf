"""Retrieval: the right passage is found, rankings are complete and deterministic, and recall is counted on known sources only."""

import numpy as np
import pytest

from lib.eval.retrieve import chunk_mismatch, oracle_ids, recall_table, retrieve
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


def test_mrr_and_ndcg_are_those_of_their_definitions():
    rankings = {"a": ["x", "y", "z"], "b": ["x", "y", "z"], "c": ["x", "y", "z"], "d": ["x", "y", "z"]}
    oracles = {"a": {"x"}, "b": {"y", "z"}, "c": {"gone"}, "d": set()}  # d has no known source
    (row,) = recall_table(rankings, oracles, [3])
    assert (row["n"], row["found"]) == (3, 2)
    assert row["mrr"] == pytest.approx((1 + 1 / 2 + 0) / 3)
    ideal = 1 / np.log2(2) + 1 / np.log2(3)
    assert row["ndcg"] == pytest.approx((1 + (1 / np.log2(3) + 1 / np.log2(4)) / ideal + 0) / 3)
    assert recall_table(rankings, oracles, [1])[0]["mrr"] == pytest.approx(1 / 3)


@pytest.mark.parametrize("retriever", ["bm25", "hybrid"])
def test_a_kept_index_ranks_alike_and_other_chunks_or_another_model_never_use_it(corpus, embedder, retriever, tmp_path):
    chunks, questions = corpus
    how = {"retriever": retriever, "depth": len(chunks), "embedder": embedder, "cache": tmp_path}
    fresh = retrieve(chunks, questions, **{**how, "cache": None})
    assert retrieve(chunks, questions, **how) == fresh
    kept = sorted(path.name for path in tmp_path.iterdir())
    embedder.texts.clear()
    assert retrieve(chunks, questions, **how) == fresh
    assert sorted(path.name for path in tmp_path.iterdir()) == kept
    assert not {c["text"] for c in chunks} & set(embedder.texts), "passages were embedded again"
    changed = [{**chunks[0], "text": "Something else."}, *chunks[1:]]
    assert retrieve(changed, questions, **how) == retrieve(changed, questions, **{**how, "cache": None})
    embedder.role.identity = "another model"
    retrieve(chunks, questions, **how)
    assert len(list(tmp_path.iterdir())) == (2 if retriever == "bm25" else 5)


def test_a_warning_says_when_training_showed_other_chunks(corpus):
    chunks, _ = corpus
    rows = [{"context_chunk_ids": [c["chunk_id"]], "context": {"sentences": [[c["text"]]]}} for c in chunks]
    assert chunk_mismatch(rows, chunks) == chunk_mismatch([], chunks) == ""
    assert "1 of 8 passages" in chunk_mismatch(rows, chunks[1:])
    assert "1 of 8 passages" in chunk_mismatch(rows, [{**chunks[0], "text": "cut otherwise"}, *chunks[1:]])


@pytest.fixture(scope="module")
def cross_encoder(tmp_path_factory):
    """A tiny cross-encoder with random weights."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("reranker")
    vocabulary = {w: i for i, w in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefghijklmnopqrstuvwxyz0123456789"])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=128,
    ).save_pretrained(folder)  # fmt: skip
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=128, num_labels=1,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.mark.smoke
def test_a_reranker_reorders_the_first_ones_by_its_own_scores_and_loses_none(corpus, cross_encoder, monkeypatch):
    from sentence_transformers import CrossEncoder

    from lib.llm import rerank, search

    chunks, questions = corpus
    plain = retrieve(chunks, questions, retriever="bm25", depth=8)
    monkeypatch.setattr(rerank, "CANDIDATES", 5)
    monkeypatch.setattr(search, "CANDIDATES", 5)
    found = retrieve(chunks, questions, retriever="bm25", depth=8, reranker=str(cross_encoder))
    scorer, texts = CrossEncoder(str(cross_encoder), device="cpu"), {c["chunk_id"]: c["text"] for c in chunks}
    for row in questions:
        first = plain[row["id"]][:5]
        scores = dict(zip(first, scorer.predict([(row["question"], texts[key]) for key in first]), strict=True))
        assert found[row["id"]] == sorted(first, key=lambda key: -scores[key]) + plain[row["id"]][5:]
    assert found != plain


@pytest.mark.smoke
def test_a_reranker_that_is_not_there_is_said_in_one_line(corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(BadInput, match="reranker: expected a cross-encoder"):
        retrieve(*corpus, retriever="bm25", depth=8, reranker=str(tmp_path))
