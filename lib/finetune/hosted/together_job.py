"""Together's fine-tuning protocol through its official client: files, jobs, events, metrics, results."""

import shutil
import tempfile
from pathlib import Path

from lib.finetune.hosted.order import Event, Order, Status
from lib.finetune.hosted.price import EVALUATIONS
from lib.llm.provider import Account, make_together
from lib.run import BadInput

STATES = {
    "pending": "waiting", "queued": "waiting", "running": "running", "compressing": "running", "uploading": "running",
    "cancel_requested": "running", "cancelled": "cancelled", "user_error": "failed", "error": "failed", "completed": "succeeded",
}  # fmt: skip
METRICS = {"train/loss": "loss", "eval/loss": "valid_loss"}
USD = 1e-9  # what the API calls a price is in billionths


class TogetherJobs:
    """Jobs of one account. Every method is one action; none repeats itself."""

    def __init__(self, account: Account):
        self.account = account
        self.client = make_together(account)

    def upload(self, path: Path, name: str) -> str:
        """Upload a file under a name; its id. The same bytes uploaded before keep their first name and id."""
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(shutil.copyfile(path, Path(folder) / name))
            return self.client.files.upload(copy, purpose="fine-tune", check=True).id

    def find_file(self, name: str) -> str | None:
        """Id of a file uploaded before under this name and not rejected; one whose upload broke off stays PENDING for ever."""
        whole = (file for file in self.client.files.list().data or [] if file.processing_status != "PENDING")
        named = (file.id for file in whole if file.filename == name)
        return next((id for id in named if self.file_state(id)[0] != "rejected"), None)

    def file_state(self, file_id: str) -> tuple[str, str]:
        """`ready`, `waiting` or `rejected`, and why."""
        file = self.client.files.retrieve(file_id)
        if file.processing_status in ("FAILED", "INVALID_FORMAT"):
            report = file.validation_report
            return "rejected", (report.error if report else None) or file.processing_status
        return ("waiting" if file.processing_status in ("PENDING", "QUEUED", "RUNNING") else "ready"), ""

    def create(self, order: Order, train_id: str, valid_id: str | None) -> str:
        """Create the job; its id.

        Raises:
            BadInput: The client finds the order beyond the model's limits.
        """
        wanted = {
            "model": order.model, "training_file": train_id, "n_epochs": order.n_epochs, "batch_size": order.batch_size,
            "learning_rate": order.learning_rate, "lr_scheduler_type": order.scheduler, "warmup_ratio": order.warmup_ratio,
            "weight_decay": order.weight_decay, "lora": order.lora, "random_seed": order.seed, "suffix": order.suffix,
            "train_on_inputs": False, "n_checkpoints": 1,
        }  # fmt: skip
        if order.lora:
            wanted |= {"lora_r": order.lora_rank or None, "lora_alpha": order.lora_alpha or None, "lora_dropout": order.lora_dropout}
        if valid_id:
            wanted |= {"validation_file": valid_id, "n_evals": EVALUATIONS}
        try:
            return self.client.fine_tuning.create(**wanted).id
        except ValueError as error:
            raise BadInput(f"backend together refuses the job: {error}") from None

    def find_job(self, order: Order, train_id: str) -> str | None:
        """Id of the job that this order made before, by the suffix that no other order has."""
        for job in self.client.fine_tuning.list().data:
            if job.suffix == order.suffix and STATES.get(job.status) not in ("failed", "cancelled"):
                return job.id
        return None

    def status(self, job_id: str) -> Status:
        """How the job stands."""
        job = self.client.fine_tuning.retrieve(job_id)
        state = STATES.get(job.status, "waiting")
        error = None
        if state == "failed":
            errors = [event.message for event in job.events or [] if event.type == "job_error" or event.level == "error"]
            error = errors[-1] if errors else None
        price = job.total_price * USD if job.total_price else None
        return Status(state, job.status, job.x_model_output_name, job.token_count, price, error)

    def events(self, job_id: str) -> list[Event]:
        """The job's log, oldest first, then its metrics."""
        listed = sorted(self.client.fine_tuning.list_events(job_id).data, key=lambda event: event.created_at)
        found = [
            Event(f"{event.created_at}/{event.type}/{event.step}", event.message, event.step, event.total_steps)
            for event in listed
        ]
        return found + self._metrics(job_id)

    def _metrics(self, job_id: str) -> list[Event]:
        rows = self.client.fine_tuning.list_metrics(job_id).metrics or []
        found = []
        for row in rows:
            metrics = {new: float(row[old]) for old, new in METRICS.items() if old in row}
            step = row.get("train/global_step")
            if metrics and step is not None:
                found.append(Event(f"metrics/{step:g}/{'/'.join(metrics)}", "", int(step), None, metrics))
        return found

    def cancel(self, job_id: str) -> None:
        """Ask for the job's end."""
        self.client.fine_tuning.cancel(job_id)
