import io
import json
import os
import zipfile
from pathlib import Path

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pypdf import PdfReader, PdfWriter

from lib.gen.load import load_documents
from lib.gen.readers.html import read_html
from lib.gen.readers.pdf import drop_running_lines, flow
from lib.gen.readers.text import read_markdown
from lib.run import BadInput, tree_hash


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


def test_whatever_lies_in_a_folder_is_a_document_or_a_row_with_its_reason_and_every_name_can_be_written(tmp_path):
    (tmp_path / "good.txt").write_text("The mill closed in 1931 and never opened again.", encoding="utf-8")
    (tmp_path / os.fsdecode(b"na\xefve.txt")).write_text("The weir was mended in 1950 and holds.", encoding="utf-8")
    (tmp_path / "archive.docx").write_bytes(_zip("a.txt", "hello"))
    (tmp_path / "locked.pdf").write_bytes(_locked_pdf())
    (tmp_path / "nothing.txt").symlink_to(tmp_path / "absent")
    (tmp_path / "itself.txt").symlink_to(tmp_path / "itself.txt")
    (tmp_path / "round").symlink_to(".")
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "empty/folders/only").mkdir(parents=True)
    loaded = load_documents(tmp_path)
    assert {d.source for d in loaded.documents} == {"good.txt", "na\\xefve.txt"}
    reasons = {drop.source: drop.reason for drop in loaded.dropped}
    assert reasons == {
        "archive.docx": "not a DOCX file, whatever its name says (an old DOC or another archive?)",
        "locked.pdf": "encrypted: remove the password first",
        "nothing.txt": "a link to nothing",
        "itself.txt": "a link to nothing",
        "round": "a link to a folder, which is not followed: copy the folder here, or name it as documents",
        "pipe.txt": "no regular file",
    }
    assert set(loaded.table()["source"]) == {*reasons, "good.txt", "na\\xefve.txt"}
    assert tree_hash(tmp_path)


def test_a_file_that_may_not_be_read_is_a_row_with_its_reason_and_no_end_of_the_run(tmp_path, monkeypatch):
    for name in ("good.txt", "shut.txt"):
        (tmp_path / name).write_text(f"The mill of {name} closed in 1931 and never opened again.", encoding="utf-8")

    def refuse(path):
        def opened(file, *arguments, **named):
            if Path(file).name == "shut.txt":
                raise PermissionError(13, "Permission denied", str(file))
            return path(file, *arguments, **named)

        return opened

    open_now = tree_hash(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", refuse(Path.read_bytes))
    monkeypatch.setattr("builtins.open", refuse(open))
    loaded = load_documents(tmp_path)
    assert [d.source for d in loaded.documents] == ["good.txt"]
    assert [(drop.source, drop.reason) for drop in loaded.dropped] == [("shut.txt", "cannot be read: Permission denied")]
    assert tree_hash(tmp_path) != open_now  # so that it is read once it may be


def test_broken_records_are_named_by_line_and_counted_and_the_others_are_read(tmp_path):
    lines = ['{"text": "The mill closed in 1931."}', '{"text": "oops', '{"text": "The weir was mended in 1950."}', '{"text": 7}', "[1]", "[2]"]
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    loaded = load_documents(tmp_path)
    assert len(loaded.documents) == 2 and len(loaded.dropped) == 4
    assert list(loaded.table()["problem"]) == [
        "", "line 2: not JSON (Unterminated string starting at)", "line 4: `text` is no text but int",
        "line 5: expected an object, found list (and 1 more records)",
    ]  # fmt: skip


def _zip(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def _locked_pdf() -> bytes:
    writer, buffer = PdfWriter(), io.BytesIO()
    writer.add_blank_page(200, 200)
    writer.encrypt("secret")
    writer.write(buffer)
    return buffer.getvalue()


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


def test_word_text_in_tracked_changes_content_controls_and_inner_tables_is_read_and_contents_are_not(tmp_path):
    word = docx.Document()
    paragraph = word.add_paragraph("The tank holds ")
    for xml in (
        '<w:del {} w:id="1"><w:r><w:delText>ten</w:delText></w:r></w:del>',
        '<w:ins {} w:id="2"><w:r><w:t>twelve</w:t></w:r></w:ins>',
        "<w:sdt {}><w:sdtContent><w:r><w:t> litres.</w:t></w:r></w:sdtContent></w:sdt>",
    ):
        paragraph._p.append(parse_xml(xml.format(nsdecls("w"))))
    gallery = '<w:sdtPr><w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj></w:sdtPr>'
    for about, text in (("", "A block of its own."), (gallery, "Contents 1")):
        xml = f"<w:sdt {nsdecls('w')}>{about}<w:sdtContent><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:sdtContent></w:sdt>"
        paragraph._p.addnext(parse_xml(xml))
    cell = word.add_table(1, 1).cell(0, 0)
    inner = cell.add_table(1, 2)
    inner.cell(0, 0).merge(inner.cell(0, 1)).text = "Inside"
    word.save(tmp_path / "m.docx")
    [doc] = load_documents(tmp_path / "m.docx").documents
    assert doc.text == "The tank holds twelve litres.\n\nA block of its own.\n\n| Inside |"


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


def write_pdf(path, pages):
    """A PDF whose pages are lists of (x, y, text), drawn in that order in 10 point Helvetica."""
    from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

    writer = PdfWriter()
    names = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    font = DictionaryObject({NameObject(name): NameObject(value) for name, value in names.items()})
    for drawn in pages:
        page = writer.add_blank_page(600, 800)
        stream = DecodedStreamObject()
        stream.set_data("".join(f"BT /F1 10 Tf {x} {y} Td ({text}) Tj ET\n" for x, y, text in drawn).encode())
        page[NameObject("/Contents")] = writer._add_object(stream)
        page[NameObject("/Resources")] = DictionaryObject(
            {NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})}
        )
    writer.write(path)


def test_pdf_pages_keep_their_numbers_in_marks(tmp_path):
    write_pdf(tmp_path / "p.pdf", [[(20, 200, "First page of text")], [], [(20, 200, "Third page of text")]])
    [doc] = load_documents(tmp_path).documents
    assert [(mark.page, doc.text[mark.start :].split("\n")[0]) for mark in doc.marks] == [
        (1, "First page of text"),
        (3, "Third page of text"),
    ]


LEFT = ["The left column tells of the old mill and", "of the people who lived beside it until", "the water was led away from the valley", "and the wheel stood still for ever more."]  # fmt: skip
RIGHT = ["The right column is about the new bridge", "that was built of steel in one summer", "by men who came from the other side of", "the hills and went home in the autumn."]  # fmt: skip


def test_a_pdf_under_aes_that_opens_without_a_password_is_read_and_another_is_told(tmp_path):
    write_pdf(tmp_path / "plain.pdf", [[(50, 740, "The tide tables hang in the harbour office.")]])
    for name, password in (("open", ""), ("shut", "secret")):
        writer = PdfWriter(clone_from=PdfReader(tmp_path / "plain.pdf"))
        writer.encrypt(password, "owner", algorithm="AES-256")
        writer.write(tmp_path / f"{name}.pdf")
    assert "harbour office" in load_documents(tmp_path / "open.pdf").documents[0].text
    with pytest.raises(BadInput, match="encrypted: remove the password first"):
        load_documents(tmp_path / "shut.pdf")


def test_pdf_columns_that_are_drawn_line_by_line_are_read_one_after_the_other(tmp_path):
    head = "A heading that reaches over both of the columns of this page, from the left edge to the right one"
    across = [(50, 760, head)]
    for number, (left, right) in enumerate(zip(LEFT, RIGHT)):
        across += [(50, 740 - 14 * number, left), (320, 740 - 14 * number, right)]
    one_by_one = [(50, 760, head)]
    for x, column in ((50, LEFT), (320, RIGHT)):
        one_by_one += [(x, 740 - 14 * number, line) for number, line in enumerate(column)]
    write_pdf(tmp_path / "across.pdf", [across])
    write_pdf(tmp_path / "column.pdf", [one_by_one])
    text = load_documents(tmp_path / "across.pdf").documents[0].text
    assert " ".join(text.split()) == " ".join([head, *LEFT, *RIGHT])
    assert text == load_documents(tmp_path / "column.pdf").documents[0].text


def test_pdf_tables_are_read_row_by_row(tmp_path):
    cells = [
        ("Boat", "Length"),
        ("Tansy", "12 metres"),
        ("Corrie", "14 metres"),
        ("Lamb", "9 metres"),
        ("Rowe", "8 metres"),
    ]
    drawn = [(x, 700 - 14 * n, text) for n, row in enumerate(cells) for x, text in zip((50, 320), row)]
    write_pdf(tmp_path / "t.pdf", [drawn])
    text = " ".join(load_documents(tmp_path).documents[0].text.split())
    assert text == " ".join(cell for row in cells for cell in row)


@pytest.mark.parametrize(
    ("before", "after", "elsewhere", "joined"),
    [("hydro-", "foil boards", "", "hydrofoil boards"), ("land-", "grant money", "a land-grant", "land-grant money"), ("land-", "grant money", "a landgrant", "landgrant money"),
     ("fastest-", "growing of all", "the fastest and growing", "fastest-growing of all"), ("non-", "foiling boards", "", "non-foiling boards"), ("all-ter-", "rain car", "", "all-terrain car")],
)  # fmt: skip
def test_a_hyphen_at_a_line_end_stays_where_it_belongs_to_the_word(before, after, elsewhere, joined, tmp_path):
    write_pdf(tmp_path / "h.pdf", [[(50, 700, elsewhere or "x"), (50, 680, before), (50, 660, after)]])
    assert load_documents(tmp_path).documents[0].text.endswith(joined)


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


def test_html_rows_without_their_end_tag_keep_their_cells_and_the_text_that_follows():
    rows = "<table><tr><th>Boat<th>Crew<tr><td>Ferry<td>4<tr><td>Launch<td>2</table>"
    [doc] = read_html(f"<html><body><h1>Boats</h1>{rows}<p>After it.</p><h2>Fees</h2><p>None.</p></body></html>", "t.html")
    assert doc.text == "Boats\n\n| Boat | Crew |\n|---|---|\n| Ferry | 4 |\n| Launch | 2 |\n\nAfter it.\n\nFees\n\nNone."
    assert [mark.section for mark in doc.marks] == ["Boats", "Boats > Fees"]


@pytest.mark.parametrize("box", ['form id="aspnetForm"', 'div class="content no-sidebar"', 'section id="social-policy"'])
def test_a_page_whose_whole_text_stands_in_what_is_boilerplate_elsewhere_is_read(box):
    tag = box.split()[0]
    [doc] = read_html(f"<html><body><nav>Home</nav><{box}><h1>Fees</h1><p>A dog costs £2.</p></{tag}></body></html>", "t.html")
    assert doc.text == "Fees\n\nA dog costs £2."


def test_a_page_of_frames_is_not_read_as_its_words_for_browsers_without_them(tmp_path):
    (tmp_path / "f.html").write_text("<html><frameset><frame src=a><noframes>Your browser has no frames.</noframes></frameset></html>")
    with pytest.raises(BadInput, match="no text in it"):
        load_documents(tmp_path)


def test_csv_and_parquet_give_a_document_for_every_row_of_the_text_column(tmp_path):
    import pandas as pd

    rows = [
        {"title": "One", "text": "First, with a comma\nand a line.", "n": 1},
        {"title": "", "text": "Second text.", "n": 2},
    ]
    rows.append({"title": "Three", "text": None, "n": 3})
    frame = pd.DataFrame(rows)
    for name, write in {
        "a.csv": lambda path: frame.to_csv(path, index=False),
        "b.tsv": lambda path: frame.to_csv(path, index=False, sep="\t"),
        "c.csv": lambda path: frame.to_csv(path, index=False, sep=";", encoding="utf-16"),
        "d.parquet": frame.to_parquet,
    }.items():
        (tmp_path / name[0]).mkdir()
        write(tmp_path / name[0] / name)
        loaded = load_documents(tmp_path / name[0])
        assert [(d.title, d.text) for d in loaded.documents] == [
            ("One", "First, with a comma\nand a line."),
            (name[0], "Second text."),
        ]
        assert [(d.source, d.text, d.reason) for d in loaded.dropped] == [(name, "row 3", "empty: no text in it")]


def test_the_text_column_may_have_another_name_and_a_missing_one_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("id,body\n1,The text of it.\n", encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"body": "A line of it."}\n', encoding="utf-8")
    (tmp_path / "c.csv").write_text("id,other\n1,2\n", encoding="utf-8")
    (tmp_path / "d.parquet").write_bytes(b"PAR1 no more")
    loaded = load_documents(tmp_path, text_column="body")
    assert [d.text for d in loaded.documents] == ["The text of it.", "A line of it."]
    reasons = {drop.source: drop.reason for drop in loaded.dropped}
    assert reasons["c.csv"] == "no column 'body' (columns: id, other); set text_column"
    assert "d.parquet" in reasons


def test_a_table_without_rows_is_a_row_with_its_reason(tmp_path):
    import pandas as pd

    (tmp_path / "a.csv").write_text("text,title\n", encoding="utf-8")
    (tmp_path / "b.json").write_text("[]", encoding="utf-8")
    (tmp_path / "c.jsonl").write_text("\n\n", encoding="utf-8")
    pd.DataFrame({"text": pd.Series(dtype=str)}).to_parquet(tmp_path / "d.parquet")
    (tmp_path / "good.txt").write_text("The mill closed in 1931.", encoding="utf-8")
    problems = load_documents(tmp_path).table().set_index("source")["problem"]
    assert dict(problems) == dict.fromkeys(("a.csv", "b.json", "c.jsonl", "d.parquet"), "empty: no record in it") | {"good.txt": ""}


def test_rows_that_repeat_a_text_are_told_from_those_that_do_not(tmp_path):
    (tmp_path / "a.csv").write_text("text\nOne text.\nOne text.\nTwo text.\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("Two text.", encoding="utf-8")
    loaded = load_documents(tmp_path)
    assert [(d.source, d.text) for d in loaded.documents] == [("a.csv", "One text."), ("a.csv", "Two text.")]
    assert [(d.source, d.detail) for d in loaded.dropped] == [("a.csv", "a.csv"), ("b.txt", "a.csv")]


def test_a_page_is_read_in_the_encoding_that_it_names(tmp_path):
    page = '<html><head><meta charset="koi8-r"></head><body><p>Музей открыт</p></body></html>'
    (tmp_path / "p.html").write_bytes(page.encode("koi8-r"))
    assert load_documents(tmp_path).documents[0].text == "Музей открыт"


def test_a_guessed_encoding_is_named_in_the_table_and_in_the_warnings(tmp_path):
    (tmp_path / "a.txt").write_bytes("Le café est fermé le lundi, mais la crêperie ouvre à midi.".encode("cp1252"))
    (tmp_path / "b.txt").write_text("Le café est fermé.", encoding="utf-8")
    loaded = load_documents(tmp_path)
    assert loaded.documents[0].text.startswith("Le café est fermé le lundi")
    a, b = loaded.table()["problem"]
    assert "cp1252, a guess" in a
    assert b == ""
    assert "a.txt (cp1252)" in loaded.warnings()["encoding"]
    assert "b.txt" not in loaded.warnings()["encoding"]
    (tmp_path / "a.txt").unlink()
    assert load_documents(tmp_path).warnings() == {}


def test_a_quote_that_is_never_closed_takes_its_own_lines_and_no_others(tmp_path):
    (tmp_path / "a.csv").write_text('text\n"A whole text"\n"An open one\n"Another whole text"\n"The last"\n', encoding="utf-8")
    loaded = load_documents(tmp_path)
    assert [d.text for d in loaded.documents] == ["A whole text", "The last"]
    assert [(d.text, d.reason[:12]) for d in loaded.dropped] == [("row 2", "lines 3 to 4")]
    (tmp_path / "a.csv").write_text('text\n"A whole text"\n"An open one\nand on\n', encoding="utf-8")
    loaded = load_documents(tmp_path)
    assert [d.text for d in loaded.documents] == ["A whole text"]
    assert "lines 3 to 4: a quoted cell is not closed" in loaded.dropped[0].reason


def test_a_space_beside_a_column_is_no_part_of_its_name(tmp_path):
    (tmp_path / "a.csv").write_text("title, text\nOne, A whole text\n", encoding="utf-8")
    assert [(d.title, d.text.strip()) for d in load_documents(tmp_path).documents] == [("One", "A whole text")]


def test_a_row_with_more_cells_than_the_header_is_dropped_with_its_reason_not_cut(tmp_path):
    (tmp_path / "a.csv").write_text("text,n\nA text, cut at its comma,1\nA whole text,2\n", encoding="utf-8")
    loaded = load_documents(tmp_path)
    assert [d.text for d in loaded.documents] == ["A whole text"]
    assert [(d.text, d.reason) for d in loaded.dropped] == [("row 1", "more cells than the header's 2")]
