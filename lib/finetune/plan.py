"""What 2_finetune would do with these parameters, without spending anything: `python -m lib.finetune.plan PARAMS.json`.

Rows are counted when 1_gen has left them in the run's folder, else as its plan foretells them, else estimated from the documents' size.
"""

import heapq
import json
import math
import random
import sys
from dataclasses import replace
from pathlib import Path

from lib.finetune.adapter import check_base
from lib.finetune.estimate import estimate_rows
from lib.finetune.hosted import order as hosted
from lib.finetune.hosted.plan import conversation_rows, plan_hosted
from lib.finetune.hosted.rows import row_size
from lib.finetune.launcher import Launcher, check_hosts
from lib.finetune.order import pack_rows
from lib.finetune.settings import Settings, check_choices, check_launcher
from lib.finetune.shape import find_shape
from lib.finetune.start import join_commands
from lib.run import BadInput, read_json, read_jsonl
from lib.run.passages import passages_shown
from lib.run.tokens import CHARS_A_TOKEN, find_counter

REPLY_TOKENS, SUMMARY_TOKENS = 120, 280  # of a usual answer; of the wish for a summary, and the summary
SAMPLE, N_LONGEST = 500, 50  # rows that are really cut into tokens
CONTAINERS = {".pdf", ".docx"}
QUICK_BYTES = 4_000_000_000  # weights that are hashed in seconds, so that an adapter's base is compared before anything is spent


def plan(p: dict, root: str | Path = "runs") -> list[dict]:
    """Predict the stage.

    Args:
        p: Parameters by name, all four notebooks' if they are there.
        root: Folder of all runs.

    Returns:
        Rows of item, value, unit and note.

    Raises:
        BadInput: What the notebook would refuse.
    """
    check_choices(p["backend"], p["tuning"], p["scheduler"])
    train = Path(root) / p["run"] / "dataset" / "train.jsonl"
    foretold = p.get("foretold", {})
    if not train.is_file() and ("://" in p.get("documents", "") or "pages" in foretold) and "training rows" not in foretold:
        note = "known once 1_gen has fetched the sitemap's pages, and with them tokens, time and money"
        return [{"item": "rows to train on", "value": "?", "unit": "", "note": note}, *machine_rows(p, root)]
    if p["backend"] != "local":
        return plan_hosted(p, *_row_tokens(p, train), root)
    launcher, settings = read_launcher(p), read_settings(p)
    check_launcher(settings, launcher)
    shape = find_shape(p["student_model"])
    tokens, note = _row_tokens(p, train)
    length = max(tokens)
    if shape is None:
        note = f"nothing here tells the shape of {p['student_model']}: no memory and no time can be told before it is fetched"
        return [{"item": "student", "value": p["student_model"], "unit": "", "note": note}, *machine_rows(p)]
    limit = min(p["max_length"] or length, shape.context)
    if length > limit:
        note += f"; THE LONGEST ROW ({length} TOKENS) DOES NOT FIT {limit}: the notebook {'would' if train.is_file() else 'could'} refuse it"
    sequences = settings.rows_trained(len(tokens))
    if settings.packing:
        sequences = len(pack_rows(tokens, settings.epochs, limit, random.Random(settings.seed)))
    steps = math.ceil(sequences / (settings.batch_size * launcher.processes * settings.grad_accumulation))
    told = {"rows": len(tokens), "tokens": round(settings.epochs * sum(tokens)), "steps": steps, "length": length, "note": note}
    return [*estimate_rows(shape, launcher, settings, tokens_per_s=p.get("tokens_per_s", 0.0), **told), *machine_rows(p, root)]


def check(p: dict, root: str | Path = "runs") -> None:
    """Refuse, before anything is spent, what the parameters, the launcher, an adapter and a dataset that is there tell will not work.

    Args:
        p: Parameters by name, all four notebooks' if they are there.
        root: Folder of all runs.

    Raises:
        BadInput: What the notebook would refuse.
    """
    check_choices(p["backend"], p["tuning"], p["scheduler"])
    settings, launcher = read_settings(p), read_launcher(p)
    if p["backend"] == "local":
        check_launcher(settings, launcher)
        _check_watched(p, settings.eval_steps, Path(root))
        if settings.adapter and sum(file.stat().st_size for file in Path(p["student_model"]).glob("*.safetensors")) < QUICK_BYTES:
            check_base(settings.adapter, Path(p["student_model"]))
    else:
        hosted.check_choices(p)


def _check_watched(p: dict, eval_steps: int, root: Path) -> None:
    """See that there will be rows to watch, where the dataset that lies there or, before there is one, its shares tell."""
    made = root / p["run"] / "dataset" / "valid.jsonl"
    if eval_steps and not (made.stat().st_size if made.is_file() else p.get("p_valid", 1)):
        raise BadInput("eval_steps: there are no held-out rows to look at; set it to 0, or raise p_valid in 1_gen")


def machine_rows(p: dict, root: str | Path = "runs") -> list[dict]:
    """What to start on each of several machines, as rows of item, value, unit and note; none for a single one."""
    hosts = p.get("hosts", [])
    if not hosts:
        return []
    rows = [{"item": "first machine", "value": hosts[0], "unit": "", "note": "starts the run, in a folder that all machines share: ./run_all.sh"}]
    for host, line in join_commands(Path(root) / p["run"], hosts).items():
        rows.append({"item": "further machine", "value": host, "unit": "", "note": line})
    launcher = Launcher.load(p["launcher"])
    gpus = f" --gpus-per-node={launcher.processes // launcher.machines}" if launcher.precision == "bf16" else ""
    return [*rows, {"item": "or by Slurm", "value": len(hosts), "unit": "nodes", "note": f"sbatch --nodes={len(hosts)}{gpus} parameters/launchers/slurm.sh PARAMETERS.yaml"}]


def read_settings(p: dict) -> Settings:
    """The hyper-parameters among the parameters; an adapter that is trained further keeps its own rank, scale and dropout."""
    chosen = Settings(**{name: p[name] for name in Settings.__dataclass_fields__ if name in p})
    if not chosen.adapter:
        return chosen
    about = read_json(Path(chosen.adapter) / "adapter_config.json")
    own = {"lora_rank": about.get("r"), "lora_alpha": about.get("lora_alpha"), "lora_dropout": about.get("lora_dropout")}
    return replace(chosen, **{name: value for name, value in own.items() if value is not None})


def read_launcher(p: dict) -> Launcher:
    """The launcher among the parameters, with as many hosts as it has machines."""
    launcher = Launcher.load(p["launcher"])
    check_hosts(launcher, p.get("hosts", []))
    return launcher


def _row_tokens(p: dict, train: Path) -> tuple[list[int], str]:
    """Tokens of each row, and where they come from."""
    if not train.is_file():
        return _guess_rows(p, train)
    rows = read_jsonl(train)
    if not rows:
        raise BadInput(f"{train}: expected rows to train on; it is empty")
    tokens, count = [row_size(row, None) for row in rows], find_counter(p["student_model"])
    if count is None:
        return tokens, f"counted in {train}; tokens at {CHARS_A_TOKEN} characters each: the student's tokenizer is not here"
    sample = range(0, len(rows), math.ceil(len(rows) / SAMPLE))
    cut = {i: row_size(rows[i], count) for i in {*sample, *heapq.nlargest(N_LONGEST, range(len(rows)), key=tokens.__getitem__)}}
    rate = sum(cut[i] for i in sample) / max(1, sum(tokens[i] for i in sample))
    note = f"counted in {train}; tokens as the student's tokenizer cuts {len(cut)} of them"
    return [cut.get(i) or round(rate * n) for i, n in enumerate(tokens)], note


def _guess_rows(p: dict, train: Path) -> tuple[list[int], str]:
    """Tokens of each row before there are any, and what they suppose: what 1_gen foretells, if it is planned too."""
    if n := p.get("foretold", {}).get("training rows", 0):
        usual, longest = p["foretold"]["usual row"], p["foretold"]["longest row"]
        return [longest] + [usual] * (n - 1), "at most, as 1_gen foretells them"
    talk, told = [], ""
    if p.get("conversations") and p.get("recipe") in ("conversations", "summaries"):
        turns, length, told = conversation_rows(Path(p["conversations"]))
        talk = [length] * turns
        if p["recipe"] == "conversations":
            return talk, told
    documents = Path(p.get("documents", ""))
    if not documents.exists() or "chunk_chars" not in p:
        raise BadInput(f"documents {documents}: no such file or folder, and {train} is not there either")
    size = sum(_text_bytes(path) for path in [documents, *documents.rglob("*")] if path.is_file())
    chunks = max(1, math.ceil(size / (p["chunk_chars"] * (1 - p["p_overlap"]))))
    passage, given = p["chunk_chars"] // CHARS_A_TOKEN, f"some {size / 1000:,.0f} kB of text; tokens at {CHARS_A_TOKEN} characters each"
    if p.get("recipe") == "summaries":  # a section and its summary a row, and no eval set to hold any out for
        note = f"one a section, from {given}" + (f"; and {told}, less what is over p_summaries = {p['p_summaries']:g}" if talk else "")
        return [passage + SUMMARY_TOKENS] * max(1, round(chunks * (1 - p["p_valid"]))) + talk, note
    asked = round(chunks * (1 - p["p_test"] - p["p_valid"])) * p["questions_per_chunk"]
    if p.get("recipe") == "qa":  # a question and its answer: no passage, no refusal
        note = f"at most, closed-book pairs of {2 * REPLY_TOKENS} tokens supposed"
        return [2 * REPLY_TOKENS] * max(1, p.get("question_budget") or asked), note
    shown, n_rows = passages_shown(p), max(1, round(asked * (1 + p["p_refusal"])))
    return [shown[-1 - i % len(shown)] * passage + REPLY_TOKENS for i in range(n_rows)], f"from {given}"


def _text_bytes(path: Path) -> int:
    # Fonts, pictures and packing make up most of a PDF or DOCX; 1_gen's own plan reads them, this one only looks.
    return path.stat().st_size // (10 if path.suffix.lower() in CONTAINERS else 1)


if __name__ == "__main__":
    ask = check if sys.argv[2:] == ["check"] else plan
    print(json.dumps(ask(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), ensure_ascii=False, indent=2))
