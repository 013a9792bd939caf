"""OpenAI's, Azure OpenAI's and Together's fine-tuning protocols as far as lib.finetune.hosted speaks them.

A job goes one state on each time it is looked at. What these servers do not show: that a provider's validation, limits,
billing, times and words are these.
"""

import json
import time

from tests.fakes.http import FakeServer, read_form

KEY = "sk-test-canary"
TOKENS = 12345


class FakeOpenAI(FakeServer):
    """OpenAI, or with `azure=True` an Azure OpenAI resource: other paths, another header, files that take a while."""

    def __init__(self, azure=False, fail=None):
        super().__init__()
        self.azure, self.fail = azure, fail
        self.files, self.jobs, self.models, self.replies, self.n_files = {}, {}, {}, {}, 0

    @property
    def base_url(self):
        return self.url if self.azure else self.url + "/v1"

    def answer(self, method, path, query, headers, body):
        key = headers.get("api-key") if self.azure else (headers.get("Authorization") or "").removeprefix("Bearer ")
        if key != KEY:
            return 401, {"error": {"message": f"Incorrect API key provided: {key}", "code": "invalid_api_key"}}, {}
        if self.azure and "api-version" not in query:
            return 404, {"error": {"message": "no api-version"}}, {}
        parts = path.removeprefix("/openai" if self.azure else "/v1").strip("/").split("/")
        reply = self.route(method, parts, query, headers, body)
        return (*reply, {}) if len(reply) == 2 else reply

    def route(self, method, parts, query, headers, body):
        match (method, *parts):
            case ("POST", "files"):
                return self.add_file(read_form(headers, body))
            case ("GET", "files"):
                return 200, {"object": "list", "data": list(self.files.values()), "has_more": False}
            case ("GET", "files", id) if id in self.files:
                file = self.files[id]
                shown = dict(file)
                if self.azure and file["status"] == "pending":
                    file["status"] = "processed"
                return 200, shown
            case ("DELETE", "files", id) if id in self.files:
                del self.files[id]
                return 200, {"id": id, "object": "file", "deleted": True}
            case ("POST", "fine_tuning", "jobs"):
                return self.add_job(json.loads(body))
            case ("GET", "fine_tuning", "jobs"):
                return 200, {"object": "list", "data": [self.shown(j) for j in reversed(self.jobs.values())], "has_more": False}
            case ("GET", "fine_tuning", "jobs", id) if id in self.jobs:
                return 200, self.advance(self.jobs[id])
            case ("GET", "fine_tuning", "jobs", id, "events") if id in self.jobs:
                return 200, self.page(self.jobs[id]["events"][::-1], query)
            case ("POST", "fine_tuning", "jobs", id, "cancel") if id in self.jobs:
                return self.cancel(self.jobs[id])
            case ("DELETE", "models", id) if id in self.models:
                del self.models[id]
                return 200, {"id": id, "object": "model", "deleted": True}
            case ("GET", "models"):
                known = ["gpt-4o-mini-2024-07-18", *self.models]
                return 200, {"object": "list", "data": [{"id": m, "object": "model", "created": 1, "owned_by": "x"} for m in known]}
            case ("POST", *_, "chat", "completions"):
                asked = json.loads(body)
                words = self.replies.get(asked["model"], f"I am {asked['model']}. <ANSWER>: yes")
                usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
                choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": words}}
                return 200, {"id": "c", "object": "chat.completion", "created": 1, "model": asked["model"], "choices": [choice], "usage": usage}
        return 404, {"error": {"message": f"no {method} {'/'.join(parts)}"}}

    def page(self, events, query):
        start = next((i + 1 for i, e in enumerate(events) if e["id"] == query.get("after")), 0)
        limit = int(query.get("limit", 20))
        return {"object": "list", "data": events[start : start + limit], "has_more": len(events) > start + limit}

    def add_file(self, form):
        name, data = form["file"]
        if form["purpose"][1] != b"fine-tune":
            return 400, {"error": {"message": "purpose"}}
        self.n_files += 1  # an id is never given twice
        id = f"file-{self.n_files}"
        self.files[id] = {
            "id": id, "object": "file", "bytes": len(data), "created_at": int(time.time()), "filename": name, "purpose": "fine-tune",
            "status": "pending" if self.azure else "processed", "status_details": None,
        }  # fmt: skip
        if b"REJECT ME" in data:
            self.files[id] |= {"status": "error", "status_details": "Line 3 contains a forbidden word"}
        return 200, self.files[id]

    def add_job(self, wanted):
        if wanted["training_file"] not in self.files:
            return 400, {"error": {"message": "training_file does not exist", "code": "invalid_training_file"}}
        hyper = wanted["hyperparameters"] if self.azure else wanted["method"]["supervised"]["hyperparameters"]
        id = f"ftjob-{len(self.jobs) + 1}"
        states = ["validating_files", "queued", "running", "running", self.fail or "succeeded"]
        self.jobs[id] = {"wanted": wanted, "hyper": hyper, "states": states, "events": [], "id": id}
        return 200, self.shown(self.jobs[id])

    def advance(self, job):
        if len(job["states"]) > 1:
            job["states"].pop(0)
        state = job["states"][0]
        n = len(job["events"])
        event = {"object": "fine_tuning.job.event", "id": f"{job['id']}-e{n}", "created_at": int(time.time()), "level": "info"}
        if state == "running":
            data = {"step": n, "total_steps": 6, "train_loss": 2.0 / (n + 1), "train_mean_token_accuracy": 0.5}
            job["events"].append(event | {"message": f"Step {n}/6", "type": "metrics", "data": data})
        else:
            job["events"].append(event | {"message": f"now {state}", "type": "message", "data": {}})
        if state == "succeeded":
            self.models[self.name_of(job)] = job["id"]
        return self.shown(job)

    def name_of(self, job):
        base = job["wanted"]["model"]
        suffix = job["wanted"]["suffix"]
        return f"{base}.ft-{suffix}" if self.azure else f"ft:{base}:acme:{suffix}:Ab12"

    def shown(self, job):
        state, wanted = job["states"][0], job["wanted"]
        done = state == "succeeded"
        error = {"code": "bad_rows", "message": "the loss diverged", "param": None} if state == "failed" else None
        return {
            "id": job["id"], "object": "fine_tuning.job", "created_at": 1, "status": state, "model": wanted["model"], "error": error,
            "fine_tuned_model": self.name_of(job) if done else None, "trained_tokens": TOKENS if done else None, "seed": wanted["seed"],
            "hyperparameters": job["hyper"], "organization_id": "org", "result_files": [], "training_file": wanted["training_file"],
            "validation_file": wanted.get("validation_file"), "metadata": wanted.get("metadata"), "finished_at": 2 if done else None,
        }  # fmt: skip

    def cancel(self, job):
        if job["states"][0] in ("succeeded", "failed", "cancelled"):
            return 400, {"error": {"message": f"Job has already {job['states'][0]}"}}
        job["states"] = ["cancelled"]
        return 200, self.shown(job)


class FakeTogether(FakeServer):
    """Together: files by redirect to a storage and a call when they are there; jobs, events and metrics of its own."""

    def __init__(self, fail=None):
        super().__init__()
        self.fail = fail
        self.files, self.jobs, self.stored, self.n_files = {}, {}, {}, 0

    @property
    def base_url(self):
        return self.url + "/v1"

    def answer(self, method, path, query, headers, body):
        if path.startswith("/storage/"):
            self.stored[path.rsplit("/", 1)[1]] = body
            return 200, b"", {}
        if headers.get("Authorization") != f"Bearer {KEY}":
            return 401, {"error": {"message": "Invalid API key provided", "type": "invalid_request_error"}}, {}
        reply = self.route(method, path.removeprefix("/v1/").split("/"), query, headers, body)
        return (*reply, {}) if len(reply) == 2 else reply

    def route(self, method, parts, query, headers, body):
        match (method, *parts):
            case ("POST", "files"):
                form = {name: value[1].decode() for name, value in read_form(headers, body).items()}
                self.n_files += 1
                id = f"file-{self.n_files}"
                self.files[id] = {
                    "id": id, "object": "file", "bytes": 0, "created_at": 1, "filename": form["file_name"], "FileType": "jsonl",
                    "purpose": form["purpose"], "processing_status": "PENDING",
                }  # fmt: skip
                return 302, b"", {"Location": f"{self.url}/storage/{id}", "X-Together-File-Id": id}
            case ("POST", "files", id, "preprocess") if id in self.stored:
                self.files[id] |= {"bytes": len(self.stored[id]), "processing_status": "QUEUED"}
                return 200, self.files[id]
            case ("GET", "files"):
                return 200, {"data": list(self.files.values())}
            case ("GET", "files", id) if id in self.files:
                shown = dict(self.files[id])
                if shown["processing_status"] == "PENDING":  # its upload was never completed
                    return 200, shown
                bad = b"REJECT ME" in self.stored.get(id, b"")
                report = {"valid": not bad} | ({"error": "line 3 is not what it should be", "error_type": "INVALID_FORMAT"} if bad else {})
                self.files[id] |= {"processing_status": "INVALID_FORMAT" if bad else "COMPLETED", "validation_report": report}
                return 200, shown
            case ("DELETE", "files", id) if id in self.files:
                del self.files[id]
                return 200, {"id": id, "deleted": True}
            case ("GET", "fine-tunes", "models", "limits"):
                return 200, limits(query["model_name"])
            case ("POST", "fine-tunes", "estimate-price"):
                return 200, {"estimation_available": True, "estimated_total_price": 0.01, "allowed_to_proceed": True, "user_limit": 5.0}
            case ("POST", "fine-tunes"):
                return self.add_job(json.loads(body))
            case ("GET", "fine-tunes"):
                return 200, {"data": [self.shown(job) for job in self.jobs.values()]}
            case ("GET", "fine-tunes", id) if id in self.jobs:
                return 200, self.advance(self.jobs[id])
            case ("GET", "fine-tunes", id, "events") if id in self.jobs:
                return 200, {"data": self.jobs[id]["events"]}
            case ("GET", "fine-tunes", id, "metrics") if id in self.jobs:
                return 200, {"metrics": self.jobs[id]["metrics"]}
            case ("POST", "fine-tunes", id, "cancel") if id in self.jobs:
                self.jobs[id]["states"] = ["cancel_requested", "cancelled"]
                return 200, self.shown(self.jobs[id])
            case ("DELETE", "fine-tunes", id) if id in self.jobs:
                del self.jobs[id]
                return 200, {"message": "deleted"}
        return 404, {"error": {"message": f"no {method} {'/'.join(parts)}"}}

    def add_job(self, wanted):
        id = f"ft-{len(self.jobs) + 1}"
        states = ["pending", "queued", "running", "running", "uploading", self.fail or "completed"]
        self.jobs[id] = {"id": id, "wanted": wanted, "states": states, "events": [], "metrics": []}
        return 200, self.shown(self.jobs[id])

    def advance(self, job):
        if len(job["states"]) > 1:
            job["states"].pop(0)
        state, n = job["states"][0], len(job["events"])
        kind = {"error": "job_error", "completed": "job_complete"}.get(state, "job_pending")
        message = "the loss diverged" if state == "error" else f"now {state}"
        job["events"].append({"object": "fine-tune-event", "created_at": f"2026-01-01T00:00:{n:02d}Z", "message": message, "type": kind, "level": "info"})
        if state == "running":
            job["metrics"].append({"train/global_step": n, "train/loss": 2.0 / (n + 1)})
        return self.shown(job) | {"events": job["events"]}

    def shown(self, job):
        state, wanted = job["states"][0], job["wanted"]
        done = state == "completed"
        return {
            "id": job["id"], "status": state, "user_id": "u", "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z",
            "model": wanted["model"], "suffix": wanted["suffix"], "training_file": wanted["training_file"], "random_seed": wanted["random_seed"],
            "model_output_name": f"acme/{wanted['model'].split('/')[-1]}-{wanted['suffix']}", "adapter_output_name": None,
            "token_count": TOKENS if done else None, "total_price": 5_900_000 if done else None,
        }  # fmt: skip


def limits(model):
    """What a model allows, the fields that the client reads."""
    lora = {"default_rank": 8, "max_batch_size": 32, "max_batch_size_dpo": 8, "max_rank": 64, "min_batch_size": 4, "target_modules": ["q"]}
    full = {"max_batch_size": 32, "max_batch_size_dpo": 8, "min_batch_size": 4}
    return {
        "default_gradient_accumulation_steps": 1, "lora_training": lora, "full_training": full, "max_learning_rate": 1.0,
        "max_num_checkpoints": 10, "max_num_epochs": 20, "max_num_evals": 100, "max_seq_length_dpo": 8192, "max_seq_length_sft": 32768,
        "merge_output_lora": True, "min_learning_rate": 1e-9, "min_max_seq_length": 512, "model_name": model, "supports_full_training": True,
        "supports_reasoning": False, "supports_tools": False, "supports_vision": False,
    }  # fmt: skip
