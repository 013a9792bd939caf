import gzip
import json
import socket
import ssl
import subprocess
import threading
import zlib
from dataclasses import replace

import pytest

from lib.gen import crawl as crawling
from lib.gen import fetch
from lib.gen.crawl import Manners, crawl
from lib.gen.fetch import Refused, clean_url, find_address, get, is_public
from lib.gen.load import load_documents
from lib.gen.robots import Robots
from lib.gen.sitemap import is_sitemap, parse_sitemap
from lib.run import BadInput, read_jsonl

from .website import page, serve


@pytest.fixture
def site():
    with serve() as website:
        yield website


@pytest.fixture
def manners(site):
    """Fast manners that allow the website on loopback."""
    return Manners(delay_s=0, max_bytes=20_000, agent="raft-notebooks/1 (someone@example.org)", private=(site.host,))


def fill(site) -> None:
    """A site with one of everything that goes wrong."""
    site.pages = {
        "/robots.txt": b"User-agent: *\nDisallow: /private/\n",
        "/index.xml": site.sitemap("/a.xml.gz", "/gone.xml", kind="sitemap"),
        "/a.xml.gz": gzip.compress(
            site.sitemap("/good", "/private/x", "/dead", "/big", "/inside", "/hop", "/moved", "/picture")
        ),
        "/good": page("The mill closed in 1931 and never opened again."),
        "/moved": (301, {"Location": "/new"}, b""),
        "/new": page("The tower was built of red stone in 1824."),
        "/hop": (302, {"Location": "/private/x"}, b""),
        "/private/x": page("Not for crawlers."),
        "/inside": (302, {"Location": "http://169.254.169.254/latest/meta-data"}, b""),
        "/big": page("x" * 30_000),
        "/picture": (200, {"Content-Type": "image/png"}, b"\x89PNG"),
    }


def test_a_sitemap_index_gives_documents_and_a_row_with_its_reason_for_every_other_page(site, manners, tmp_path):
    fill(site)
    loaded = load_documents(f"{site.url}/index.xml", crawl_dir=tmp_path, manners=manners)
    assert [(d.source, d.title) for d in loaded.documents] == [
        (f"{site.url}/good", "Title"),
        (f"{site.url}/moved", "Title"),
    ]
    assert "Menu" not in loaded.documents[0].text
    reasons = {drop.source.removeprefix(site.url): drop.reason for drop in loaded.dropped}
    assert reasons == {
        "/private/x": "robots.txt forbids it",
        "/hop": "robots.txt forbids it",
        "/dead": "status 404",
        "/big": reasons["/big"],
        "/inside": reasons["/inside"],
        "/picture": "unsupported type .png",
        "/gone.xml": "status 404",
    }
    assert "too large" in reasons["/big"]
    assert "private address 169.254.169.254" in reasons["/inside"]
    assert "/private/x" not in site.paths()


def test_every_page_has_its_provenance_in_the_table_and_on_disk(site, manners, tmp_path):
    fill(site)
    table = load_documents(f"{site.url}/index.xml", crawl_dir=tmp_path, manners=manners).table()
    moved = table[table["source"] == f"{site.url}/moved"].iloc[0]
    assert moved["final_url"] == f"{site.url}/new"
    assert (moved["status"], moved["content_type"]) == (200, "text/html")
    assert moved["fetched_at"].endswith("+00:00")
    kept = {row["url"]: row for row in read_jsonl(tmp_path / "pages.jsonl")}
    assert set(kept) == {url for url in table["source"] if not url.endswith("/gone.xml")}
    row = kept[f"{site.url}/moved"]
    assert (tmp_path / row["file"]).read_bytes() == site.pages["/new"]
    assert row["sha256"] == moved["sha256"]


def test_what_is_kept_is_not_fetched_again_and_a_crawl_cut_short_goes_on(site, manners, tmp_path):
    fill(site)
    first = crawl(f"{site.url}/index.xml", tmp_path / "whole", manners)
    asked = len(site.asked)
    site.pages["/gone.xml"] = site.sitemap()
    (tmp_path / "whole/sitemap.json").unlink()
    again = crawl(f"{site.url}/index.xml", tmp_path / "whole", manners)
    assert sorted(site.paths()[asked:]) == ["/a.xml.gz", "/gone.xml", "/index.xml"]
    assert again == first[:-1]
    asked = len(site.asked)
    assert crawl(f"{site.url}/index.xml", tmp_path / "whole", manners) == again
    assert len(site.asked) == asked

    log = tmp_path / "whole/pages.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[:3]) + lines[3][:20])  # killed while it wrote the fourth
    (tmp_path / "whole/pages" / json.loads(lines[0])["file"].split("/")[1]).write_bytes(b"changed")
    resumed = crawl(f"{site.url}/index.xml", tmp_path / "whole", manners)
    assert [replace(p, fetched_at="") for p in resumed] == [replace(p, fetched_at="") for p in again]
    assert "/dead" not in site.paths()[asked:]
    assert {"/good", "/new"} <= set(site.paths()[asked:])


def test_a_failure_that_may_pass_is_tried_again_and_takes_nothing_away(site, manners, tmp_path):
    site.pages = {"/s.xml": site.sitemap("/a", "/b"), "/a": page("One page."), "/b": (500, {}, b"")}
    assert [p.problem for p in crawl(f"{site.url}/s.xml", tmp_path, manners)] == ["", "status 500"]
    site.pages |= {"/a": (500, {}, b""), "/b": page("Another page.")}
    assert [p.problem for p in crawl(f"{site.url}/s.xml", tmp_path, manners)] == ["", ""]
    assert [bool(p.file) for p in crawl(f"{site.url}/s.xml", tmp_path, manners, refresh=True)] == [True, True]


def test_a_refresh_asks_only_for_what_changed(site, manners, tmp_path):
    tagged = (200, {"Content-Type": "text/html", "ETag": '"1"'}, page("One page."))
    site.pages = {"/s.xml": site.sitemap("/a"), "/a": tagged}
    [first] = crawl(f"{site.url}/s.xml", tmp_path, manners)
    [again] = crawl(f"{site.url}/s.xml", tmp_path, manners, refresh=True)
    assert site.asked[-1][2]["If-None-Match"] == '"1"'
    assert (again.sha256, again.status, again.file) == (first.sha256, 200, first.file)


def test_requests_to_a_host_keep_their_distance_and_its_own_wish_counts(site, manners, tmp_path):
    site.pages = {"/s.xml": site.sitemap("/a", "/b", "/c")}
    site.pages |= {f"/{name}": page(f"Page {name} of it.") for name in "abc"}
    crawl(f"{site.url}/s.xml", tmp_path / "1", replace(manners, delay_s=0.1))
    times = [when for when, _, _ in site.asked]
    assert min(b - a for a, b in zip(times, times[1:])) >= 0.095
    assert len({headers["User-Agent"] for _, _, headers in site.asked}) == 1
    assert site.asked[0][2]["User-Agent"].startswith("raft-notebooks")
    del site.asked[:]
    site.pages["/robots.txt"] = b"User-agent: raft-notebooks\nCrawl-delay: 1\n"
    crawl(f"{site.url}/s.xml", tmp_path / "2", replace(manners, max_pages=1))
    times = [when for when, _, _ in site.asked]
    assert times[-1] - times[-2] >= 0.95


def test_a_busy_host_is_asked_again_when_it_says(site, manners, tmp_path, monkeypatch):
    waits = []
    monkeypatch.setattr(crawling.time, "sleep", waits.append)
    site.pages = {"/s.xml": site.sitemap("/a"), "/a": (429, {"Retry-After": "30"}, b"")}
    [held] = crawl(f"{site.url}/s.xml", tmp_path, manners)
    assert held.problem == "status 429"
    assert site.paths().count("/a") == crawling.TRIES
    assert sum(wait > 29 for wait in waits) == crawling.TRIES - 1


def test_pages_beyond_the_maximum_are_a_row_with_their_number(site, manners, tmp_path):
    site.pages = {"/s.xml": site.sitemap(*(f"/{i}" for i in range(9))), "/0": page("The first page of nine.")}
    loaded = load_documents(f"{site.url}/s.xml", crawl_dir=tmp_path, manners=replace(manners, max_pages=1))
    assert [d.reason for d in loaded.dropped] == ["crawl_max_pages reached: 8 pages of the sitemap were not fetched"]
    assert "/1" not in site.paths()


def test_robots_that_cannot_be_had_forbid_and_robots_that_are_not_there_do_not(site, manners, tmp_path):
    site.pages = {"/s.xml": site.sitemap("/a"), "/a": page("One page.")}
    assert crawl(f"{site.url}/s.xml", tmp_path / "1", manners)[0].problem == ""
    site.pages["/robots.txt"] = (500, {}, b"")
    [held] = crawl(f"{site.url}/s.xml", tmp_path / "2", manners)
    assert held.problem.endswith("robots.txt could not be had: status 500")
    site.pages["/robots.txt"] = (403, {}, b"")
    assert crawl(f"{site.url}/s.xml", tmp_path / "3", manners)[0].problem == "robots.txt forbids it"


def test_a_private_address_is_refused_unless_its_host_is_named(site, manners, tmp_path):
    site.pages = {"/s.xml": site.sitemap("/a"), "/a": page("One page.")}
    with pytest.raises(BadInput, match=r"private address 127.0.0.1; name the host in crawl_private"):
        crawl(f"{site.url}/s.xml", tmp_path, replace(manners, private=()))
    by_name = site.url.replace("127.0.0.1", "localhost")
    site.pages["/a"] = (302, {"Location": f"{by_name}/b"}, b"")
    [held] = crawl(f"{site.url}/s.xml", tmp_path, manners)
    assert "localhost lies at the private address" in held.problem
    assert "/b" not in site.paths()


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255",
     "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"],
)  # fmt: skip
def test_private_addresses_are_private_however_they_are_written(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_public(address):
    assert is_public(address)


def test_the_connection_goes_to_the_address_that_was_checked(site, monkeypatch):
    answers = iter(["127.0.0.1", "10.0.0.1"])  # a name that points elsewhere the second time

    def resolve(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    site.pages["/"] = page("Here.")
    port = int(site.host.split(":")[1])
    real = socket.getaddrinfo
    monkeypatch.setattr(
        fetch.socket, "getaddrinfo", lambda h, p, *a, **k: (resolve if h == "two.test" else real)(h, p, *a, **k)
    )
    assert get(f"http://two.test:{port}/", agent="a", max_bytes=999, private=("two.test",)).status == 200
    with pytest.raises(Refused, match="private address 10.0.0.1"):
        find_address("two.test", port)


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "file:///etc/passwd", "http://u:p@a/", "http://", "http://a:x/", "javascript:1"]
)
def test_other_addresses_than_plain_web_ones_are_refused(url):
    with pytest.raises(Refused):
        clean_url(url)


def test_an_address_that_is_none_is_a_row_with_its_reason_in_a_sitemap_and_in_a_redirect(site, manners, tmp_path):
    site.pages = {"/s.xml": site.sitemap("/a", "/away", "http://[bad"), "/a": page("A page."), "/away": (302, {"Location": "//[bad"}, b"")}
    loaded = load_documents(f"{site.url}/s.xml", crawl_dir=tmp_path, manners=manners)
    assert len(loaded.documents) == 1
    reasons = {drop.source: drop.reason for drop in loaded.dropped}
    assert set(reasons) == {f"{site.url}/away", "http://[bad"}
    assert all("no address (Invalid IPv6 URL)" in reason for reason in reasons.values())


def test_addresses_are_quoted_and_lose_their_fragment():
    assert (
        clean_url(" HTTP://Bücher.example:80/a b/ü?q=ö#part ") == "http://xn--bcher-kva.example/a%20b/%C3%BC?q=%C3%B6"
    )
    assert clean_url("https://a.b/%20x?y=%2F") == "https://a.b/%20x?y=%2F"


def test_a_packed_body_that_grows_without_end_is_cut_off(site, manners):
    bomb = gzip.compress(b"0" * 10_000_000)
    site.pages["/bomb"] = (200, {"Content-Encoding": "gzip"}, bomb)
    site.pages["/small"] = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"small"))
    site.pages["/cheat"] = (200, {"Content-Encoding": "gzip"}, b"not gzip")
    how = {"agent": "a", "max_bytes": 20_000, "private": (site.host,)}
    with pytest.raises(Refused, match="too large"):
        get(f"{site.url}/bomb", **how)
    assert get(f"{site.url}/small", **how).body == b"small"
    with pytest.raises(Refused, match="not the gzip"):
        get(f"{site.url}/cheat", **how)


def test_a_certificate_that_nobody_signed_is_not_trusted(tmp_path):
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    made += ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run(made, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        received = []

        def answer() -> None:
            try:
                with context.wrap_socket(listener.accept()[0], server_side=True) as secure:
                    received.append(secure.recv(100))
            except OSError:
                pass

        thread = threading.Thread(target=answer)
        thread.start()
        url = f"https://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(ssl.SSLCertVerificationError) as raised:
            get(url, agent="a", max_bytes=99, private=("127.0.0.1",))
        thread.join()
    assert not received
    assert crawling._reason(raised.value).startswith("its certificate is not trusted: ")


ROBOTS = """
User-agent: *
Disallow: /private/
Allow: /private/open
Disallow: /*.pdf$
Disallow: /*?print=

User-agent: other
Disallow: /
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/", True), ("/private/x", False), ("/private/open/y", True), ("/a/b.pdf", False), ("/a/b.pdf?x", True), ("/a?print=1", False), ("/%70rivate/x", False)],
)  # fmt: skip
def test_robots_rules_follow_the_longest_match_and_wildcards(path, allowed):
    assert Robots(ROBOTS, "raft-notebooks/1").allow(f"https://a.example{path}") is allowed


def test_a_group_for_this_crawler_replaces_the_general_one():
    text = ROBOTS + "\nUser-agent: RAFT-notebooks\nDisallow: /only\nRequest-rate: 1/5\n"
    robots = Robots(text, "raft-notebooks/1 (me)")
    assert robots.allow("https://a/private/x")
    assert not robots.allow("https://a/only/this")
    assert robots.delay_s() == 5
    assert not Robots(text, "other").allow("https://a/")


@pytest.mark.parametrize(
    ("text", "allowed", "forbidden", "delay_s"),
    [
        ("User-agent: *\nDisallow: /?\nDisallow: /*?\nDisallow: /*;\n", "/a", "/?s=1", 0),
        ("User-agent: *\n\nDisallow: /b\n", "/a", "/b", 0),
        ("User-agent: *\nDisallow: /b\n\nUser-agent: *\nDisallow: /c\nCrawl-delay: 2.5\n", "/a", "/c", 2.5),
        ("User-agent: *\nCrawl-delay: 3\nSitemap: https://a/s.xml\nDisallow: /b # secret\nDisallow:\n", "/a", "/b", 3),
    ],
    ids=["an empty query", "an empty line", "two groups of one name and half seconds", "a line of no group"],
)
def test_robots_are_read_as_rfc_9309_says(text, allowed, forbidden, delay_s):
    robots = Robots(text, "raft-notebooks")
    assert robots.allow(f"https://a{allowed}")
    assert not robots.allow(f"https://a{forbidden}")
    assert robots.delay_s() == delay_s


def test_a_sitemap_that_declares_entities_is_refused_in_any_encoding():
    bomb = '<?xml version="1.0" encoding="{}"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(ValueError, match="document type declaration"):
            parse_sitemap(bomb.format(encoding).encode(encoding))


def test_a_sitemap_that_grows_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("lib.gen.sitemap.MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="too large"):
        parse_sitemap(gzip.compress(b"<urlset>" + b" " * 5000 + b"</urlset>"))
    with pytest.raises(ValueError, match="broken gzip"):
        parse_sitemap(gzip.compress(b"<urlset>" + zlib.compress(b"x") + b"</urlset>")[:-12])


def test_a_local_sitemap_is_known_by_what_is_in_it(site, manners, tmp_path):
    site.pages = {"/a": page("The only page of it.")}
    path = tmp_path / "sitemap.xml.gz"
    path.write_bytes(gzip.compress(site.sitemap("/a")))
    assert is_sitemap(str(path))
    assert is_sitemap("https://example.org/sitemap.xml")
    (tmp_path / "other.xml").write_text("<rss></rss>")
    assert not is_sitemap(str(tmp_path / "other.xml"))
    assert not is_sitemap(str(tmp_path))
    loaded = load_documents(path, crawl_dir=tmp_path / "crawl", manners=manners)
    assert [d.source for d in loaded.documents] == [f"{site.url}/a"]


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("s.xml", b"<urlset><url><loc>http://a/", "no XML"),
        ("s.xml.gz", gzip.compress(b"<urlset/>")[:-4], "broken gzip"),
        ("s.xml", b"<rss/>", "expected <urlset> or <sitemapindex>, found <rss>"),
    ],
)
def test_a_local_sitemap_that_is_broken_is_told_by_what_is_wrong_with_it(tmp_path, name, body, reason):
    (tmp_path / name).write_bytes(body)
    with pytest.raises(BadInput, match=reason):
        load_documents(tmp_path / name)


def test_an_index_that_names_itself_ends(site, manners, tmp_path):
    site.pages = {
        "/s.xml": site.sitemap("/s.xml", "/t.xml", kind="sitemap"),
        "/t.xml": site.sitemap("/a"),
        "/a": page("A."),
    }
    assert len(crawl(f"{site.url}/s.xml", tmp_path, manners)) == 1
    assert site.paths().count("/s.xml") == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>A page.</body></html>", b"<rss></rss>", b"<urlset>", b"<urlset></urlset>"]
)
def test_what_is_no_sitemap_is_one_clear_line(site, manners, tmp_path, body):
    site.pages = {"/s.xml": body}
    with pytest.raises(BadInput, match=r"documents: .*the sitemap"):
        crawl(f"{site.url}/s.xml", tmp_path, manners)


def test_a_page_is_read_in_the_encoding_that_its_server_names(site, manners, tmp_path):
    said = "<p>Музей открыт</p>"
    site.pages = {"/s.xml": site.sitemap("/a", "/b")}
    site.pages["/a"] = (200, {"Content-Type": "text/html; charset=windows-1251"}, said.encode("cp1251"))
    meta = '<html><head><meta charset="koi8-r"></head><body>' + said.replace("Музей", "Архив")
    site.pages["/b"] = (200, {"Content-Type": "text/html"}, meta.encode("koi8-r"))
    loaded = load_documents(f"{site.url}/s.xml", crawl_dir=tmp_path, manners=manners)
    assert [d.text for d in loaded.documents] == ["Музей открыт", "Архив открыт"]
