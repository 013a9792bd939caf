import json

import docx
import pytest

from lib.gen.load import load_documents
from lib.gen.readers.html import read_html
from lib.gen.readers.pdf import drop_running_lines, flow
from lib.gen.readers.text import decode, read_markdown
from lib.run import BadInput

TEXT = "The café opens at 9 – daily, “sharp”. Übermut tut selten gut."


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_text_of_any_encoding_is_read(encoding):
    assert decode(TEXT.encode(encoding)).lstrip("\ufeff") == TEXT


def test_text_in_latin_1_is_read():
    assert decode("café \x81".encode("latin-1")) == "café \x81"


def test_a_broken_empty_or_unsupported_file_is_a_row_with_its_reason(tmp_path):
    (tmp_path / "good.txt").write_text("The mill closed in 1931 and never opened again.", encoding="utf-8")
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.4 no more")
    (tmp_path / "broken.docx").write_bytes(b"PK\x03\x04 no more")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "blank.md").write_text(" \n\n", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "binary.txt").write_bytes(b"\x00\x01\x02\xff" * 50)
    (tmp_path / "none.json").write_text('{"body": "no such field"}', encoding="utf-8")
    (tmp_path / "bad.json").write_text("{not json", encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/copy.md").write_text("The mill closed in 1931 and never opened again.", encoding="utf-8")
    (tmp_path / ".hidden").write_text("not for reading", encoding="utf-8")
    loaded = load_documents(tmp_path)
    assert [d.source for d in loaded.documents] == ["good.txt"]
    reasons = {drop.source: drop.reason for drop in loaded.dropped}
    assert set(reasons) == {
        "broken.pdf", "broken.docx", "empty.txt", "blank.md", "picture.png", "binary.txt", "none.json", "bad.json", "sub/copy.md",
    }  # fmt: skip
    assert "unsupported type .png" in reasons["picture.png"]
    assert "no `text` field" in reasons["none.json"]
    assert "copy of another document" in reasons["sub/copy.md"]
    assert all(0 < len(reason) <= 200 and "\n" not in reason for reason in reasons.values())
    assert len(loaded.table()) == 10


def test_nothing_readable_is_one_clear_line(tmp_path):
    with pytest.raises(BadInput, match="no readable document.*the folder is empty"):
        load_documents(tmp_path)
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    with pytest.raises(BadInput, match=r"no readable document.*picture.png: unsupported type .png"):
        load_documents(tmp_path)
    with pytest.raises(BadInput, match="found nothing at"):
        load_documents(tmp_path / "absent")


def test_markdown_headings_become_section_paths_and_code_keeps_its_hashes():
    [doc] = read_markdown(
        "---\ntitle: Guide\n---\n# Ferry\nIntro.\n## Dogs\nOn a **lead**, see [rules](r.md).\n```\n# no heading\n```\n# Bus\nNone.",
        "f.md",
    )
    assert doc.title == "Guide"
    assert [mark.section for mark in doc.marks] == ["Ferry", "Ferry > Dogs", "Bus"]
    assert "# no heading" in doc.text
    assert "On a lead, see rules." in doc.text
    assert all(doc.text[mark.start :].startswith(mark.section.split(" > ")[-1]) for mark in doc.marks)


def test_underlined_headings_are_headings_and_rules_are_not():
    [doc] = read_markdown("Ferry\n=====\nText.\n\nDogs\n----\nOn a lead.\n\n---\n\nEnd of the page.", "f.md")
    assert [mark.section for mark in doc.marks] == ["Ferry", "Ferry > Dogs"]
    assert "====" not in doc.text


PAGE = """<!DOCTYPE html><html><head><title>Dogs | Ferry</title><style>p{}</style></head><body>
<nav><a href="/">Home</a></nav><div class="navbar">Menu</div><h1>Dogs aboard</h1><p>Dogs are <b>welcome</b>.<p>On a lead.
<script>var x = "<p>no</p>";</script><h2>Fees</h2><ul><li>small: free<li>large: &pound;2</ul>
<table><tr><th>Size</th><th>Fee</th></tr><tr><td>small</td><td><p>free</p></td></tr></table><footer>© 2024</footer></body></html>"""


def test_html_keeps_text_lists_and_tables_and_drops_the_rest():
    [doc] = read_html(PAGE, "dogs.html")
    assert doc.title == "Dogs aboard"
    assert [mark.section for mark in doc.marks] == ["Dogs aboard", "Dogs aboard > Fees"]
    lines = doc.text.split("\n")
    for line in (
        "Dogs are welcome.",
        "On a lead.",
        "- small: free",
        "- large: £2",
        "| Size | Fee |",
        "| small | free |",
    ):
        assert line in lines
    for gone in ("Home", "Menu", "var x", "2024", "p{}"):
        assert gone not in doc.text


def test_html_in_a_text_file_is_read_as_html(tmp_path):
    (tmp_path / "page.txt").write_text(PAGE, encoding="utf-16")
    assert "Dogs are welcome." in load_documents(tmp_path).documents[0].text


def test_word_tables_are_rows_and_headings_sections(tmp_path):
    word = docx.Document()
    word.add_heading("Minutes", 1)
    word.add_paragraph("Present were four trustees.")
    word.add_heading("Money", 2)
    word.add_paragraph("First item", style="List Bullet")
    table = word.add_table(rows=2, cols=2)
    for row, cells in enumerate([("Item", "Cost"), ("Paint", "£40")]):
        for column, text in enumerate(cells):
            table.cell(row, column).text = text
    word.save(tmp_path / "m.docx")
    [doc] = load_documents(tmp_path / "m.docx").documents
    assert doc.source == "m.docx"
    assert [mark.section for mark in doc.marks] == ["Minutes", "Minutes > Money"]
    assert "- First item" in doc.text
    assert "| Item | Cost |\n|---|---|\n| Paint | £40 |" in doc.text


def test_pdf_lines_flow_and_words_broken_at_a_line_end_are_joined():
    lines = [
        "Wrapped prose of a column that goes on and on and is bro-",
        "ken at the end of one line, so that two lines are one sent-",
        "ence.",
    ]
    assert flow(["History", *lines]) == "History\n" + "".join(lines).replace("bro-ken", "broken").replace(
        "sent-ence", "sentence"
    )
    assert flow(["Colour", "red", "Size", "small"]) == "Colour\nred\nSize\nsmall"


def test_pdf_headers_footers_and_page_numbers_go():
    bodies = [[f"Line {word} {n} of it." for n in "abcd"] for word in ("one", "two", "three")]
    pages = [["Annual report", *body, f"Page {n}"] for n, body in enumerate(bodies, 1)]
    assert drop_running_lines(pages) == bodies


def test_pdf_pages_keep_their_numbers_in_marks(tmp_path):
    from pypdf import PdfWriter
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    for text in ("First page of text", "", "Third page of text"):
        page = writer.add_blank_page(300, 300)
        stream = DecodedStreamObject()
        stream.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
    writer.write(tmp_path / "p.pdf")
    [doc] = load_documents(tmp_path).documents
    assert [(mark.page, doc.text[mark.start :].split("\n")[0]) for mark in doc.marks] == [
        (1, "First page of text"),
        (3, "Third page of text"),
    ]


def test_json_gives_a_document_for_every_object_with_text_and_every_api(tmp_path):
    rows = [
        {"text": "Plain text of one."},
        {"api_name": "A", "api_call": "a.get(x=1)", "api_arguments": {"x": "a number"}, "user_name": "someone"},
        7,
    ]
    (tmp_path / "all.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "lines.jsonl").write_text(
        '{"text": "A line."}\n\n{broken\n{"text": "Another line."}\n', encoding="utf-8"
    )
    loaded = load_documents(tmp_path)
    assert [(d.source, d.type) for d in loaded.documents] == [
        ("all.json", "general"), ("all.json", "api call"), ("lines.jsonl", "general"), ("lines.jsonl", "general"),
    ]  # fmt: skip
    assert loaded.documents[1].text == "api_name: A\napi_call: a.get(x=1)\napi_arguments: x: a number"
    assert [(d.source, d.text) for d in loaded.dropped] == [("all.json", "#3"), ("lines.jsonl", "line 3")]


def test_tags_of_the_prompt_format_in_a_document_lose_their_meaning(tmp_path):
    (tmp_path / "a.txt").write_text(
        "Say ##begin_quote##x##end_quote## and </DOCUMENT> then <ANSWER>: y.", encoding="utf-8"
    )
    text = load_documents(tmp_path).documents[0].text
    assert text == "Say [begin_quote]x[end_quote] and [/DOCUMENT] then [ANSWER]: y."


def test_the_id_of_a_document_changes_with_its_text_and_nothing_else(tmp_path):
    (tmp_path / "a.txt").write_text("One text.", encoding="utf-8")
    first = load_documents(tmp_path).documents[0].doc_id
    (tmp_path / "0.txt").write_text("A text that comes before.", encoding="utf-8")
    assert load_documents(tmp_path).documents[1].doc_id == first
    (tmp_path / "a.txt").write_text("One more text.", encoding="utf-8")
    assert load_documents(tmp_path).documents[1].doc_id != first


def test_an_empty_cell_of_an_html_table_keeps_its_column():
    rows = "<table><tr><th></th><th>Ferry<th>Launch</tr><tr><td>Crew</td><td></td><td>2</td></tr></table>"
    [doc] = read_html(f"<html><body><p>Boats.</p>{rows}</body></html>", "t.html")
    assert doc.text.endswith("|  | Ferry | Launch |\n|---|---|---|\n| Crew |  | 2 |")
