"""A hosted fine-tuning from rows to model against local servers that speak each protocol, errors and restarts included.

What this does not show is in tests/fakes/hosted.py.
"""

import json

import pytest

from lib.deploy.teardown import teardown
from lib.finetune.hosted import __main__ as command
from lib.finetune.hosted import tune as tuning
from lib.finetune.hosted.follow import JobFailed
from lib.finetune.hosted.order import read_state, write_state
from lib.finetune.hosted.tune import tune
from lib.llm.provider import Account, ProviderError
from lib.run import BadInput, read_json, read_jsonl
from lib.run.ledger import read_ledger
from lib.run.resume import removed_by_teardown
from tests.fakes.hosted import KEY, TOKENS, FakeOpenAI, FakeTogether
from tests.fakes.http import Fault

BACKENDS = ("openai", "azure", "together")
MODEL = {"openai": "gpt-4o-mini-2024-07-18", "azure": "gpt-4o-mini-2024-07-18", "together": "togethercomputer/LLaMA-2-7B-32K"}
JOBS = {"openai": "/v1/fine_tuning/jobs", "azure": "/openai/fine_tuning/jobs", "together": "/v1/fine-tunes"}


@pytest.fixture(params=BACKENDS)
def backend(request):
    return request.param


def make_fake(backend, fail=None):
    return FakeTogether(fail) if backend == "together" else FakeOpenAI(azure=backend == "azure", fail=fail)


class Job:
    """A run folder, its parameters, a fake provider, and the waits that were asked for."""

    def __init__(self, folder, backend, fail=None, key=KEY):
        self.dir, self.backend, self.fake, self.waits = folder / "demo", backend, make_fake(backend, fail), []
        self.key = key
        self.p = {
            "run": "demo", "backend": backend, "student_model": MODEL[backend], "epochs": 2.0, "batch_size": 8, "grad_accumulation": 1,
            "seed": 11, "learning_rate": 1e-5, "tuning": "full", "scheduler": "cosine", "warmup_ratio": 0.03, "weight_decay": 0.0,
            "max_length": 0, "budget_usd": 1.0,
        }  # fmt: skip
        self.write_rows()

    def write_rows(self, word="What"):
        rows = [{"messages": [{"role": "user", "content": f"{word} {i}?"}, {"role": "assistant", "content": "That."}]} for i in range(12)]
        (self.dir / "dataset").mkdir(parents=True, exist_ok=True)
        for part, some in (("train", rows), ("valid", rows[:2])):
            (self.dir / "dataset" / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in some))

    def tune(self, **change):
        version = "2024-10-21" if self.backend == "azure" else ""
        account = Account(self.backend, self.fake.base_url, self.key, "STUDENT_OPENAI_API_KEY", version)
        return tune(self.dir, self.p | change, account=account, poll_s=0.0, sleep=self.waits.append, patience_s=600.0)

    def created(self):
        return self.fake.asked("POST", "preprocess" if self.backend == "together" else "files"), len(self.fake.jobs)


@pytest.fixture
def job(tmp_path, backend):
    made = Job(tmp_path, backend)
    with made.fake:
        yield made


def test_a_job_is_ordered_as_the_parameters_say_followed_and_recorded(job):
    metrics = job.tune()
    wanted = next(iter(job.fake.jobs.values()))["wanted"]
    assert wanted["suffix"].startswith("demo-")
    assert wanted.get("seed", wanted.get("random_seed")) == 11
    told = wanted if job.backend == "together" else wanted.get("hyperparameters") or wanted["method"]["supervised"]["hyperparameters"]
    assert (told["n_epochs"], told["batch_size"]) == (2, 8)
    assert wanted["validation_file"] in job.fake.files
    assert metrics["tokens"] == TOKENS
    assert metrics["cost_usd"] > 0
    assert metrics["model"] == read_state(job.dir)["model"]
    assert metrics["loss_first"] > metrics["loss_last"]
    assert [line["loss"] for line in read_jsonl(job.dir / "training" / "log.jsonl")] == [pytest.approx(x) for x in (1.0, 2 / 3)]
    assert "messages" in read_jsonl(job.dir / "training" / "prompts.jsonl")[0]
    assert [entry["kind"] for entry in read_ledger(job.dir)] == ["file", "file", "job", "model"]


def test_together_gets_the_hyperparameters_of_the_notebook_and_the_loss_on_answers_alone(tmp_path):
    job = Job(tmp_path, "together")
    with job.fake:
        job.tune(tuning="lora", lora_rank=32, lora_alpha=64)
    wanted = job.fake.jobs["ft-1"]["wanted"]
    assert wanted["learning_rate"] == 1e-5
    assert wanted["warmup_ratio"] == 0.03
    assert wanted["training_type"]["type"] == "Lora"
    assert (wanted["training_type"]["lora_r"], wanted["training_type"]["lora_alpha"]) == (32, 64)
    assert wanted["training_method"] == {"method": "sft", "train_on_inputs": False}


def test_what_is_done_is_not_done_again(job):
    first = job.tune()
    before = job.created()
    assert job.tune() == first
    assert job.created() == before


def test_other_rows_make_another_job_and_the_old_one_stays_on_record(job):
    job.tune()
    job.write_rows("Which")
    job.tune()
    assert len(job.fake.jobs) == 2
    assert [entry["kind"] for entry in read_ledger(job.dir)].count("job") == 2


def test_a_restart_follows_the_same_job(job):
    job.fake.faults.append(Fault("GET", JOBS[job.backend] + "/f", 401))
    with pytest.raises(ProviderError, match="HTTP 401"):
        job.tune()
    assert "job_id" in read_state(job.dir)
    before = job.created()
    assert job.tune()["model"]
    assert job.created() == before


def test_a_file_whose_upload_was_not_noted_is_found_by_its_name(job):
    job.fake.faults.append(Fault("POST", JOBS[job.backend], 401))
    with pytest.raises(ProviderError):
        job.tune()
    uploads = job.created()[0]
    (job.dir / "training" / "hosted.json").unlink()  # killed between the upload and the note of it
    job.tune()
    assert job.created() == (uploads, 1)


def test_a_job_whose_id_was_lost_is_found_and_not_made_again(job):
    job.fake.faults.append(Fault("GET", JOBS[job.backend] + "/f", 401))
    with pytest.raises(ProviderError):
        job.tune()
    state = read_state(job.dir)
    (job.dir / "training" / "hosted.json").write_text(json.dumps({name: state[name] for name in ("fingerprint", "files")}))
    job.tune()
    assert len(job.fake.jobs) == 1


@pytest.mark.parametrize("lost", [0, 503])
def test_a_job_that_was_made_though_its_reply_was_lost_is_not_made_again(job, lost):
    job.fake.faults.append(Fault("POST", JOBS[job.backend], lost, after=True, times=1))
    if job.backend == "together":  # the estimate of the price is asked at a path of the same beginning
        job.fake.faults[0].path = "/v1/fine-tunes"
        job.fake.planned = only_exact(job.fake, "/v1/fine-tunes")
    assert job.tune()["model"]
    assert len(job.fake.jobs) == 1


def only_exact(fake, path):
    def planned(method, asked):
        fault = fake.faults[0] if fake.faults else None
        if fault and fault.times > 0 and (method, asked) == (fault.method, path):
            fault.times -= 1
            return fault
        return None

    return planned


def test_a_rejected_file_is_an_error_with_the_providers_reason_and_the_next_start_uploads_anew(job):
    job.write_rows("REJECT ME")
    with pytest.raises(BadInput, match=r"rejected train.jsonl \(file-1\): .*[Ll]ine 3"):
        job.tune()
    assert len(job.fake.jobs) == 0
    assert read_state(job.dir)["files"] == {}
    with pytest.raises(BadInput, match="rejected"):
        job.tune()  # of the same name, and not the file that was rejected
    assert job.created()[0] == 2
    job.write_rows()
    assert job.tune()["model"]


def test_an_order_that_the_provider_rejects_is_bad_input(job):
    job.fake.faults.append(Fault("POST", JOBS[job.backend], 400, body={"error": {"message": "model is not available for fine-tuning"}}))
    with pytest.raises(BadInput, match="not available for fine-tuning.*nothing was trained"):
        job.tune()


def test_a_failed_job_stops_with_the_reason_and_the_next_start_makes_a_new_one_of_the_same_files(tmp_path, backend):
    job = Job(tmp_path, backend, fail="error" if backend == "together" else "failed")
    with job.fake:
        with pytest.raises(JobFailed, match="the loss diverged"):
            job.tune()
        assert read_state(job.dir)["state"] == "failed"
        uploads = job.created()[0]
        job.fake.fail = None
        assert job.tune()["model"]
        assert job.created() == (uploads, 2)


def test_a_new_job_of_files_that_are_there_has_to_fit_the_budget_too(tmp_path, backend):
    job = Job(tmp_path, backend, fail="error" if backend == "together" else "failed")
    with job.fake:
        with pytest.raises(JobFailed):
            job.tune()
        with pytest.raises(BadInput, match="more than budget_usd"):
            job.tune(budget_usd=1e-9)
        assert len(job.fake.jobs) == 1


def test_the_losses_of_an_earlier_job_are_not_those_of_the_next(job):
    job.tune()
    log = job.dir / "training" / "log.jsonl"
    log.write_text("".join(json.dumps(line | {"loss": 99.0}) + "\n" for line in read_jsonl(log)))
    job.write_rows("Which")
    assert job.tune()["loss_first"] == 1.0


def test_after_a_teardown_everything_is_made_anew(job, account_in_environment):
    job.tune()
    before = job.created()
    assert teardown(job.dir, yes=True, tell=lambda _: None) == 0
    assert job.tune()["model"]
    assert job.created() == (2 * before[0], 1 if job.backend == "together" else 2)  # Together forgets a job that is removed


def test_after_a_teardown_the_finished_stage_is_not_finished_any_more(job, account_in_environment):
    stage = {"training": job.tune()}
    assert removed_by_teardown(stage, job.dir) is None
    assert teardown(job.dir, yes=True, tell=lambda _: None) == 0
    assert removed_by_teardown(stage, job.dir) == f"its model {stage['training']['model']} was removed by a teardown"
    assert removed_by_teardown({"training": job.tune()}, job.dir) is None


def test_a_job_is_made_anew_though_its_file_could_not_be_removed(job, account_in_environment):
    job.tune()
    before = job.created()
    job.fake.faults.append(Fault("DELETE", "/files/", 403, times=2))
    assert teardown(job.dir, yes=True, tell=lambda _: None) == 1
    job.tune()
    assert job.created() == (before[0], 1 if job.backend == "together" else 2)


def test_a_model_is_on_record_before_the_state_that_skips_making_it(job, monkeypatch):
    def killed(run_dir, state):
        write_state(run_dir, state)
        if state.get("state") == "succeeded":
            raise KeyboardInterrupt

    monkeypatch.setattr(tuning, "write_state", killed)
    with pytest.raises(KeyboardInterrupt):
        job.tune()
    assert [entry["kind"] for entry in read_ledger(job.dir)][-1] == "model"


def test_a_job_cancelled_elsewhere_is_told_and_not_followed_for_ever(tmp_path, backend):
    job = Job(tmp_path, backend, fail="cancelled")
    with job.fake, pytest.raises(JobFailed, match="was cancelled at"):
        job.tune()
    assert read_state(job.dir)["state"] == "cancelled"


def test_an_expired_key_names_its_variable_and_is_never_shown(tmp_path, backend):
    job = Job(tmp_path, backend, key="sk-expired-canary")
    with job.fake, pytest.raises(ProviderError) as caught:
        job.tune()
    assert "STUDENT_OPENAI_API_KEY" in str(caught.value)
    assert "sk-expired-canary" not in str(caught.value)
    assert job.created() == (0, 0)


def test_a_key_that_expires_while_following_leaves_the_job_to_be_followed_later(job):
    job.fake.faults.append(Fault("GET", "/events", 401))
    with pytest.raises(ProviderError, match="it goes on at"):
        job.tune()
    assert job.tune()["model"]
    assert len(job.fake.jobs) == 1


def test_a_rate_limit_is_waited_for_as_long_as_it_says(job):
    job.fake.faults.append(Fault("POST", JOBS[job.backend], 429, times=2, headers={"Retry-After": "7"}))
    job.tune()
    assert job.waits.count(7.0) == 2
    assert len(job.fake.jobs) == 1


def test_a_used_up_quota_is_not_waited_for(tmp_path):
    job = Job(tmp_path, "openai")
    body = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    job.fake.faults.append(Fault("POST", JOBS["openai"], 429, body=body))
    with job.fake, pytest.raises(ProviderError, match="add credit"):
        job.tune()
    assert job.waits == []


def test_a_network_that_drops_while_following_is_waited_for(job, capsys):
    job.fake.faults.append(Fault("GET", "/events", 0, times=3))
    job.tune()
    assert [wait for wait in job.waits if wait][-3:] == [1.0, 2.0, 4.0]
    assert capsys.readouterr().out.count("connection lost") == 1


def test_a_network_that_stays_away_ends_the_following_and_not_the_job(job):
    job.fake.faults.append(Fault("GET", "/events", 503, times=10**6, headers={"Retry-After": "100000"}))
    version = "2024-10-21" if job.backend == "azure" else ""
    account = Account(job.backend, job.fake.base_url, KEY, "K", version)
    with pytest.raises(ProviderError, match="goes on"):
        tune(job.dir, job.p, account=account, poll_s=0.0, sleep=job.waits.append, patience_s=10.0)
    assert read_state(job.dir)["state"] == "waiting"


def test_ctrl_c_says_how_to_follow_and_to_cancel_and_asks_nothing(job, capsys):
    def interrupt(_):
        raise KeyboardInterrupt

    version = "2024-10-21" if job.backend == "azure" else ""
    job.fake.faults.append(Fault("GET", "/events", 503))
    account = Account(job.backend, job.fake.base_url, KEY, "K", version)
    with pytest.raises(KeyboardInterrupt):
        tune(job.dir, job.p, account=account, poll_s=0.0, sleep=lambda s: interrupt(s) if len(job.fake.jobs) else None)
    assert "python -m lib.finetune.hosted cancel --run demo" in capsys.readouterr().out


@pytest.fixture
def account_in_environment(job, monkeypatch):
    variables = {
        "openai": {"STUDENT_OPENAI_API_KEY": KEY, "STUDENT_OPENAI_BASE_URL": job.fake.base_url},
        "together": {"TOGETHER_API_KEY": KEY, "STUDENT_OPENAI_BASE_URL": job.fake.base_url},
        "azure": {"STUDENT_AZURE_OPENAI_API_KEY": KEY, "STUDENT_AZURE_OPENAI_ENDPOINT": job.fake.base_url, "OPENAI_API_VERSION": "2024-10-21"},
    }  # fmt: skip
    for name, value in variables[job.backend].items():
        monkeypatch.setenv(name, value)


def test_the_cancel_command_ends_the_job_of_a_run(job, account_in_environment, capsys):
    job.fake.faults.append(Fault("GET", "/events", 401))
    with pytest.raises(ProviderError):
        job.tune()
    assert command.main(["status", "--run", "demo"], job.dir.parent) == 0
    assert command.main(["cancel", "--run", "demo"], job.dir.parent) == 0
    assert "cancelled" in capsys.readouterr().out.splitlines()[-1]
    assert "cancel" in next(iter(job.fake.jobs.values()))["states"][0]
    assert command.main(["cancel", "--run", "other"], job.dir.parent) == 2


def test_a_budget_refuses_before_anything_is_uploaded(job):
    with pytest.raises(BadInput, match="more than budget_usd"):
        job.tune(budget_usd=1e-9)
    assert job.created() == (0, 0)


def test_no_artefact_holds_the_key(job):
    job.tune()
    for path in job.dir.rglob("*"):
        assert path.is_dir() or KEY.encode() not in path.read_bytes()
    assert KEY not in repr(Account(job.backend, "https://a", KEY, "K"))


def test_metrics_say_what_a_local_training_says_as_far_as_a_provider_tells(job):
    job.tune()
    metrics = read_json(job.dir / "training" / "metrics.json")
    assert {"rows", "steps", "tokens", "loss_first", "loss_last", "valid_loss"} <= set(metrics)
    assert metrics["rows"] == 12
    assert metrics["steps"] == read_jsonl(job.dir / "training" / "log.jsonl")[-1]["step"]


@pytest.mark.parametrize(("method", "where"), [("PUT", "/storage/"), ("POST", "/preprocess")])
def test_a_file_whose_upload_broke_off_is_uploaded_again_and_not_waited_for(tmp_path, method, where):
    job = Job(tmp_path, "together")
    job.fake.faults.append(Fault(method, where, 503))
    with job.fake:
        assert job.tune()["model"]
    [ordered] = job.fake.jobs.values()
    assert job.fake.files[ordered["wanted"]["training_file"]]["processing_status"] == "COMPLETED"
