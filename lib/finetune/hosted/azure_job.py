"""Azure OpenAI's fine-tuning: OpenAI's protocol at a resource of one's own, with three differences.

A file has to be taken in before a job may name it; hyper-parameters stand at the top and there is no metadata (API versions
up to 2024-10-21); and the tuned model answers only once it is deployed, which is lib.deploy.azure's.
"""

from lib.finetune.hosted.openai_job import OpenAIJobs
from lib.finetune.hosted.order import Order


class AzureJobs(OpenAIJobs):
    """Jobs of one Azure OpenAI resource."""

    def file_state(self, file_id: str) -> tuple[str, str]:
        """`ready`, `waiting` or `rejected`, and why."""
        file = self.client.files.retrieve(file_id)
        if file.status in ("error", "deleted", "deleting", "failed"):
            return "rejected", file.status_details or "no reason given"
        return ("ready" if file.status == "processed" else "waiting"), ""

    def how(self, tuned: dict, order: Order) -> dict:
        """Hyper-parameters as Azure takes them."""
        return {"hyperparameters": tuned}
