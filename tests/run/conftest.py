"""A workshop: four toy notebooks in a folder of their own, small enough to run in seconds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

PARAMETERS = """run: str = "toy"  # name of the run
params_file: str = ""  # a YAML file
seed: int = 42  # where chance starts"""

CELLS = {
    "1_gen": {
        "parameters": PARAMETERS + '\ndocuments: str = "words.txt"  # what is read\nchunk_chars: int = 1000  # size, characters',
        "open": 'from lib.run import open_run, progress, read_jsonl, write_jsonl\nrun = open_run("1_gen", globals())',
        "split": "run.reads(run.p.documents)\n"
        "rows = [{'word': w} for w in progress(open(run.p.documents).read().split(), 'words')]",
        "write": "write_jsonl(run.path('dataset/train.jsonl'), rows[: run.p.chunk_chars // 50])",
        "finish": "run.finish([run.path('dataset/train.jsonl')])",
    },
    "2_finetune": {
        "parameters": PARAMETERS + "\nseconds: float = 0.0  # how long the trainer works",
        "open": 'import sys, lib.run\nfrom lib.run import launch, open_run\nrun = open_run("2_finetune", globals())',
        "train": "run.need('dataset/train.jsonl')\n"
        "trainer = launch([sys.executable, '-c', f'import time; time.sleep({run.p.seconds})', 'toy-trainer'],\n"
        "                 log_path=run.path('training/log.txt'))\n"
        "assert trainer.wait() == 0",
        "finish": "run.path('model/weights').write_text('w')\nrun.finish([run.path('model')])",
    },
    "3_deploy": {
        "parameters": PARAMETERS,
        "open": 'import os, sys\nfrom lib.run import launch, open_run, write_json\nrun = open_run("3_deploy", globals())',
        "serve": "run.need('model')\n"
        "server = launch([sys.executable, '-c', 'import time; time.sleep(600)', 'toy-server'],\n"
        "                log_path=run.path('serving/log'), owner_pid=int(os.environ['RAFT_OWNER_PID']))\n"
        "write_json(run.path('serving/servers.json'), {'student': {'pid': server.pid, 'base_url': 'http://x'}})",
        "finish": "run.finish([])",
    },
    "4_eval": {
        "parameters": PARAMETERS + "\ntop_k: list = [1]  # chunks shown",
        "open": 'from lib.run import open_run\nrun = open_run("4_eval", globals())',
        "answer": "run.need('dataset/train.jsonl')\nassert run.p.top_k, 'nothing to show'",
        "finish": "run.path('report.html').write_text('<p>report</p>')\nrun.finish([run.path('report.html')])",
    },
}


class Workshop:
    """Toy notebooks in `folder` and the command run on them."""

    cells = CELLS

    def __init__(self, folder: Path):
        self.folder = folder
        self.run_dir = folder / "runs" / "toy"
        (folder / "parameters").mkdir()
        (folder / "parameters" / "smoke.yaml").write_text("run: toy\n")
        (folder / "words.txt").write_text("one two three four")
        for notebook, cells in CELLS.items():
            self.write(notebook, cells)
        python_path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
        self.env = {**os.environ, "PYTHONPATH": python_path, "JUPYTER_PLATFORM_DIRS": "1"}

    def write(self, notebook: str, cells: dict[str, str]) -> None:
        """Write one notebook, code cells by id."""
        body = [
            {"cell_type": "code", "id": name, "source": source, "outputs": [], "execution_count": None,
             "metadata": {"tags": ["parameters"]} if name == "parameters" else {}}
            for name, source in cells.items()
        ]  # fmt: skip
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}, "language_info": {"name": "python"}}
        page = {"cells": body, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
        (self.folder / f"{notebook}.ipynb").write_text(json.dumps(page))

    def change(self, notebook: str, cell: str, source: str) -> None:
        """Write a notebook again with another source in one cell."""
        self.write(notebook, {**CELLS[notebook], cell: source})

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "lib.run.cli", *arguments]

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start the command in a process group of its own, its output piped."""
        return subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=self.env, text=True, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run the command to its end; output and errors together in `stdout`."""
        process = self.start(*arguments)
        output, _ = process.communicate(timeout=120)
        return subprocess.CompletedProcess(process.args, process.returncode, output, "")

    def processes(self) -> list[str]:
        """Command lines of live processes that work in or for this workshop."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if str(self.folder) in os.readlink(entry / "cwd"):
                    found.append((entry / "cmdline").read_bytes().decode().replace("\0", " "))
            except OSError:
                continue
        return [line for line in found if line]


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path)
