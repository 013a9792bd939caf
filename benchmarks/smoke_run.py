"""Time and peak memory of a whole smoke run: `.venv/bin/python benchmarks/smoke_run.py [--repeat N] [-- run_all.sh options]`.

Every repetition is a run directory of its own, removed afterwards. Memory is the proportional set size (shared pages
counted once) summed over every process of the run, sampled twice a second: the CLI, kernels, trainer ranks and servers all
inherit RAFT_BENCHMARK. Linux only. Prints one JSON line a repetition, then the medians.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SAMPLE_S = 0.5


def processes_of(owner: bytes) -> list[Path]:
    """/proc folders of the processes that carry this marker in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if owner in (folder / "environ").read_bytes():
                found.append(folder)
        except OSError:
            continue
    return found


def pss_bytes(folder: Path) -> int:
    """Proportional set size of one process; 0 when it has just ended."""
    try:
        match = re.search(r"^Pss:\s+(\d+) kB", (folder / "smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) * 1024 if match else 0


def run_once(name: str, options: list[str]) -> dict:
    """One run from start to exit: status, seconds by notebook, peak memory in GB, and processes left behind."""
    start = time.monotonic()
    marker = f"RAFT_BENCHMARK={name}".encode()
    process = subprocess.Popen(
        ["./run_all.sh", "--run", name, *options], cwd=ROOT, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        env={**os.environ, "RAFT_BENCHMARK": name},
    )  # fmt: skip
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(pss_bytes, processes_of(marker))))
        time.sleep(SAMPLE_S)
    seconds = time.monotonic() - start
    time.sleep(2)
    stages = json.loads((ROOT / "runs" / name / "run.json").read_text())["stages"]
    return {
        "exit": process.returncode,
        "seconds": round(seconds),
        "peak_gb": round(peak / 1e9, 2),
        "left_behind": len(processes_of(marker)),
        "stages": {stage: [entry["started"], entry["ended"]] for stage, entry in stages.items()},
    }


def main() -> None:
    """Repeat, print, remove."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("options", nargs="*", help="passed on to run_all.sh, after --")
    arguments = parser.parse_args()
    results = []
    for number in range(arguments.repeat):
        name = f"benchmark-{number}"
        shutil.rmtree(ROOT / "runs" / name, ignore_errors=True)
        results.append(run_once(name, arguments.options))
        print(json.dumps(results[-1]), flush=True)
        shutil.rmtree(ROOT / "runs" / name, ignore_errors=True)
    print(
        f"median of {len(results)}: {statistics.median(r['seconds'] for r in results):.0f} s, "
        f"peak {statistics.median(r['peak_gb'] for r in results):.2f} GB"
    )


if __name__ == "__main__":
    main()
