"""How large the report is and how fast it opens: questions × systems in a real browser, beside a report of twelve questions.

    python benchmarks/report.py [--questions 1000] [--systems 4] [--top-k 3 5 7] [--repeats 7]

Makes an invented evaluation of passages of about 1,000 characters, writes its report, and opens it from disk in a headless
chromium (which must be installed). Prints the answers in it, its size, the seconds that writing took, and the median time from
the start of the navigation until tables and questions stand, then the same for twelve questions, which is what the browser and
the machine need at least, and the load of the machine: absolute times count only on an idle one.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from lib.eval import gallery
from lib.eval.report import write_report
from lib.run import apply_style, read_json
from tests.fakes.browser import Browser, find_browser
from tests.fakes.evaluation import make_run

NAMES = ("student", "baseline", "teacher")
READY = "performance.getEntriesByName('ready')[0].startTime"


def main() -> None:
    """Make, write, open and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("questions", 1000), ("systems", 4), ("repeats", 7)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--top-k", type=int, nargs="+", default=[3, 5, 7])
    given = parser.parse_args()
    if not find_browser():
        sys.exit("expected chromium or chrome on the PATH; found none")
    apply_style()
    systems = [*NAMES, *(f"system{i}" for i in range(4, given.systems + 1))][: given.systems]
    found = {}
    with tempfile.TemporaryDirectory() as folder, Browser(Path(folder) / "profile") as browser:
        browser.size(1200)
        pages = {n: _page(Path(folder) / str(n), n, systems, given.top_k) for n in (given.questions, 12)}
        for _ in range(given.repeats):
            for n, (page, *_) in pages.items():
                browser.open(page)
                found.setdefault(n, []).append(browser.run(READY) / 1000)
    for n, (_, n_answers, size, seconds) in pages.items():
        print(
            f"{n:5} questions × {len(systems)} systems, {n_answers:6,} answers: {size / 1e6:5.2f} MB, written in {seconds:5.2f} s, "
            f"opens in {statistics.median(found[n]):5.2f} s (median of {given.repeats}, least {min(found[n]):.2f})"
        )
    print(f"ratio of the medians {statistics.median(found[given.questions]) / statistics.median(found[12]):.1f}; "
          f"load of the machine {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")  # fmt: skip


def _page(folder: Path, n: int, systems, top_k) -> tuple[Path, int, int, float]:
    """A report with its figures: the file, its answers, its bytes, and the seconds that writing it took."""
    run = make_run(folder, n_questions=n, systems=systems, top_k=top_k, controls=False, passage_words=140)
    drawn, skipped = gallery.draw_figures(folder / "eval", folder / "figures")
    start = time.monotonic()
    page = write_report(folder, manifest=read_json(folder / "run.json"), figures=drawn, skipped=skipped, top_k=run.top_k)
    seconds = time.monotonic() - start
    return page, len(run.answers), page.stat().st_size, seconds


if __name__ == "__main__":
    main()
