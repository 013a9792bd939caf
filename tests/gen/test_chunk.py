import itertools
import random

import numpy as np
import pytest

from lib.gen.chunk import MIN_CHARS, check_chunking, cut_chunks, flag_near_duplicates, token_counter
from lib.gen.dedupe import NEAR, group_near_duplicates
from lib.gen.readers.json import read_json
from lib.gen.readers.text import build, read_markdown, read_text
from lib.gen.records import Mark
from lib.run import BadInput

from .corpus import make_chunk


def cut(*documents, chunk_chars=200, p_overlap=0.1):
    return cut_chunks(documents, chunker="recursive", chunk_chars=chunk_chars, p_overlap=p_overlap, count_tokens=len)


def prose(n: int, start: int = 0) -> str:
    return " ".join(
        f"Sentence number {i} says that item {i * 7} weighs {i * 13} grams." for i in range(start, start + n)
    )


@pytest.mark.parametrize("chunk_chars", [80, 200, 1000])
@pytest.mark.parametrize("p_overlap", [0.0, 0.1, 0.5])
def test_no_chunk_is_longer_than_asked_and_no_word_is_lost(chunk_chars, p_overlap):
    [doc] = read_markdown(f"# Goods\n{prose(20)}\n## Weights\n{prose(30, 20)}\n\n- {prose(2, 50)}", "g.md")
    chunks, dropped = cut(doc, chunk_chars=chunk_chars, p_overlap=p_overlap)
    assert max(c.n_chars for c in chunks) <= chunk_chars
    kept = " ".join(c.text for c in chunks) + " ".join(d.text for d in dropped)
    assert all(f" {i * 13} grams" in kept for i in range(52))


def test_every_chunk_of_a_section_begins_with_its_heading_and_knows_its_path():
    [doc] = read_markdown(f"# Goods\n{prose(8)}\n## Weights of it\n{prose(8, 20)}", "g.md")
    chunks, _ = cut(doc)
    assert {c.section for c in chunks} == {"Goods", "Goods > Weights of it"}
    assert all(c.text.startswith(c.section.split(" > ")[-1] + "\n") for c in chunks)
    assert all(("number 2" in c.text) <= (c.section != "Goods") for c in chunks if "number 2 " not in c.text)


def test_sections_too_short_to_stand_alone_are_joined_with_what_follows():
    [doc] = read_markdown("# A\nShort.\n## B\nAlso short.\n## C\n" + prose(2), "s.md")
    chunks, dropped = cut(doc)
    assert not dropped
    assert chunks[0].text.startswith("A\nShort.")
    assert "Also short." in chunks[0].text


def test_chunks_keep_page_title_and_source():
    doc = build("p.pdf", "Report", [(Mark(0, 1), prose(4)), (Mark(0, 2), prose(4, 10))])
    chunks, _ = cut(doc)
    pages = [c.page for c in chunks]
    assert pages == sorted(pages)
    assert set(pages) == {1, 2}
    assert {(c.title, c.source) for c in chunks} == {("Report", "p.pdf")}
    assert next(c for c in chunks if c.text.startswith("Sentence number 10 ")).page == 2


def test_an_api_record_stays_whole():
    [doc], _ = read_json('{"api_name": "A", "api_call": "a()", "doc": "' + prose(20) + '"}', "a.json")
    [chunk], _ = cut(doc)
    assert chunk.text == doc.text
    assert chunk.type == "api call"


def test_exact_copies_are_dropped_once_and_near_copies_share_a_group():
    text = prose(3)
    documents = [
        *read_text(text, "a.txt"),
        *read_text(text.upper(), "b.txt"),
        *read_text(text + " And so on.", "c.txt"),
        *read_text(prose(3, 40), "d.txt"),
    ]
    chunks, dropped = cut(*documents, chunk_chars=400)
    assert [d.reason for d in dropped] == ["copy of another chunk"]
    assert [c.source for c in chunks] == ["a.txt", "c.txt", "d.txt"]
    assert chunks[0].duplicate_group == chunks[1].duplicate_group == chunks[0].chunk_id
    assert chunks[2].duplicate_group == chunks[2].chunk_id


def test_passages_of_the_same_kind_with_other_facts_are_no_near_duplicates():
    chunks = flag_near_duplicates(
        [
            make_chunk(f"Boat {n} is {size} metres long, was built in {y} and lies at berth {b}.")
            for n, size, y, b in [(1, 12, 1990, 4), (2, 14, 1987, 9)]
        ]
    )
    assert len({c.duplicate_group for c in chunks}) == 2


def test_a_passage_too_short_is_dropped_with_its_text():
    _, dropped = cut(*read_text("12", "a.txt"), *read_text(prose(2), "b.txt"))
    assert [(d.reason, d.text) for d in dropped] == [(f"shorter than {MIN_CHARS} characters", "12")]


def test_ids_depend_on_content_only():
    first, _ = cut(*read_text(prose(9), "a.txt"))
    again, _ = cut(*read_text(prose(2, 90), "0.txt"), *read_text(prose(9), "a.txt"))
    assert [c.chunk_id for c in first] == [c.chunk_id for c in again if c.source == "a.txt"]


@pytest.mark.parametrize("bad", [{"chunker": "magic"}, {"chunk_chars": 10}, {"p_overlap": 0.9}])
def test_a_size_out_of_range_is_one_clear_line(bad):
    with pytest.raises(BadInput, match="expected"):
        cut_chunks([], **{"chunker": "recursive", "chunk_chars": 200, "p_overlap": 0.1, "count_tokens": len, **bad})


def test_tokens_are_estimated_where_there_is_no_tokenizer(tmp_path):
    assert token_counter("some-org/some-model")("123456789") == 3


def test_tokens_are_the_students_where_its_tokenizer_is_there(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert token_counter(str(tmp_path))("a a bcd") == 3


@pytest.mark.parametrize("dashes", ["|---|---|\n", ""])
def test_rows_cut_from_their_table_take_its_header_along(dashes):
    rows = "\n".join(f"| Boat number {n} | {n * 11} metres |" for n in range(20))
    [doc] = read_markdown(
        f"# Fleet\nAll boats.\n\n| Boat | Length |\n{dashes}{rows}\n\nThe table ends here, and text goes on.", "t.md"
    )
    chunks, _ = cut(doc)
    assert len(chunks) > 4
    assert max(c.n_chars for c in chunks) <= 200
    assert all("| Boat | Length |" in c.text for c in chunks if "metres" in c.text)
    assert all(f"| {n * 11} metres |" in " ".join(c.text for c in chunks) for n in range(20))


def word_tokenizer(path):
    """A tokenizer of words and marks in a folder, as a student's."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(path / "tokenizer.json"))
    return token_counter(str(path))


@pytest.mark.parametrize("chunk_tokens", [16, 40, 200])
@pytest.mark.parametrize("p_overlap", [0.0, 0.3])
def test_no_chunk_has_more_tokens_than_asked_and_no_word_is_lost(tmp_path, chunk_tokens, p_overlap):
    count = word_tokenizer(tmp_path)
    rows = "\n".join(f"| Boat {n} | {n * 11} metres |" for n in range(20))
    [doc] = read_markdown(
        f"# Goods\n{prose(20)}\n\n| Boat | Length |\n|---|---|\n{rows}\n\n## W\n{prose(30, 20)}", "g.md"
    )
    how = {"chunker": "tokens", "chunk_chars": 1000, "p_overlap": p_overlap, "min_chunk_chars": 0}
    chunks, dropped = cut_chunks([doc], count_tokens=count, chunk_tokens=chunk_tokens, **how)
    assert max(c.n_tokens for c in chunks) <= chunk_tokens
    assert max(c.n_tokens for c in chunks) > chunk_tokens // 2
    assert all(c.n_tokens == count(c.text) for c in chunks)
    kept = " ".join(c.text for c in chunks) + " ".join(d.text for d in dropped)
    assert all(f"{i * 13} grams" in kept for i in range(50))
    assert all(f"{n * 11} metres" in kept for n in range(20))


def test_a_tokenizer_that_joins_across_pieces_still_gives_no_chunk_too_long():
    def count(text):  # more for a text than for its parts: what a tokenizer does that splits where two pieces meet
        return len(text.split()) + text.count(" is") * 2

    how = {"chunker": "tokens", "chunk_chars": 1000, "p_overlap": 0.1}
    text = " ".join("This is what it is" for _ in range(100))
    chunks, _ = cut_chunks(read_text(text, "a.txt"), count_tokens=count, chunk_tokens=20, **how)
    assert max(count(c.text) for c in chunks) <= 20


def topics(texts):
    """Vectors by topic: which of the three words a text holds more often."""
    counts = (
        np.array([[text.count(word) for word in ("ferry", "museum", "canteen")] for text in texts], dtype=float) + 1e-3
    )
    return counts / np.linalg.norm(counts, axis=1, keepdims=True)


def about(word, n):
    return " ".join(f"Sentence {i} is all about the {word} of the harbour." for i in range(n))


def semantic(*documents, chunk_chars=1000, p_breakpoint=0.1, embed=topics):
    how = {"chunker": "semantic", "chunk_chars": chunk_chars, "p_overlap": 0.1, "p_breakpoint": p_breakpoint}
    return cut_chunks(documents, count_tokens=len, embed=embed, **how)


def test_a_semantic_chunk_ends_where_the_subject_turns():
    text = " ".join([about("ferry", 7), about("museum", 6), about("canteen", 8)])
    chunks, dropped = semantic(*read_text(text, "a.txt"))
    assert [[word for word in ("ferry", "museum", "canteen") if word in c.text] for c in chunks] == [
        ["ferry"],
        ["museum"],
        ["canteen"],
    ]
    assert not dropped
    assert " ".join(c.text for c in chunks) == text


@pytest.mark.parametrize("p_breakpoint", [0.0, 0.3, 1.0])
def test_a_semantic_chunk_has_a_hard_maximum_and_loses_no_word(p_breakpoint):
    [doc] = read_markdown(f"# Goods\n{prose(20)}\n\n{about('ferry', 30)}\n## W\n{prose(20, 20)}", "g.md")
    chunks, dropped = semantic(doc, chunk_chars=300, p_breakpoint=p_breakpoint)
    assert max(c.n_chars for c in chunks) <= 300
    kept = " ".join(c.text for c in chunks) + " ".join(d.text for d in dropped)
    assert all(f"{i * 13} grams" in kept for i in range(40))
    assert sum(c.text.count("all about the ferry") for c in chunks) == 30
    assert {c.section for c in chunks} == {"Goods", "Goods > W"}


def test_every_sentence_is_embedded_about_once_and_in_one_call():
    calls = []

    def embed(texts):
        calls.append(texts)
        return topics(texts)

    semantic(*read_text(about("ferry", 10), "a.txt"), *read_text(about("museum", 10), "b.txt"), embed=embed)
    assert [len(texts) for texts in calls] == [22]
    with pytest.raises(BadInput, match="expected an embedder"):
        semantic(*read_text(about("ferry", 3), "a.txt"), embed=None)


def test_near_copies_can_be_dropped_and_the_minimum_length_chosen():
    documents = [
        *read_text(prose(3), "a.txt"),
        *read_text(prose(3) + " And so on.", "b.txt"),
        *read_text("Short one.", "c.txt"),
    ]
    how = {"chunker": "recursive", "chunk_chars": 400, "p_overlap": 0.1, "count_tokens": len}
    chunks, dropped = cut_chunks(documents, near_duplicates="drop", min_chunk_chars=5, **how)
    assert [c.source for c in chunks] == ["a.txt", "c.txt"]
    assert [(d.source, d.reason, d.detail) for d in dropped] == [
        ("b.txt", "near-copy of another chunk", chunks[0].chunk_id)
    ]
    _, dropped = cut_chunks(documents, min_chunk_chars=11, **how)
    assert [d.reason for d in dropped] == ["shorter than 11 characters"]


def test_near_duplicates_are_those_that_comparing_every_pair_finds():
    rng = random.Random(3)
    vocabulary = [a + b for a in "bdfgklmnprst" for b in "aeiou"]
    texts = [" ".join(rng.choices(vocabulary, k=rng.randint(1, 40))) for _ in range(60)]
    for text in texts[:40]:  # copies with some words changed, around the limit
        found = text.split()
        for _ in range(rng.randint(0, 3)):
            found[rng.randrange(len(found))] = rng.choice(vocabulary)
        texts.append(" ".join(found))

    def triples(text):
        found = text.split()
        return {tuple(found[i : i + 3]) for i in range(max(1, len(found) - 2))}

    expected = list(range(len(texts)))
    for i, j in itertools.combinations(range(len(texts)), 2):
        one, other = triples(texts[i]), triples(texts[j])
        if len(one & other) >= NEAR * len(one | other):
            low, high = sorted((expected[i], expected[j]))
            expected = [low if group == high else group for group in expected]
    assert len(set(expected)) < len(texts) - 10
    assert group_near_duplicates(texts) == expected


def test_near_duplicates_are_the_same_when_words_no_longer_fit_into_64_bits(monkeypatch):
    texts = [prose(3), prose(3) + " And so on.", prose(3, 40), "one", "one", ""]
    expected = group_near_duplicates(texts)
    monkeypatch.setattr("lib.gen.dedupe._BITS", 2)
    assert group_near_duplicates(texts) == expected == [0, 0, 2, 3, 3, 5]


def test_many_copies_of_one_text_do_not_take_the_square_of_their_number():
    same = [prose(4) + f" Number {i}." for i in range(400)]
    assert group_near_duplicates(same) == [0] * 400
    assert group_near_duplicates([]) == []


@pytest.mark.parametrize(
    "bad",
    [{"chunk_tokens": 3, "chunker": "tokens"}, {"min_chunk_chars": 900}, {"p_breakpoint": 2.0}, {"near_duplicates": "keep"}],
)  # fmt: skip
def test_a_setting_out_of_range_is_one_clear_line(bad):
    with pytest.raises(BadInput, match=f"{next(iter(bad))}: expected"):
        check_chunking(**{"chunker": "recursive", "chunk_chars": 200, "p_overlap": 0.1, **bad})
