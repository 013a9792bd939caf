"""Looks at everything that can be known to go wrong before anything is spent; every problem is one line.

It knows parameters by name, which the notebooks' cells do not need to: a parameter that no notebook has is not looked at.
Exact numbers (tokens, prices, chunks) are the rooms' business and come with `--plan`; here is only simple arithmetic.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from lib.run import machine
from lib.run.endpoints import roles_set
from lib.run.leftovers import read_servers
from lib.run.machine import GB, ModelSize
from lib.run.notebook import RUN_NAME
from lib.run.passages import most_passages, passages_shown
from lib.run.tokens import CHARS_A_TOKEN

CHOICES = {
    "backend": ("local", "openai", "azure", "together"),
    "tuning": ("full", "lora", "qlora"),
    "dataset_format": ("chat", "completion"),
    "engine": ("vllm", "transformers", "endpoint"),
    "retriever": ("bm25", "dense", "hybrid"),
}
AT_LEAST = {
    "chunk_chars": 80, "questions_per_chunk": 1, "n_distractors": 0, "learning_rate": 0, "epochs": 0, "batch_size": 1,
    "grad_accumulation": 1, "max_length": 0, "save_steps": 1, "tensor_parallel": 1, "max_model_len": 0, "port": 0,
    "max_reply_tokens": 1, "max_in_flight": 1, "budget_usd": 0,
}  # fmt: skip
# What else parameters name, the notebook that reads it, perhaps hours later, and whether it is a file or a folder.
NAMED_FILES = {
    "prompts_dir": ("1_gen", os.path.isdir), "prices": ("1_gen", os.path.isfile), "adapter": ("2_finetune", os.path.isdir),
    "human_labels": ("4_eval", os.path.isfile), "more_eval_sets": ("4_eval", os.path.isfile),
}  # fmt: skip
PROBE_TIMEOUT_S = 60


@dataclass
class Findings:
    """`problems` stop a run and a plan, `shortages` of this machine stop a run only, `warnings` stop nothing."""

    problems: list[str] = field(default_factory=list)
    shortages: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def check_run(values: dict, notebooks: list[str], folder: Path) -> Findings:
    """Check resolved parameters against themselves, the files, the endpoints and the machine.

    Args:
        values: Parameters by name.
        notebooks: Those that are going to run; only their needs are checked.
        folder: Where relative paths start.
    """
    found = Findings()
    _check_values(values, found)
    _check_files(values, notebooks, folder, found)
    if found.problems:
        return found
    if is_hosted(values):
        _check_backend(values, notebooks, folder, found)
        _check_endpoints(values, [n for n in notebooks if n != "2_finetune"], folder, found, without=("student",))
        return found
    size = machine.model_size(values["student_model"], folder) if "student_model" in values else None
    _check_context(values, size, found)
    if {"3_deploy", "4_eval"} & set(notebooks):
        _check_port(values, folder, found)
    _check_resources(values, size, notebooks, folder, found)
    _check_endpoints(values, notebooks, folder, found)
    return found


def check_given(values: dict, notebooks: list[str], folder: Path) -> list[str]:
    """Only what costs nothing to look at, values and files: problems that are worth telling beside misspelt names."""
    found = Findings()
    _check_values(values, found)
    _check_files(values, notebooks, folder, found)
    return found.problems


def _check_values(values: dict, found: Findings) -> None:
    if not RUN_NAME.fullmatch(str(values.get("run", ""))):
        found.problems.append(f"run: expected a name of letters, digits, '.', '_' or '-'; found {values.get('run')!r}")
    for name, value in values.items():
        if name in CHOICES and value not in CHOICES[name]:
            found.problems.append(f"{name}: expected one of {', '.join(CHOICES[name])}; found {value!r}")
        if name.startswith("p_") and not 0 <= value <= 1:
            found.problems.append(f"{name}: expected a share between 0 and 1; found {value}")
        if name in AT_LEAST and value < AT_LEAST[name]:
            found.problems.append(f"{name}: expected {AT_LEAST[name]} or more; found {value}")
    if values.get("port", 0) + len(values.get("systems", [])) > 65536:
        found.problems.append(f"port: expected one below 65536, with one more for each further server; found {values['port']}")
    top_k = values.get("top_k", [])
    if "top_k" in values and not (top_k and all(type(k) is int and k >= 1 for k in top_k)):
        found.problems.append(f"top_k: expected a list of whole numbers from 1 up, such as [3, 5, 7]; found {top_k!r}")
    elif (
        top_k
        and "n_distractors" in values
        and not set(passages_shown(values)) & set(top_k)
        and values.get("recipe", "raft") == "raft"
    ):
        shown = most_passages(values, 0)
        found.warnings.append(
            f"training shows {shown} chunks a question (its distractors and one) and evaluation {', '.join(map(str, top_k))} (top_k): "
            f"a student does best with the number it was trained on; put {shown} into top_k"
        )
    if "systems" in values and not values["systems"]:
        found.problems.append(
            "systems: expected at least one system to evaluate, such as [student, baseline]; found an empty list"
        )


def _check_files(values: dict, notebooks: list[str], folder: Path, found: Findings) -> None:
    documents = values.get("documents", "")
    if "1_gen" in notebooks and "documents" in values and not documents and values.get("recipe") != "conversations":
        found.problems.append("documents: expected a file, a folder or the address of a sitemap; found an empty text")
    if documents != documents.encode("utf-8", "replace").decode():
        found.problems.append(f"documents: {ascii(documents)} is no name in UTF-8, and no file of a run could hold it: rename it or make a link to it")
    elif "1_gen" in notebooks and documents and "://" not in documents:
        path = _resolve(folder, documents)
        if os.path.exists(path) and not os.access(path, os.R_OK):
            found.problems.append(f"documents: {documents} cannot be read by this user: change its permissions")
        elif not os.path.exists(path):  # unlike Path's, it does not raise in a folder that may not be entered
            found.problems.append(f"documents: no such file or folder: {documents}")
        elif path.is_dir() and not any(map(os.path.isfile, path.rglob("*"))):
            found.problems.append(f"documents: the folder {documents} holds no files")
    eval_set = values.get("eval_set", "")
    if "1_gen" in notebooks and eval_set and not _resolve(folder, eval_set).is_file():
        found.problems.append(f"eval_set: no such file: {eval_set}")
    for name, (notebook, is_there) in NAMED_FILES.items():
        given = values.get(name, "")
        for path in (given if isinstance(given, list) else [given]) if notebook in notebooks else ():
            if path and isinstance(path, str) and not is_there(_resolve(folder, path)):
                found.problems.append(f"{name}: no such {'folder' if is_there is os.path.isdir else 'file'}: {path}")
    prompt = values.get("system_prompt", "default")
    if "1_gen" in notebooks and prompt not in ("default", "none") and not _resolve(folder, prompt).is_file():
        found.problems.append(f"system_prompt: expected default, none or a file; no such file: {prompt}")
    if "2_finetune" in notebooks and "launcher" in values and not _resolve(folder, values["launcher"]).is_file():
        found.problems.append(
            f"launcher: no such file: {values['launcher']}; there are {_listing(folder / 'parameters' / 'launchers')}"
        )
    if {"2_finetune", "3_deploy"} & set(notebooks) and "student_model" in values and not is_hosted(values):
        _check_model(values["student_model"], folder, found)
    if (
        {"3_deploy", "4_eval"} & set(notebooks)
        and values.get("engine") == "vllm"
        and not is_hosted(values)
        and not (folder / ".venv-vllm" / "bin" / "python").exists()
    ):
        found.shortages.append(
            "engine: vllm needs its environment .venv-vllm, which is not there; ./bootstrap.sh makes it"
        )


def _check_model(model: str, folder: Path, found: Findings) -> None:
    path = _resolve(folder, model)
    if path.is_dir():
        if not (path / "config.json").is_file():
            found.problems.append(f"student_model: the folder {model} is no model: it has no config.json")
    elif not re.fullmatch(r"[\w.-]+/[\w.-]+", model) or (folder / model.split("/")[0]).is_dir():
        found.problems.append(
            f"student_model: expected a model folder or a hub name such as meta-llama/Llama-3.1-8B-Instruct; no such folder: {model}"
        )


def _check_context(values: dict, size: ModelSize | None, found: Findings) -> None:
    if not {"chunk_chars", "n_distractors", "top_k"} <= values.keys() or not values["top_k"]:
        return
    limits = {
        "the model's own context": size.context_tokens if size else 0,
        "max_length": values.get("max_length", 0),
        "max_model_len": values.get("max_model_len", 0),
    }
    if values.get("recipe", "raft") != "raft":  # its training rows show no chunks
        del limits["max_length"]
    for name, limit in limits.items():
        chunks = max(most_passages(values, 0), 0 if name == "max_length" else max(values["top_k"]))
        n_chars = chunks * values["chunk_chars"]
        if limit and n_chars > 6 * limit:
            found.problems.append(
                f"chunk_chars: {chunks} chunks of {values['chunk_chars']} characters are at least {n_chars // 6} tokens (6 characters each) "
                f"and {name} is {limit}: make chunks shorter or fewer (n_distractors, top_k)"
            )
        elif limit and n_chars > 3 * limit:
            found.warnings.append(
                f"{chunks} chunks of {values['chunk_chars']} characters are some {n_chars // CHARS_A_TOKEN} tokens ({CHARS_A_TOKEN} characters each) "
                f"and {name} is {limit}: long chunks may not fit"
            )


def _check_port(values: dict, folder: Path, found: Findings) -> None:
    first = values.get("port", 0)
    if not first or values.get("engine") == "endpoint":
        return
    own = [str(server.get("base_url")) for server in read_servers(folder / "runs" / values["run"]).values()]
    for port in range(first, first + len(values.get("systems", [0]))):  # a server each, one port after the other
        if not machine.port_is_free(port) and not any(f":{port}/" in url for url in own):
            found.shortages.append(f"port: {port} is in use by another program: choose another one, or 0 for any free one")


def _check_resources(values: dict, size: ModelSize | None, notebooks: list[str], folder: Path, found: Findings) -> None:
    gpus = machine.gpu_memory()
    offloaded = bool(gpus) and "2_finetune" in notebooks and machine.is_offloaded(_resolve(folder, values.get("launcher", "")), folder)
    disk, memory = machine.estimate_needs(values, size, notebooks, offloaded)
    have = machine.free_disk(folder / "runs")
    if disk > have:
        found.shortages.append(
            f"disk: runs/ needs about {disk / GB:.1f} GB (checkpoints and model) and {have / GB:.1f} GB are free"
        )
    if size is None and "student_model" in values:
        found.warnings.append(
            f"student_model: nothing tells the size of {values['student_model']}, so memory and disk were not checked"
        )
        return
    if offloaded and (kept := machine.TRAINING_BYTES_PER_PARAMETER * size.n_parameters) > machine.free_memory():
        found.shortages.append(
            f"memory: the launcher keeps at least {kept / GB:.1f} GB off the GPUs and memory has {machine.free_memory() / GB:.1f} GB: "
            "choose a smaller student_model, or a launcher that offloads nothing"
        )
    have, where = (sum(gpus), f"{len(gpus)} GPUs") if gpus else (machine.free_memory(), "memory")
    if memory > have:
        found.shortages.append(
            f"memory: about {memory / GB:.1f} GB are needed and {where} {'have' if gpus else 'has'} {have / GB:.1f} GB: "
            "choose a smaller student_model, or fewer systems"
        )


def is_hosted(values: dict) -> bool:
    """Whether the student is tuned, and then answers, at a provider: this machine needs no memory, no disk and no server for it."""
    return values.get("backend", "local") != "local"


def _check_backend(values: dict, notebooks: list[str], folder: Path, found: Findings) -> None:
    """Whether the provider takes the key: missing, it stops a run before the teacher is paid, and a plan not at all."""
    if "2_finetune" not in notebooks:
        return
    command = [sys.executable, "-m", "lib.llm", f"backend:{values['backend']}"]
    try:
        probe = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, cwd=folder)
    except subprocess.TimeoutExpired:
        found.shortages.append(f"backend {values['backend']}: no answer within {PROBE_TIMEOUT_S} s")
        return
    if probe.returncode:
        last = (probe.stderr.strip().splitlines() or ["no message"])[-1]
        found.shortages += [line for line in probe.stdout.splitlines() if line.strip()] or [f"backend: the probe failed: {last}"]


def _check_endpoints(
    values: dict, notebooks: list[str], folder: Path, found: Findings, without: tuple[str, ...] = ()
) -> None:
    roles = [role for role in roles_set(notebooks, folder, parameters=values) if role not in without]
    if not roles:
        return
    try:
        probe = subprocess.run(
            [sys.executable, "-m", "lib.llm", *roles], capture_output=True, text=True, timeout=PROBE_TIMEOUT_S, cwd=folder,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        found.problems.append(f"endpoints: no answer within {PROBE_TIMEOUT_S} s")
        return
    lines = [line for line in probe.stdout.splitlines() if line.strip()]
    if probe.returncode:
        found.problems += lines or [
            f"endpoints: the probe failed: {(probe.stderr.strip().splitlines() or ['no message'])[-1]}"
        ]


def _resolve(folder: Path, path: str) -> Path:
    return folder / Path(path).expanduser()


def _listing(folder: Path) -> str:
    return ", ".join(sorted(f"{folder.parent.name}/{folder.name}/{p.name}" for p in folder.glob("*.yaml"))) or "none"
