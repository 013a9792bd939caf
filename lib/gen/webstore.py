"""Pages of a crawl on disk: `pages.jsonl` with a line for every attempt (the last one of an address holds) and a file for every body."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lib.gen.fetch import Answer
from lib.gen.records import content_id
from lib.run import file_hash

SUFFIX_BY_TYPE = {
    "text/html": ".html", "application/xhtml+xml": ".html", "text/plain": ".txt", "text/markdown": ".md",
    "application/pdf": ".pdf", "application/json": ".json", "application/x-ndjson": ".jsonl", "text/csv": ".csv",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}  # fmt: skip


@dataclass(frozen=True)
class Page:
    """One address: where it led, when, what came, and where the bytes are kept (`file`, below the crawl's folder).

    `problem` is empty for a page that was had. `settled` names the policy under which a problem would come again.
    """

    url: str
    final_url: str = ""
    fetched_at: str = ""
    status: int = 0
    content_type: str = ""
    charset: str = ""
    etag: str = ""
    last_modified: str = ""
    sha256: str = ""
    n_bytes: int = 0
    file: str = ""
    problem: str = ""
    settled: str = ""

    @classmethod
    def of_answer(cls, url: str, final_url: str, answer: Answer, fetched_at: str) -> "Page":
        """A page as a server sent it."""
        kind, _, rest = answer.headers.get("content-type", "").partition(";")
        kind = kind.strip().lower()
        name = final_url.split("?")[0].lower()
        known = next((s for s in {*SUFFIX_BY_TYPE.values()} if name.endswith(s)), "")
        generic = kind in ("", "application/octet-stream", "binary/octet-stream")
        suffix = SUFFIX_BY_TYPE.get(kind) or (known if generic else "." + (kind.rpartition("/")[2] or "unknown"))
        if kind == "text/plain" and known in (".md", ".csv", ".jsonl"):
            suffix = known
        charset = rest.lower().partition("charset=")[2].split(";")[0].strip(" \"'")
        safe = "".join(c for c in suffix if c.isalnum() or c in ".-+")[:40] or ".unknown"
        return cls(
            url, final_url, fetched_at, answer.status, kind, charset, answer.headers.get("etag", ""),
            answer.headers.get("last-modified", ""), hashlib.sha256(answer.body).hexdigest(), len(answer.body),
            f"pages/{content_id(url)}{safe}",
        )  # fmt: skip

    def without_body(self, problem: str, settled: str) -> "Page":
        """The same page where nothing is worth keeping."""
        return replace(self, problem=problem, settled=settled, file="", sha256="", n_bytes=0)

    def settle(self, policy: str) -> "Page":
        """A problem that would come again under this policy."""
        return replace(self, settled=policy)

    def again(self, fetched_at: str) -> "Page":
        """A kept page that a server says is still the same."""
        return replace(self, fetched_at=fetched_at)

    def conditions(self) -> dict[str, str]:
        """Headers that ask for the page only if it changed."""
        wanted = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in wanted.items() if value}


class PageStore:
    """What a crawl fetched, found again by address.

    Args:
        folder: Where it is kept; made with the first page.
    """

    def __init__(self, folder: Path):
        self._folder = Path(folder)
        self._log = self._folder / "pages.jsonl"
        self._pages: dict[str, Page] = {}
        for line in self._log.read_text(encoding="utf-8").split("\n") if self._log.is_file() else ():
            try:
                page = Page(**json.loads(line))
            except (ValueError, TypeError):  # the half line of a crawl that was killed
                continue
            self._pages[page.url] = page

    def get(self, url: str) -> Page | None:
        """What is known of an address; a page whose bytes are gone or changed is not known."""
        page = self._pages.get(url)
        if page and page.file and not self._whole(page):
            return None
        return page

    def pages(self) -> list[Page]:
        """Everything known, in the order in which it was first asked for."""
        return list(self._pages.values())

    def put(self, page: Page, body: bytes) -> Page:
        """Keep a page; its bytes are written before the line that names them."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if body:
            path = self._folder / page.file
            path.parent.mkdir(exist_ok=True)
            partial = path.with_name(f".{path.name}.partial")
            partial.write_bytes(body)
            partial.replace(path)
        with open(self._log, "a+b") as file:
            if file.tell() and not self._ends_line(file):
                file.write(b"\n")
            file.write((json.dumps(asdict(page), ensure_ascii=False) + "\n").encode())
        self._pages[page.url] = page
        return page

    def _whole(self, page: Page) -> bool:
        path = self._folder / page.file
        return path.is_file() and file_hash(path) == page.sha256

    @staticmethod
    def _ends_line(file) -> bool:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
