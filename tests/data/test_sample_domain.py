"""The sample domain in ``data/`` is complete, consistent and answerable as its eval set says."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import docx
import pypdf

DATA = Path(__file__).resolve().parents[2] / "data"
DOCUMENTS = DATA / "documents"
EVAL_SET = DATA / "eval_set.jsonl"

FIELDS = {"id", "question", "answer", "answerable", "source", "evidence"}
KINDS = {".md": 12, ".txt": 5, ".html": 5, ".pdf": 4, ".docx": 4}
YES_NO = {"Yes", "No"}
#: Rows whose answer rewords its evidence; each entry needs a look by a person.
REWORDED: set[str] = set()


class _MainText(HTMLParser):
    """Text of an HTML page without its navigation, header, footer, styles and scripts."""

    SKIPPED = {"head", "script", "style", "nav", "header", "footer"}
    INLINE = {"a", "em", "strong"}

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.depth = 0

    def handle_starttag(self, tag, attrs):
        if tag in self.SKIPPED:
            self.depth += 1
        elif tag not in self.INLINE:
            self.parts.append("\n")

    def handle_endtag(self, tag):
        if tag in self.SKIPPED:
            self.depth -= 1

    def handle_data(self, data):
        if not self.depth:
            self.parts.append(data)


def extract_text(path: Path) -> str:
    """Plain text of one document.  The only place that knows about file formats."""
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(path).pages)
    if path.suffix == ".docx":
        lines = []
        for block in docx.Document(str(path)).iter_inner_content():
            if hasattr(block, "rows"):
                lines += [" | ".join(cell.text for cell in row.cells) for row in block.rows]
            else:
                lines.append(block.text)
        return "\n".join(lines)
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        parser = _MainText()
        parser.feed(text)
        return "".join(parser.parts)
    return text


def normalise(text: str) -> str:
    """One space between words; the bars between table cells count as spaces."""
    return " ".join(text.replace("|", " ").split())


def words(text: str) -> list[str]:
    return re.findall(r"\d+(?:[.,:]\d+)*|[^\W\d_]+", text.lower())


@cache
def document_text(relative: str) -> str:
    return normalise(extract_text(DOCUMENTS / relative))


@cache
def rows() -> tuple[dict, ...]:
    return tuple(json.loads(line) for line in EVAL_SET.read_text(encoding="utf-8").splitlines())


def answerable() -> list[dict]:
    return [row for row in rows() if row["answerable"]]


def documents() -> list[Path]:
    return sorted(path for path in DOCUMENTS.rglob("*") if path.is_file())


def relative(path: Path) -> str:
    return path.relative_to(DOCUMENTS).as_posix()


def test_the_documents_come_in_five_kinds_and_enough_of_each():
    kinds = Counter(path.suffix for path in documents())
    assert set(kinds) == set(KINDS)
    assert all(kinds[kind] >= least for kind, least in KINDS.items()), kinds


def test_no_document_file_is_larger_than_100_kilobytes():
    assert [relative(path) for path in documents() if path.stat().st_size >= 100_000] == []


def test_the_documents_hold_between_80_and_150_kilobytes_of_text():
    sizes = {relative(path): len(document_text(relative(path))) for path in documents()}
    assert 80_000 <= sum(sizes.values()) <= 150_000
    assert min(sizes.values()) > 1_500, sizes


def test_the_text_of_every_document_is_clean():
    for path in documents():
        text = extract_text(path)
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufb00-\ufb06\ufffd]", text), path.name


def test_every_eval_row_has_exactly_the_agreed_fields():
    for row in rows():
        assert set(row) == FIELDS, row
        assert isinstance(row["answerable"], bool), row
        texts = [row[name] for name in FIELDS - {"answerable"}]
        assert all(isinstance(text, str) and text == text.strip() for text in texts), row
        assert row["question"].endswith("?"), row


def test_ids_and_questions_are_unique():
    ids = [row["id"] for row in rows()]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"q\d{3}", name) for name in ids)
    questions = [" ".join(words(row["question"])) for row in rows()]
    assert len(set(questions)) == len(questions)


def test_there_are_enough_answerable_and_unanswerable_questions():
    assert len(answerable()) >= 135
    assert len(rows()) - len(answerable()) >= 35


def test_every_evidence_is_a_verbatim_passage_of_its_source():
    for row in answerable():
        assert (DOCUMENTS / row["source"]).is_file(), row["id"]
        assert 20 <= len(row["evidence"]) <= 250, row["id"]
        assert normalise(row["evidence"]) in document_text(row["source"]), row["id"]


def test_every_answer_is_supported_by_its_evidence():
    for row in answerable():
        assert row["answer"], row["id"]
        if row["answer"] in YES_NO or row["id"] in REWORDED:
            continue
        missing = set(words(row["answer"])) - set(words(row["evidence"]))
        assert not missing, (row["id"], missing)


def test_most_answers_occur_literally_in_their_evidence():
    literal = [normalise(row["answer"]).lower() in normalise(row["evidence"]).lower() for row in answerable()]
    assert sum(literal) >= 0.85 * len(literal)


def test_answers_are_short():
    assert [row["id"] for row in answerable() if len(row["answer"].split()) > 14] == []


def test_yes_and_no_are_both_asked_for_and_stay_a_small_share():
    counts = Counter(row["answer"] for row in answerable() if row["answer"] in YES_NO)
    assert min(counts["Yes"], counts["No"]) >= 5
    assert sum(counts.values()) <= 0.15 * len(answerable())


def test_every_document_is_asked_about_at_least_three_times():
    asked = Counter(row["source"] for row in answerable())
    assert set(asked) == {relative(path) for path in documents()}
    assert min(asked.values()) >= 3, asked


def test_questions_do_not_repeat_their_evidence_word_for_word():
    for row in answerable():
        question, evidence = words(row["question"]), " ".join(words(row["evidence"]))
        runs = [" ".join(question[i : i + 8]) for i in range(len(question) - 7)]
        assert not [run for run in runs if run in evidence], row["id"]


def test_unanswerable_questions_have_no_answer_source_or_evidence():
    for row in rows():
        if not row["answerable"]:
            assert (row["answer"], row["source"], row["evidence"]) == ("", "", ""), row["id"]


def test_the_readme_lists_every_document():
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    assert [relative(path) for path in documents() if f"`{relative(path)}`" not in readme] == []


def test_every_pdf_and_docx_has_a_source_text_with_the_same_words():
    """The binaries were rebuilt after the last change of their source."""
    targets = {}
    script = (DATA / "make_documents.py").read_text(encoding="utf-8")
    for source, target in re.findall(r'"([\w.-]+\.md)": "([\w./-]+\.(?:pdf|docx))"', script):
        targets[target] = DATA / "sources" / source
    binaries = {relative(path) for path in documents() if path.suffix in {".pdf", ".docx"}}
    assert set(targets) == binaries
    for target, source in targets.items():
        lines = source.read_text(encoding="utf-8").splitlines()
        marked = re.compile(r"^(?:#+ |> |- |\d+\. )")
        wanted = Counter(words(" ".join(marked.sub("", line) for line in lines)))
        assert not wanted - Counter(words(document_text(target))), target


def test_the_questions_for_choosing_settings_are_answered_by_their_documents_and_are_none_of_the_eval_set():
    chosen = [json.loads(line) for line in (DATA / "dev_set.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(chosen) >= 150 and len({row["id"] for row in chosen}) == len({row["question"] for row in chosen}) == len(chosen)
    asked = [set(words(row["question"])) for row in rows()]
    for row in chosen:
        assert normalise(row["answer"]) in document_text(row["source"]), row["id"]
        mine = set(words(row["question"]))
        assert max(len(mine & other) / len(mine | other) for other in asked) < 0.75, row["id"]
