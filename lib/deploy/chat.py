"""Talk to a run's model in a terminal: `python -m lib.deploy.chat --run NAME`. Finds its server, or serves it until the chat ends.

Lines of input are questions; `/new` forgets the conversation, `/show` prints every passage of the last turn in full, `/quit` ends.
"""

import argparse
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

from lib.deploy.passages import Passages
from lib.deploy.roles import served_role
from lib.deploy.serve import ensure_served, stop_served
from lib.deploy.show import as_text, source_of
from lib.deploy.talk import Talk, allows_turns
from lib.llm import EndpointError, Format, connect
from lib.llm.search import Search
from lib.run import BadInput, read_jsonl
from lib.run.leftovers import own, read_servers
from lib.run.manifest import read_manifest
from lib.run.passages import most_passages

WITH_TURNS = ("conversations", "summaries")  # recipes whose rows hold several turns; all others teach, and 4_eval asks, single questions
MEASURED = ("retriever", "reranker", "top_k", "max_reply_tokens")  # as the report has them, where there is one
HELP = "ask a question, or: /new forgets the conversation, /show prints the passages, /quit ends"


class FinishedRun:
    """A run as its files and `run.json` tell it: parameters and paths, to be read and not made.

    Args:
        folder: `runs/<run>`.
        notebook: Who asks; the servers it starts are recorded as its own.

    Raises:
        BadInput: No such run, or its `run.json` is damaged.
    """

    def __init__(self, folder: Path, notebook: str = "chat"):
        if not (folder / "run.json").is_file():
            near = ", ".join(sorted(path.parent.name for path in folder.parent.glob("*/run.json"))) or "none yet"
            raise BadInput(f"run {folder.name}: there is no {folder}/run.json; runs: {near}")
        self.dir, self.notebook = folder, notebook
        parameters = read_manifest(folder / "run.json")["parameters"]
        merged = {name: value for stage in parameters.values() for name, value in stage.items()}
        measured = {name: value for name, value in parameters.get("4_eval", {}).items() if name in MEASURED}
        only_measured = {"controls": False, "contexts": [], "perplexity_tokens": []}
        self.p = SimpleNamespace(**merged | parameters.get("3_deploy", {}) | measured | {"keep_serving": False} | only_measured)
        self.warnings: list[str] = []

    def path(self, name: str) -> Path:
        """Path of a file to write; its folder is made."""
        (self.dir / name).parent.mkdir(parents=True, exist_ok=True)
        return self.dir / name

    def need(self, name: str) -> Path:
        """Path of a file that a notebook left.

        Raises:
            FileNotFoundError: It is not there.
        """
        if not (self.dir / name).exists():
            raise FileNotFoundError(f"{self.dir / name} is missing: run the notebook that makes it first")
        return self.dir / name

    def record(self, **facts) -> None:
        """Nothing: what a chat asks is no part of the run's account; the request store has it."""

    def stand_in(self, role: str, what: str) -> None:
        """Say that something stands in for the real thing."""
        print(f"stand-in: {role} = {what}")


def open_talk(run, system: str, *, top_k: int = 0, remembers: bool | None = None) -> Talk:
    """A conversation with a system that answers already.

    Args:
        run: An open run.
        system: `student`, `baseline`, or another one that is served.
        top_k: Passages shown with a question; 0 for the number that the report speaks of: training's where it was asked, else the largest.
        remembers: Whether earlier turns count; None for as the student was trained, where its template allows it.

    Raises:
        BadInput: More passages than the servers have room for, or a system that is not served.
    """
    role = served_role(run, system)
    record = read_servers(run.dir)[system]
    chunks = read_jsonl(run.need("dataset/chunks.jsonl"))
    widths = getattr(run.p, "top_k", [3])
    if top_k < 0:
        raise BadInput(f"--top-k: expected 0 or more; found {top_k}")
    if top_k > max(widths):
        raise BadInput(f"--top-k: this run's servers have room for {max(widths)} passages, its largest top_k; found {top_k}")
    made = read_manifest(run.dir / "run.json")["parameters"].get("1_gen", {})
    trained = most_passages(made, 0)
    remembers = made.get("recipe") in WITH_TURNS if remembers is None else remembers
    reply_tokens = getattr(run.p, "max_reply_tokens", 512)
    return Talk(
        role, Format.load(run.need("dataset/format.json")), Passages(chunks, lambda: open_search(run, chunks)),
        top_k or (trained if trained in widths else max(widths)), record.get("max_model_len", 8192), reply_tokens,
        remembers and allows_turns(role),
    )  # fmt: skip


def open_search(run, chunks: list[dict]) -> Search:
    """The search of a run's chunks by its own retriever, with the index that 4_eval keeps."""
    retriever = getattr(run.p, "retriever", "hybrid")
    embedder = connect("embedder", run, budget_usd=getattr(run.p, "budget_usd", 0.0)) if retriever != "bm25" else None
    reranker, cache = getattr(run.p, "reranker", ""), run.path("index/kept").parent
    return Search(chunks, retriever, embedder=embedder, reranker=reranker, cache=cache)


def converse(talk: Talk, questions: Iterable[str], *, colour: bool) -> int:
    """Answer questions as they come; returns 1 when the server went away, else 0."""
    for line in questions:
        line = line.strip()
        if line in ("/quit", "/exit"):
            break
        if line == "/new":
            talk.turns.clear()
            print("forgotten")
        elif line == "/show":
            for i, chunk in enumerate(talk.turns[-1].passages if talk.turns else (), 1):
                print(f"[{i}] {source_of(chunk)}\n{chunk['text']}\n")
        elif line.startswith("/"):
            print(HELP)
        elif line:
            try:
                for piece in talk.ask(line):
                    print(piece, end="", flush=True)
            except EndpointError as error:
                print(f"\nerror: {error}", file=sys.stderr)
                return 1
            print("\n" + as_text(talk.turns[-1], colour=colour), flush=True)
    return 0


def read_lines(prompt: str) -> Iterable[str]:
    """Lines that a person types, or that are piped in, until the end of input."""
    while True:
        try:
            yield input(prompt)
        except EOFError:
            return


def main(arguments: list[str]) -> int:
    """The command; returns its exit code."""
    parser = argparse.ArgumentParser("python -m lib.deploy.chat", description=__doc__.splitlines()[0])
    parser.add_argument("--run", required=True, metavar="NAME", help="name of the run")
    parser.add_argument("--system", default="student", help="student (default), baseline, or another served system")
    parser.add_argument("--top-k", type=int, default=0, metavar="N", help="passages shown; 0 as in the report (default)")
    memory = parser.add_mutually_exclusive_group()
    memory.add_argument("--single", dest="remembers", action="store_false", default=None, help="each question for itself")
    memory.add_argument("--remember", dest="remembers", action="store_true", help="send earlier turns along (default only after recipes with turns)")
    options = parser.parse_args(arguments)
    own()  # a server started here ends with the chat
    run = None
    try:
        run = FinishedRun(Path("runs") / options.run)
        ensure_served(run, [options.system])
        talk = open_talk(run, options.system, top_k=options.top_k, remembers=options.remembers)
        talk.passages.search  # noqa: B018 (made before the first question: it may embed every passage)
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        if terminal:
            memory = "remembers the conversation" if talk.remembers else "each question for itself"
            print(f"{options.system}: {talk.role.model}, {talk.top_k} of {len(talk.passages.chunks)} passages shown ({getattr(run.p, 'retriever', 'hybrid')}), {memory}\n{HELP}")
        return converse(talk, read_lines("> " if terminal else ""), colour=terminal and "NO_COLOR" not in os.environ)
    except (BadInput, FileNotFoundError, RuntimeError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        if run is not None:
            stop_served(run)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
