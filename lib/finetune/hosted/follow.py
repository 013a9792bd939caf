"""Following a job to its end: its log as it grows, a line each, its metrics as `training/log.jsonl`, through lost connections."""

import time
from collections.abc import Callable
from pathlib import Path

from lib.finetune.hosted.order import ENDED, Event, Status
from lib.llm.provider import patiently
from lib.run import read_jsonl, say, write_jsonl

POLL_S = 15.0
PATIENCE_S = 3600.0


class JobFailed(RuntimeError):
    """A job that ended without a model, in `state` `failed` or `cancelled`; says why and what to do."""

    def __init__(self, text: str, state: str):
        super().__init__(text)
        self.state = state


def follow(jobs, job_id: str, log: Path, *, run: str, poll_s: float = POLL_S, patience_s: float = PATIENCE_S,
           sleep: Callable = time.sleep) -> Status:  # fmt: skip
    """Tell how a job goes until it ends.

    Args:
        jobs: The provider's.
        job_id: The job.
        log: `training/log.jsonl`; lines of an earlier following are kept.
        run: Name of the run, for messages.
        poll_s: Seconds between looks.
        patience_s: Seconds that the provider may be out of reach.
        sleep: Waits; tests pass another.

    Returns:
        Its last status, `succeeded`.

    Raises:
        JobFailed: It failed, or was cancelled here or elsewhere.
        ProviderError: The provider cannot be asked any more; the job goes on there.
        KeyboardInterrupt: Ctrl-C; the job goes on there.
    """
    seen, began, state = set(), time.monotonic(), ""

    def ask(send):
        what = f"following {job_id} (it goes on at {jobs.account.backend}; the same command follows it again)"
        return patiently(send, jobs.account, what, patience_s=patience_s, sleep=sleep)

    try:
        while True:
            status = ask(lambda: jobs.status(job_id))
            if status.word != state:
                say(f"{job_id}: {status.word}")
                state = status.word
            new = [event for event in ask(lambda: jobs.events(job_id)) if event.id not in seen]
            seen |= {event.id for event in new}
            tell(new)
            write_log(log, new, time.monotonic() - began)
            if status.state in ENDED:
                break
            sleep(poll_s)
    except KeyboardInterrupt:
        say(f"{job_id} goes on at {jobs.account.backend}. To follow it again: the same command. To end it:")
        say(f"    .venv/bin/python -m lib.finetune.hosted cancel --run {run}")
        raise
    if status.state == "failed":
        raise JobFailed(
            f"job {job_id} failed at {jobs.account.backend}: {status.error or 'no reason given'}. Mend the cause and run again: "
            "a new job is made, files already there are used again",
            status.state,
        )
    if status.state == "cancelled":
        raise JobFailed(f"job {job_id} was cancelled at {jobs.account.backend}. Run again to make a new one", status.state)
    return status


def tell(events: list[Event]) -> None:
    """One line for each event that says something; of many steps at once, the last."""
    steps = [event for event in events if event.metrics]
    for event in events:
        if event.message and not event.metrics:
            say(f"  {event.message}")
    if steps:
        last = steps[-1]
        of = f"/{last.total_steps}" if last.total_steps else ""
        loss = f" · loss {last.metrics['loss']:.3f}" if "loss" in last.metrics else ""
        say(f"  step {last.step}{of}{loss}")


def write_log(log: Path, events: list[Event], seconds: float) -> None:
    """Add the metrics to `log.jsonl`, one line a step and kind, as a local training leaves it; tokens are not told by providers."""
    known = read_jsonl(log) if log.is_file() else []
    have = {(line["step"], name) for line in known for name in line}
    new = []
    for event in events:
        fresh = {name: value for name, value in event.metrics.items() if (event.step, name) not in have}
        if fresh and event.step is not None:
            new.append({"step": event.step, "seconds": round(seconds, 1), **fresh})
    if new:
        write_jsonl(log, sorted(known + new, key=lambda line: line["step"]))
