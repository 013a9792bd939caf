"""One hosted fine-tuning from rows to a tuned model: check, price, upload, create, follow, record. Nothing is made twice.

`dataset/train.jsonl`, `valid.jsonl` → `training/hosted.json` (written after every step that made something), `log.jsonl`,
`prompts.jsonl`, `metrics.json`, and lines in `created.jsonl`.
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lib.finetune.hosted.azure_job import AzureJobs
from lib.finetune.hosted.follow import PATIENCE_S, POLL_S, JobFailed, follow
from lib.finetune.hosted.openai_job import OpenAIJobs
from lib.finetune.hosted.order import Order, Status, build_order, read_state, write_state
from lib.finetune.hosted.price import Estimate, check_budget, estimate, spent
from lib.finetune.hosted.rows import Checked, check_rows
from lib.finetune.hosted.together_job import TogetherJobs
from lib.llm.provider import Account, ProviderError, find_account, is_network, patiently
from lib.llm.tuning_prices import tuning_price
from lib.run import BadInput, read_jsonl, say, write_json, write_jsonl
from lib.run.ledger import read_ledger, record_created, was_removed
from lib.run.manifest import now, read_manifest
from lib.run.tokens import find_counter

JOBS = {"openai": OpenAIJobs, "azure": AzureJobs, "together": TogetherJobs}
INTAKE_S = 1800.0
N_PROMPTS = 8


def read_rows(dataset: Path, p: Mapping) -> tuple[Checked, Checked | None]:
    """Check the training and the held-out rows; the latter are None when there are none."""
    price, count = tuning_price(p["backend"], p["student_model"]), find_counter(p["student_model"])
    limit = price.row_tokens if price else None
    limit = min(limit or p["max_length"], p["max_length"]) if p["max_length"] else limit
    train = check_rows(dataset / "train.jsonl", p["backend"], row_tokens=limit, count=count)
    valid = dataset / "valid.jsonl"
    some = valid.is_file() and valid.read_text(encoding="utf-8").strip()
    return train, check_rows(valid, p["backend"], row_tokens=limit, count=count, least=1) if some else None


def estimate_job(p: Mapping, train: Checked, valid: Checked | None) -> Estimate:
    """What the job would cost."""
    held = valid.tokens if valid else ()
    return estimate(
        p["backend"], p["student_model"], train.tokens, held, max(1, round(p["epochs"])), lora=p["tuning"] == "lora"
    )


def tune(
    run_dir: Path,
    p: Mapping,
    *,
    account: Account | None = None,
    poll_s: float = POLL_S,
    patience_s: float = PATIENCE_S,
    sleep: Callable = time.sleep,
) -> dict:
    """Tune at a provider, or go on with a job begun before, or find that it is done.

    Args:
        run_dir: Folder of the run.
        p: The notebook's parameters.
        account: Where; default what the environment names.
        poll_s: Seconds between looks at the job.
        patience_s: Seconds that the provider may be out of reach.
        sleep: Waits; tests pass another.

    Returns:
        `training/metrics.json`: backend, model, job, rows, trained tokens, cost.

    Raises:
        BadInput: Rows, parameters or budget do not allow it, or a file was rejected.
        JobFailed: The job ended without a model.
        ProviderError: The provider refused or cannot be reached.
    """
    run_dir, dataset = Path(run_dir), Path(run_dir) / "dataset"
    account = account or find_account(p["backend"])
    train, valid = read_rows(dataset, p)
    order = build_order(p, account.base_url, dataset / "train.jsonl", dataset / "valid.jsonl" if valid else None)
    state = _without_removed(read_state(run_dir), run_dir)
    if state.get("fingerprint") != order.fingerprint:
        if state.get("job_id") and state.get("state") not in ("succeeded", "failed", "cancelled"):
            say(f"job {state['job_id']} of other rows or parameters is still on record; created.jsonl keeps it for the teardown")
        state = {"fingerprint": order.fingerprint, "files": {}}
    if state.get("state") == "succeeded":
        say(f"already tuned with these rows and parameters: {state['model']}")
        return finish(run_dir, order, state, train)
    if state.get("state") in ("failed", "cancelled"):
        state = {name: state[name] for name in ("fingerprint", "files")}
    jobs = JOBS[order.backend](account)
    state |= {"backend": order.backend, "base_url": account.base_url, "base_model": order.model, "suffix": order.suffix}
    if "job_id" not in state:
        # What runs already is paid already: only a new job has to fit the budget.
        budget = p.get("budget_usd", 0.0), spent(read_manifest(run_dir / "run.json"))

        def allow() -> None:
            check_budget(estimate_job(p, train, valid), *budget)

        files = upload(run_dir, jobs, order, state, allow, sleep)
        state["job_id"] = create(run_dir, jobs, order, files, allow, sleep)
        state |= {"created": now(), "state": "waiting"}
        (run_dir / "training" / "log.jsonl").unlink(missing_ok=True)  # losses of another job, or of a training here
        record_created(run_dir, "job", state["job_id"], backend=order.backend, base_url=account.base_url)
        write_state(run_dir, state)
    else:
        say(f"going on with {state['job_id']}, made {state.get('created', 'before')}")
    try:
        status = follow(jobs, state["job_id"], run_dir / "training" / "log.jsonl", run=order.run, poll_s=poll_s,
                        patience_s=patience_s, sleep=sleep)  # fmt: skip
    except JobFailed as error:
        write_state(run_dir, state | {"state": error.state, "error": str(error)})
        raise
    state |= outcome(order, status)
    record_created(run_dir, "model", state["model"], backend=order.backend, base_url=account.base_url)
    write_state(run_dir, state)  # last: from here on nothing is made, and so nothing noted, again
    return finish(run_dir, order, state, train)


def _without_removed(state: dict, run_dir: Path) -> dict:
    """The state without what a teardown took away: a removed file is uploaded anew, a removed job or model trained anew."""
    there = {(entry["kind"], entry["id"]) for entry in read_ledger(run_dir)}
    if any(was_removed(run_dir, kind, state.get(name, "")) for kind, name in (("job", "job_id"), ("model", "model"))):
        state = {name: state[name] for name in ("fingerprint", "files")}
    return state | {"files": {part: id for part, id in state.get("files", {}).items() if ("file", id) in there}}


def upload(run_dir: Path, jobs, order: Order, state: dict, allow: Callable, sleep: Callable) -> tuple[str, str | None]:
    """Ids of the two files, uploaded unless they are there; each id is on disk before the next step."""
    ids = []
    for part, path in (("train", order.train), ("valid", order.valid)):
        if path is None:
            ids.append(None)
            continue
        if part not in state["files"]:
            name = order.file_name(part)
            file_id = patiently(lambda name=name: jobs.find_file(name), jobs.account, f"looking for {name}", sleep=sleep)
            if file_id is None:
                allow()
                say(f"uploading {path} as {name} ({path.stat().st_size / 1e6:.1f} MB)")
                # A second upload after a lost reply would leave a file more, so it is looked for before it is repeated.
                file_id = patiently(
                    lambda path=path, name=name: jobs.find_file(name) or jobs.upload(path, name), jobs.account, f"uploading {name}", sleep=sleep
                )  # fmt: skip
            state["files"][part] = file_id
            record_created(run_dir, "file", file_id, backend=order.backend, base_url=jobs.account.base_url, name=name)
            write_state(run_dir, state)
        ids.append(await_intake(jobs, state, part, run_dir, sleep))
    return tuple(ids)


def await_intake(jobs, state: dict, part: str, run_dir: Path, sleep: Callable) -> str:
    """Wait until the provider has read a file.

    Raises:
        BadInput: It rejects the file; another upload is made the next time.
        ProviderError: It takes more than half an hour.
    """
    file_id, waited = state["files"][part], 0.0
    while True:
        word, why = patiently(lambda: jobs.file_state(file_id), jobs.account, f"looking at {file_id}", sleep=sleep)
        if word == "ready":
            return file_id
        if word == "rejected":
            del state["files"][part]
            write_state(run_dir, state)
            raise BadInput(f"{jobs.account.backend} rejected {part}.jsonl ({file_id}): {why}")
        if waited >= INTAKE_S:
            raise ProviderError(f"{jobs.account.backend} has not taken in {file_id} after {waited:.0f} s; run again later")
        sleep(5.0)
        waited += 5.0


def create(run_dir: Path, jobs, order: Order, files: tuple[str, str | None], allow: Callable, sleep: Callable) -> str:
    """Create the job if `allow()` lets it, unless an earlier try did: one whose reply was lost is found by its file or suffix.

    One that a teardown took is not found: OpenAI and Azure list it still, and its model is gone.
    """
    lost = True  # an earlier start may have been killed between the request and the note of its id

    def send() -> str:
        nonlocal lost
        if lost and (found := jobs.find_job(order, files[0])) and not was_removed(run_dir, "job", found):
            say(f"found {found}, made before")
            return found
        lost = False
        allow()  # the files may be there from a job that failed, and the budget another one now
        try:
            made = jobs.create(order, *files)
        except Exception as error:
            lost = is_network(error) or getattr(error, "status_code", 0) in (408, 500, 502, 503, 504)
            raise
        say(f"created {made}: {order.model}, {order.n_epochs} epochs, suffix {order.suffix}")
        return made

    try:
        return patiently(send, jobs.account, f"creating a job for {order.model}", sleep=sleep)
    except ProviderError as error:
        if error.status in (400, 422):
            raise BadInput(f"{error}; the provider rejected rows or parameters, nothing was trained") from None
        raise


def outcome(order: Order, status: Status) -> dict:
    """What a job that succeeded leaves on record.

    Raises:
        RuntimeError: It names no model.
    """
    if not status.model:
        raise RuntimeError(f"the job ended as {status.word} and names no tuned model; look at it at {order.backend}")
    price = tuning_price(order.backend, order.model)
    rate = None if price is None else price.lora if order.lora and price.lora is not None else price.train
    cost = status.price_usd
    if cost is None and rate is not None and status.trained_tokens:
        cost = status.trained_tokens * rate / 1e6
    told = "the provider's own" if status.price_usd is not None else "billed tokens at the list price"
    return {
        "state": "succeeded", "model": status.model, "trained_tokens": status.trained_tokens, "cost_usd": cost,
        "cost_is": told if cost is not None else "not known", "ended": now(),
    }  # fmt: skip


def finish(run_dir: Path, order: Order, state: dict, train: Checked) -> dict:
    """Write `metrics.json` and `prompts.jsonl`, as a local training leaves them, as far as a provider tells."""
    folder = run_dir / "training"
    log = read_jsonl(folder / "log.jsonl") if (folder / "log.jsonl").is_file() else []
    losses = [line["loss"] for line in log if "loss" in line]
    tenth = max(1, len(losses) // 10)
    held = [line["valid_loss"] for line in log if "valid_loss" in line]
    metrics = {
        "fingerprint": order.fingerprint, "backend": order.backend, "base_model": order.model, "model": state["model"],
        "job_id": state["job_id"], "rows": train.n, "epochs": order.n_epochs, "seed": order.seed,
        "steps": max((line["step"] for line in log), default=None), "tokens": state["trained_tokens"],
        "cost_usd": state["cost_usd"], "cost_is": state["cost_is"],
        "loss_first": sum(losses[:tenth]) / tenth if losses else None,
        "loss_last": sum(losses[-tenth:]) / tenth if losses else None, "valid_loss": held[-1] if held else None,
    }  # fmt: skip
    rows = read_jsonl(order.train)[:N_PROMPTS]
    asked = [{"messages": r["messages"][:-1]} if "messages" in r else {"prompt": r["prompt"]} for r in rows]
    write_jsonl(folder / "prompts.jsonl", asked)
    write_json(folder / "metrics.json", metrics)
    return metrics
