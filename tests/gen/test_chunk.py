import pytest

from lib.gen.chunk import MIN_CHARS, cut_chunks, flag_near_duplicates, token_counter
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
