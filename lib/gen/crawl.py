"""A sitemap's pages, fetched politely and kept: `crawl/pages.jsonl` and `crawl/pages/` of a run.

robots.txt is honoured, every host gets one request at a time with a pause, sizes are capped, private addresses refused. What was
fetched once is not fetched again; a crawl that was stopped goes on where it was. Reading the pages is `lib.gen.load`'s.
"""

import http.client
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from lib.gen.fetch import Answer, Refused, clean_url, get
from lib.gen.records import content_id
from lib.gen.robots import Robots
from lib.gen.sitemap import MAX_BYTES, parse_sitemap
from lib.gen.webstore import Page, PageStore
from lib.run import BadInput, Progress, file_hash, read_json, write_json

MAX_REDIRECTS = 5
MAX_SITEMAPS = 1000  # an index of indices that never ends is no index
ROBOTS_BYTES = 500 * 1024  # RFC 9309, section 2.5
PATIENCE_S = 60.0  # longest wait that a Retry-After may ask for
TRIES = 3
BUSY = (429, 502, 503, 504)


@dataclass(frozen=True)
class Manners:
    """How a crawl behaves.

    Attributes:
        delay_s: Seconds between two requests to one host; more where its robots.txt asks for more.
        max_pages: Pages fetched at most.
        max_bytes: Longest page.
        agent: Name given to servers and looked up in robots.txt.
        private: Hosts (`name` or `name:port`) that may lie at a private address.
        timeout_s: Longest silence of a server.
    """

    delay_s: float = 1.0
    max_pages: int = 1000
    max_bytes: int = 5_000_000
    agent: str = "raft-notebooks"
    private: tuple[str, ...] = ()
    timeout_s: float = 20.0


def crawl(sitemap: str, folder: Path, manners: Manners, *, refresh: bool = False) -> list[Page]:
    """Fetch what a sitemap names.

    Args:
        sitemap: Address or local file of a sitemap or an index of sitemaps, gzipped or not.
        folder: Where pages are kept, `runs/<run>/crawl`.
        manners: How to behave.
        refresh: Ask again for what is kept; a server that says "not modified" sends nothing.

    Returns:
        A page for every address named, in the sitemap's order; one that could not be had carries its `problem`.

    Raises:
        BadInput: The sitemap cannot be read, or names no page.
    """
    web = _Web(manners)
    store = PageStore(folder)
    listed = list_pages(sitemap, web, folder / "sitemap.json", refresh=refresh)
    urls = listed["pages"]
    wanted = urls[: manners.max_pages]
    policy = content_id(manners.agent, str(manners.max_bytes), *manners.private)
    counter = Progress(len(wanted), f"pages of {sitemap}")
    pages = []
    for url in wanted:
        known = store.get(url)
        if refresh or known is None or not (known.file or known.settled == policy):
            held = known if known and known.file else None
            page, body = web.fetch_page(url, held)
            if not (
                held and page.problem and not page.settled
            ):  # a server that is down for a moment takes nothing away
                known = store.put(page.settle(policy) if page.settled else page, body)
        pages.append(known)
        counter.advance()
    pages += [Page(url, problem=problem) for url, problem in listed["problems"]]
    if left := len(urls) - len(wanted):
        pages.append(Page(sitemap, problem=f"crawl_max_pages reached: {left} pages of the sitemap were not fetched"))
    return pages


def make_web(manners: Manners) -> "_Web":
    """The outside, to be asked with these manners."""
    return _Web(manners)


def list_pages(sitemap: str, web: "_Web", kept: Path | None, *, refresh: bool) -> dict:
    """Addresses of all pages in order (`pages`) and sitemaps that could not be read (`problems`), kept in a file unless it is None.

    Raises:
        BadInput: The sitemap cannot be read, or names no page.
    """
    local = Path(sitemap) if not _is_url(sitemap) else None
    of = {"sitemap": sitemap, "sha256": file_hash(local) if local else ""}
    if kept and kept.is_file() and not refresh:
        known = read_json(kept)
        if known["of"] == of and not known["problems"]:
            return known
    pages: dict[str, None] = {}
    problems: list[tuple[str, str]] = []
    waiting, seen = [sitemap], {sitemap}
    while waiting:
        name = waiting.pop(0)
        try:
            found = parse_sitemap(Path(name).read_bytes() if local and name == sitemap else web.fetch_sitemap(name))
        except (ValueError, OSError, http.client.HTTPException) as error:
            if name == sitemap:
                raise BadInput(f"documents: cannot read the sitemap {sitemap}: {_reason(error)}") from error
            problems.append((name, _reason(error)))
            continue
        for url in found.pages:
            try:
                pages[clean_url(url)] = None
            except Refused as error:
                problems.append((url, str(error)))
        new = [url for url in found.sitemaps if url not in seen]
        problems += [(url, f"more than {MAX_SITEMAPS} sitemaps") for url in new[MAX_SITEMAPS - len(seen) :]]
        new = new[: MAX_SITEMAPS - len(seen)]
        seen.update(new)
        waiting += new
    if not pages:
        why = "; ".join(f"{name}: {problem}" for name, problem in problems[:3]) or "it is empty"
        raise BadInput(f"documents: the sitemap {sitemap} names no page that can be asked for ({why})")
    listed = {"of": of, "read_at": _now(), "pages": list(pages), "problems": problems}
    if kept:
        write_json(kept, listed)
    return listed


class _Web:
    """The outside as one crawl sees it: a clock and the rules of every host."""

    def __init__(self, manners: Manners):
        self._manners = manners
        self._robots: dict[str, tuple[Robots, str]] = {}  # host -> rules, and why everything is forbidden
        self._asked_at: dict[str, float] = {}  # host -> when its last reply had come
        self._pause: dict[str, float] = {}  # host -> seconds that it asked for beyond the usual ones

    def fetch_sitemap(self, url: str) -> bytes:
        """The bytes of one sitemap. Redirects are followed; it was named on purpose, so robots.txt is not asked."""
        answer, _ = self._follow(url, max_bytes=MAX_BYTES, ask_robots=False)
        if answer.status != 200:
            raise ValueError(f"status {answer.status}")
        return answer.body

    def fetch_page(self, url: str, known: Page | None) -> tuple[Page, bytes]:
        """One page and its bytes, or a page with its problem; `known` is what is kept of it."""
        headers = known.conditions() if known else {}
        try:
            answer, final = self._follow(url, max_bytes=self._manners.max_bytes, ask_robots=True, headers=headers)
        except Refused as error:
            return Page(url, fetched_at=_now(), problem=str(error), settled="yes"), b""
        except (OSError, http.client.HTTPException) as error:
            return Page(url, fetched_at=_now(), problem=_reason(error)), b""
        page = Page.of_answer(url, final, answer, _now())
        if answer.status == 304 and known:
            return known.again(page.fetched_at), b""
        if answer.status != 200:
            settled = "yes" if 400 <= answer.status < 500 and answer.status not in (408, 429) else ""
            return page.without_body(f"status {answer.status}", settled), b""
        if not answer.body.strip():
            return page.without_body("empty: 0 bytes", "yes"), b""
        return page, answer.body

    def _follow(self, url: str, *, max_bytes: int, ask_robots: bool, headers: dict | None = None) -> tuple[Answer, str]:
        """Ask, and ask where one is sent on to; every hop is looked at as if it were the first."""
        first = url
        for _ in range(MAX_REDIRECTS + 1):
            url = clean_url(url)
            if ask_robots:
                self._check_robots(url)
            answer = self._patient_get(url, max_bytes, headers)
            if answer.status not in (301, 302, 303, 307, 308) or "location" not in answer.headers:
                return answer, url
            target = _target(url, answer.headers["location"])
            if url.startswith("https:") and target.startswith("http:"):
                raise Refused(f"redirected from https to http: {target[:100]}")
            url, headers = target, None
        raise Refused(f"more than {MAX_REDIRECTS} redirects from {first[:100]}")

    def _check_robots(self, url: str) -> None:
        robots, why = self._rules(url)
        if not robots.allow(url):
            raise (OSError if why else Refused)(why or "robots.txt forbids it")

    def _rules(self, url: str) -> tuple[Robots, str]:
        """The rules of an address's host. No file (4xx) forbids nothing; one that cannot be had forbids everything for now."""
        host = _host(url)
        if host not in self._robots:
            agent = self._manners.agent
            try:
                answer, _ = self._follow(urljoin(url, "/robots.txt"), max_bytes=ROBOTS_BYTES, ask_robots=False)
            except Refused:
                raise
            except (OSError, http.client.HTTPException) as error:
                self._robots[host] = Robots(None, agent), f"robots.txt could not be had: {_reason(error)}"
            else:
                if answer.status == 200:
                    self._robots[host] = Robots(answer.body.decode("utf-8", "replace"), agent), ""
                elif answer.status in (401, 403):
                    self._robots[host] = Robots(None, agent), ""
                elif answer.status < 500 and answer.status != 429:
                    self._robots[host] = Robots("", agent), ""
                else:
                    self._robots[host] = Robots(None, agent), f"robots.txt could not be had: status {answer.status}"
        return self._robots[host]

    def _patient_get(self, url: str, max_bytes: int, headers: dict | None) -> Answer:
        """One request when its host may be asked again; a busy host is asked a little later, at most `TRIES` times."""
        manners, host = self._manners, _host(url)
        for attempt in range(TRIES):
            asked_for = self._robots[host][0].delay_s() if host in self._robots else 0.0
            pause = max(self._pause.pop(host, 0.0), manners.delay_s, asked_for)
            time.sleep(max(0.0, self._asked_at.get(host, -1e9) + pause - time.monotonic()))
            try:
                answer = get(
                    url,
                    agent=manners.agent,
                    max_bytes=max_bytes,
                    private=manners.private,
                    timeout_s=manners.timeout_s,
                    headers=headers,
                )
            finally:
                self._asked_at[host] = time.monotonic()
            if answer.status not in BUSY or attempt == TRIES - 1:
                break
            after = answer.headers.get("retry-after", "")
            wait = float(after) if after.isdigit() else manners.delay_s * 2**attempt
            self._pause[host] = min(wait, PATIENCE_S)
        return answer


def _is_url(name: str) -> bool:
    return name.lower().startswith(("http://", "https://"))


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _target(url: str, location: str) -> str:
    """Where a page sends one on to."""
    try:
        target = urljoin(url, location)
    except ValueError:
        target = location  # to be refused as what it is
    return clean_url(target)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _reason(error: Exception) -> str:
    """Why a request failed, in one line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    text = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:200]
