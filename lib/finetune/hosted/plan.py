"""What a hosted fine-tuning would do and cost: lines of `--plan`. Needs no key and asks nobody."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.finetune.hosted.order import check_choices
from lib.finetune.hosted.price import Estimate, check_budget, estimate, spent
from lib.finetune.hosted.tune import estimate_job, read_rows
from lib.llm.provider import find_account
from lib.run import BadInput
from lib.run.decode import decode_file
from lib.run.manifest import read_manifest
from lib.run.talks import human_turns, read_records

REPLY_TOKENS = 250


def plan_hosted(p: Mapping, tokens: Sequence[int], note: str, root: str | Path = "runs") -> list[dict]:
    """The plan's lines.

    Args:
        p: Parameters by name.
        tokens: Of each training row, an estimate where the dataset is not made yet.
        note: Where they come from.
        root: Folder of all runs.

    Returns:
        Rows of item, value, unit and note.

    Raises:
        BadInput: What the notebook would refuse, the price against `budget_usd` included.
    """
    check_choices(p)
    run_dir, rows, length = Path(root) / p["run"], len(tokens), max(tokens)
    if (run_dir / "dataset" / "train.jsonl").is_file():
        train, valid = read_rows(run_dir / "dataset", p)
        wanted, rows, length = estimate_job(p, train, valid), train.n, train.longest
    else:
        wanted = estimate(p["backend"], p["student_model"], tokens, [], round(p["epochs"]), lora=p["tuning"] == "lora")
    check_budget(wanted, p.get("budget_usd", 0.0), spent(read_manifest(run_dir / "run.json")))
    return estimate_lines(p, wanted, rows, length, note)


def conversation_rows(path: Path) -> tuple[int, int, str]:
    """Rows and tokens a row of conversations that the teacher has still to answer: one row a human turn.

    Raises:
        BadInput: No such file, or no conversation in it.
    """
    if not path.is_file():
        raise BadInput(f"conversations: no such file: {path}")
    talks, problem = set(), "the file is empty"
    for place, record in read_records(decode_file(path)):
        try:
            talks.add(tuple(human_turns(record)))
        except ValueError as error:
            problem = f"{place}: {error}"
    if not talks:
        raise BadInput(f"conversations: no conversation in {path} ({problem})")
    turns, chars = sum(map(len, talks)), sum(len(turn) for talk in talks for turn in talk)
    return turns, chars // (4 * turns) + 2 * REPLY_TOKENS, f"one a human turn of {path}; replies of {REPLY_TOKENS} tokens supposed"


def estimate_lines(p: Mapping, wanted: Estimate, rows: int, length: int, note: str = "") -> list[dict]:
    """An estimate as rows of item, value, unit and note."""

    def line(item: str, value, unit: str = "", note: str = "") -> dict:
        return {"item": item, "value": value, "unit": unit, "note": note}

    limit = wanted.price.row_tokens if wanted.price else None
    chosen = "this provider decides what is trained" if p["backend"] != "together" else f"tuning: {p['tuning']}"
    usd = [line("price of tuning", round(wanted.usd, 2), "USD", wanted.note)] if wanted.usd is not None else [line("price of tuning", "not known", "", wanted.note)]
    return [
        line("tuned at", p["backend"], "", f"{p['student_model']}; {chosen}; no GPU, no memory here"),
        line("rows to train on", rows, "rows", note),
        line("longest row", length, "tokens a row", f"at most {limit}" if limit else "the provider's limit is not listed"),
        line("billed tokens", wanted.tokens, "tokens trained", f"{round(p['epochs'])} epochs; an estimate"),
        *usd,
        line("account", account_note(p["backend"]), "", "the key is looked at before a run, not for a plan"),
    ]  # fmt: skip


def account_note(backend: str) -> str:
    """Whether the account's variables are set, without what they hold."""
    try:
        account = find_account(backend)
    except BadInput as error:
        return str(error).split(": ", 1)[1].split(";")[0]
    return f"{account.key_name} is set"
