"""`run.json`: what a run was made with and what each stage did. One writer at a time, every write atomic."""

import fcntl
import importlib.metadata
import os
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from lib.run.errors import BadInput
from lib.run.files import read_json, write_json

PACKAGES = (
    "torch", "transformers", "trl", "peft", "deepspeed", "accelerate", "datasets", "openai", "langchain-text-splitters",
    "sentence-transformers", "bm25s", "faiss-cpu", "rouge-score", "papermill", "pandas", "matplotlib",
)  # fmt: skip


def now() -> str:
    """The time, UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def read_manifest(path: Path) -> dict:
    """The manifest, or the empty one of a run that has not begun.

    Raises:
        BadInput: The file is damaged, or no manifest of this project.
    """
    if path.is_file():
        try:
            manifest = read_json(path)
        except ValueError:
            manifest = None
        if not isinstance(manifest, dict) or not {"stand_ins", "parameters", "stages"} <= manifest.keys():
            raise BadInput(f"{path} is damaged, or not what this version writes: choose another name with --run, or move {path.parent.name} away")
        return manifest
    return {"run": path.parent.name, "created": now(), "stand_ins": [], "parameters": {}, "stages": {}}


def update_manifest(path: Path, change: Callable[[dict], None]) -> dict:
    """Apply `change` to the manifest in place under a lock that holds between processes; returns the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path.with_name(".run.json.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        manifest = read_manifest(path)
        change(manifest)
        write_json(path, manifest)
    return manifest


def provenance() -> dict:
    """Git revision, Python, platform and package versions of this process."""
    return {
        "git": git_revision(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "packages": {name: version for name in PACKAGES if (version := _version(name))},
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def git_revision() -> dict:
    """`revision` and `dirty` of the checkout; both null outside of one (a downloaded archive, say)."""
    try:
        revision = _git("rev-parse", "HEAD")
        dirty = bool(_git("status", "--porcelain", "-uno"))
    except (OSError, subprocess.SubprocessError):
        return {"revision": None, "dirty": None}
    return {"revision": revision, "dirty": dirty}


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=10, check=True).stdout.strip()
