"""OpenAI's fine-tuning protocol through its official client: files, jobs, events, results."""

from pathlib import Path

from lib.finetune.hosted.order import Event, Order, Status
from lib.llm.provider import Account, make_openai

STATES = {
    "validating_files": "waiting", "queued": "waiting", "pending": "waiting", "paused": "waiting", "running": "running",
    "succeeded": "succeeded", "failed": "failed", "cancelled": "cancelled", "canceled": "cancelled",
}  # fmt: skip
METRICS = {
    "train_loss": "loss", "valid_loss": "valid_loss", "full_valid_loss": "valid_loss",
    "train_mean_token_accuracy": "token_accuracy", "valid_mean_token_accuracy": "valid_token_accuracy",
}  # fmt: skip
PAGE = 100


class OpenAIJobs:
    """Jobs of one account. Every method is one request, or pages of one; none repeats itself."""

    def __init__(self, account: Account):
        self.account = account
        self.client = make_openai(account)

    def upload(self, path: Path, name: str) -> str:
        """Upload a file under a name; its id."""
        with open(path, "rb") as file:
            return self.client.files.create(file=(name, file, "application/jsonl"), purpose="fine-tune").id

    def find_file(self, name: str) -> str | None:
        """Id of a file uploaded before under this name and not rejected."""
        named = (file.id for file in self.client.files.list(purpose="fine-tune") if file.filename == name)
        return next((id for id in named if self.file_state(id)[0] != "rejected"), None)

    def file_state(self, file_id: str) -> tuple[str, str]:
        """`ready`, `waiting` or `rejected`, and why."""
        file = self.client.files.retrieve(file_id)
        if file.status in ("error", "deleted", "failed"):
            return "rejected", file.status_details or "no reason given"
        # OpenAI takes files that are still `uploaded`; it reads them when the job begins.
        return "ready", ""

    def create(self, order: Order, train_id: str, valid_id: str | None) -> str:
        """Create the job; its id."""
        tuned = {"n_epochs": order.n_epochs, "batch_size": order.batch_size}
        if order.learning_rate_multiplier:
            tuned["learning_rate_multiplier"] = order.learning_rate_multiplier
        wanted = {
            "model": order.model, "training_file": train_id, "seed": order.seed, "suffix": order.suffix,
            **self.how(tuned, order),
        }  # fmt: skip
        if valid_id:
            wanted["validation_file"] = valid_id
        return self.client.fine_tuning.jobs.create(**wanted).id

    def how(self, tuned: dict, order: Order) -> dict:
        """Hyper-parameters and marks, the part of a request in which Azure differs."""
        marks = {"raft_run": order.run, "raft_fingerprint": order.fingerprint}
        return {"method": {"type": "supervised", "supervised": {"hyperparameters": tuned}}, "metadata": marks}

    def find_job(self, order: Order, train_id: str) -> str | None:
        """Id of the job that this order made before: its own training file, which no other order shares, gives it away."""
        for job in self.client.fine_tuning.jobs.list(limit=PAGE):
            ended = STATES.get(job.status) in ("failed", "cancelled")
            if job.training_file == train_id and not ended:
                return job.id
        return None

    def status(self, job_id: str) -> Status:
        """How the job stands."""
        job = self.client.fine_tuning.jobs.retrieve(job_id)
        error = job.error.message if job.error and job.error.message else None
        return Status(
            STATES.get(job.status, "waiting"), job.status, job.fine_tuned_model, job.trained_tokens, None, error
        )

    def events(self, job_id: str) -> list[Event]:
        """The job's log, oldest first."""
        found = [_event(event) for event in self.client.fine_tuning.jobs.list_events(job_id, limit=PAGE)]
        return found[::-1]

    def cancel(self, job_id: str) -> None:
        """Ask for the job's end."""
        self.client.fine_tuning.jobs.cancel(job_id)


def _event(event) -> Event:
    data = event.data if isinstance(event.data, dict) else {}
    metrics = {new: float(data[old]) for old, new in METRICS.items() if isinstance(data.get(old), int | float)}
    step = data.get("step")
    return Event(event.id, event.message, int(step) if step is not None else None, data.get("total_steps"), metrics)
