"""From the parameters to documents and chunks: what the first cells of 1_gen and its plan have in common."""

from collections.abc import Callable, Sequence
from pathlib import Path

from lib.gen.chunk import check_chunking, cut_chunks
from lib.gen.crawl import Manners, list_pages, make_web
from lib.gen.load import Loaded, load_documents, read_kept
from lib.gen.records import Chunk, Document, Drop
from lib.gen.sitemap import is_sitemap
from lib.run import BadInput
from lib.run.tokens import tokenizer_file

CHUNKING = ("chunker", "chunk_chars", "chunk_tokens", "p_overlap", "min_chunk_chars", "p_breakpoint", "near_duplicates")


def check(p: dict) -> None:
    """Refuse, before anything is read or fetched, what cannot work.

    Raises:
        BadInput: Names the parameter, what was expected and what came.
    """
    check_chunking(**{name: p[name] for name in CHUNKING})
    if not p["documents"] and p["recipe"] != "conversations":
        raise BadInput("documents: expected a file, a folder or the address of a sitemap; found an empty text")
    if p["chunker"] == "tokens" and not tokenizer_file(p["student_model"]):
        raise BadInput(
            f"chunker tokens: expected the tokenizer of student_model {p['student_model']!r} on this machine, found none; "
            "give a folder with a tokenizer.json, or fetch the model first: hf download NAME"
        )
    if not p["text_column"]:
        raise BadInput("text_column: expected the name of a field, such as text; found an empty text")
    for name, least in (("crawl_delay_s", 0.0), ("crawl_max_pages", 1), ("crawl_max_mb", 0.001)):
        if p[name] < least:
            raise BadInput(f"{name}: expected {least:g} or more, found {p[name]:g}")
    agent = p["crawl_agent"]
    if not agent.strip() or not agent.isascii() or not agent.isprintable():
        raise BadInput(f"crawl_agent: expected a name of ASCII letters, such as raft-notebooks; found {agent!r}")
    if not all(isinstance(host, str) and host and "/" not in host for host in p["crawl_private"]):
        raise BadInput(
            f"crawl_private: expected a list of hosts, such as [intranet.local, '10.0.0.5:8080']; found {p['crawl_private']!r}"
        )


def manners(p: dict) -> Manners:
    """How a crawl with these parameters behaves."""
    size = int(p["crawl_max_mb"] * 1_000_000)
    return Manners(p["crawl_delay_s"], p["crawl_max_pages"], size, p["crawl_agent"], tuple(p["crawl_private"]))


def load_sources(p: dict, run_dir: Path) -> Loaded:
    """Read the documents; the pages of a sitemap are fetched into `crawl/` of the run first."""
    web = {"crawl_dir": Path(run_dir) / "crawl", "manners": manners(p), "refresh": p["crawl_refresh"]}
    return load_documents(p["documents"], text_column=p["text_column"], **web)


def preview(p: dict) -> tuple[Loaded | None, list[dict]]:
    """What a plan can know: the documents, or nothing but the number of pages where a sitemap was not crawled yet.

    Nothing is written. Of a sitemap, only the sitemap itself is fetched.
    """
    if not is_sitemap(p["documents"]):
        return load_documents(p["documents"], text_column=p["text_column"]), []
    loaded = read_kept(Path("runs") / p["run"] / "crawl", p["text_column"])
    listed = list_pages(p["documents"], make_web(manners(p)), None, refresh=False)
    n = min(len(listed["pages"]), p["crawl_max_pages"])
    left = max(0, n - len(loaded.pages)) if loaded else n
    minutes = round(left * p["crawl_delay_s"] / 60, 1)
    note = f"{len(listed['pages'])} in the sitemap; {left} to be fetched, {minutes:g} minutes or more"
    if not loaded:
        note += "; chunks, calls and tokens are known once they are: run 1_gen"
    return loaded, [{"item": "pages", "value": n, "unit": "pages", "note": note}]


def cut_sources(
    p: dict, documents: Sequence[Document], count_tokens: Callable[[str], int], embedder=None
) -> tuple[list[Chunk], list[Drop]]:
    """Cut documents into chunks; `embedder` (an Asker) is needed by the chunker `semantic` only."""
    embed = (lambda texts: embedder.embed(texts, "sentences")) if embedder else None
    return cut_chunks(documents, count_tokens=count_tokens, embed=embed, **{name: p[name] for name in CHUNKING})


def chunk_table(chunks: Sequence[Chunk], dropped: Sequence[Drop]):
    """Rows of what and how many: chunks kept, near-duplicates among them, and what was dropped, by reason."""
    import pandas as pd

    groups = len({chunk.duplicate_group for chunk in chunks})
    rows = [("chunks kept", len(chunks)), ("of them near-copies of another", len(chunks) - groups)]
    reasons = sorted({drop.reason for drop in dropped})
    rows += [(f"dropped: {reason}", sum(drop.reason == reason for drop in dropped)) for reason in reasons]
    return pd.DataFrame(rows, columns=["what", "n"])
