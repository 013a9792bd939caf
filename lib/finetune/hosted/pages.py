"""What 2_finetune shows and records of a hosted job: rows, lengths, price, losses, checks."""

import html
from pathlib import Path

from lib.finetune.hosted.openai_job import OpenAIJobs
from lib.finetune.hosted.order import read_state
from lib.finetune.hosted.plan import estimate_lines
from lib.finetune.hosted.rows import Checked
from lib.finetune.hosted.tune import JOBS, estimate_job, read_rows, tune
from lib.llm.provider import find_account, patiently
from lib.run import COLOURS, read_jsonl, say

SHOWN_CHARS = 700


def read(run) -> tuple[Checked, Checked | None]:
    """Check the rows as the provider would; declare them as inputs."""
    paths = [run.need(f"dataset/{name}") for name in ("train.jsonl", "valid.jsonl", "format.json")]
    run.reads(*paths)
    train, valid = read_rows(run.dir / "dataset", vars(run.p))
    for checked in filter(None, (train, valid)):
        if checked.warning:
            run.record(warnings={"rows": checked.warning})
            say(f"warning: {checked.warning}")
    say(f"{train.n} rows to train on, {valid.n if valid else 0} held out to watch")
    return train, valid


def show_rows(run, n: int = 3):
    """The first rows as they are sent; what the provider is told to teach is highlighted."""
    from IPython.display import HTML

    return HTML("".join(_row_html(row) for row in read_jsonl(run.dir / "dataset" / "train.jsonl")[:n]))


def _row_html(row: dict) -> str:
    turns = row.get("messages") or [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["completion"]}]
    lines = []
    for turn in turns:
        text = turn["content"]
        if len(text) > SHOWN_CHARS:
            text = f"{text[: SHOWN_CHARS // 2]} […] {text[-SHOWN_CHARS // 2 :]}"
        taught = turn["role"] == "assistant"
        mark = f'<mark style="background:#BFDBFE">{html.escape(text)}</mark>' if taught else html.escape(text)
        lines.append(f'<b>{turn["role"]}</b> <span style="color:{"#111827" if taught else "#6B7280"}">{mark}</span>')
    return '<div style="border:1px solid #E5E7EB;padding:.6em;margin:.4em 0;white-space:pre-wrap;font-size:90%">' + "\n".join(lines) + "</div>"


def plot_lengths(train: Checked):
    """Histogram of tokens a row."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    axes.hist(train.tokens, bins=30, color=COLOURS["grey"])
    unit = "tokens, four characters each" if train.estimated else "tokens"
    axes.set(title=f"Tokens a row (n = {train.n} rows)", xlabel=unit, ylabel="rows")
    return figure


def estimate_table(run, train: Checked, valid: Checked | None):
    """Tokens and price, before anything is sent."""
    import pandas as pd

    p = vars(run.p)
    return pd.DataFrame(estimate_lines(p, estimate_job(p, train, valid), train.n, train.longest)).set_index("item")


def train(run) -> dict:
    """Tune, and put tokens and cost on record; the metrics, as a local training has them."""
    metrics = tune(run.dir, vars(run.p))
    run.record(tokens={"student": {"trained_tokens": metrics["tokens"] or 0}})
    if metrics["cost_usd"] is not None:
        run.record(cost_usd={"student": metrics["cost_usd"]})
    return metrics


def read_losses(run) -> list[dict]:
    """Lines of `log.jsonl` with a loss; empty where the provider told none."""
    log = run.dir / "training" / "log.jsonl"
    lines = read_jsonl(log) if log.is_file() else []
    return lines if any("loss" in line for line in lines) else []


def verify(run, metrics: dict, train: Checked, valid: Checked | None):
    """Is what the provider has what was ordered? One row a check: what, whether it holds, in words."""
    import pandas as pd

    state, p = read_state(run.dir), vars(run.p)
    jobs = JOBS[state["backend"]](find_account(state["backend"]))
    status = patiently(lambda: jobs.status(state["job_id"]), jobs.account, f"looking at {state['job_id']}")
    expected = estimate_job(p, train, valid).tokens
    told = metrics["tokens"]
    rows = [
        ("the job ended well", status.state == "succeeded", status.word),
        ("its model is the one on record", status.model == metrics["model"], str(status.model)),
        ("a step was trained", status.trained_tokens is None or status.trained_tokens > 0, f"{told or 0:,} tokens billed"),
        ("billed tokens are near the estimate", told is None or expected / 4 <= told <= 4 * expected, f"{expected:,} expected"),
    ]
    if isinstance(jobs, OpenAIJobs) and state["backend"] == "openai":
        there = patiently(lambda: [m.id for m in jobs.client.models.list()], jobs.account, "looking at the models")
        rows.append(("the model is listed", metrics["model"] in there, f"{len(there)} models of this account"))
    return pd.DataFrame(rows, columns=["check", "holds", "detail"])


def finish(run, metrics: dict) -> Path:
    """Close the stage: counts, metrics and the job's record."""
    run.record(counts={"rows": metrics["rows"], "trained_tokens": metrics["tokens"] or 0}, training=metrics)
    names = ("hosted.json", "metrics.json", "prompts.jsonl")
    run.finish(outputs=[run.dir / "training" / name for name in names])
    say(f"the tuned student is {metrics['model']} at {metrics['backend']}")
    return run.dir / "training" / "hosted.json"
