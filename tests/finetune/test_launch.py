"""The launcher's half of a training: commands, environment, and what is said when it fails."""

import pytest

from lib.finetune.checkpoints import WHOLE, last_checkpoint
from lib.finetune.failure import explain
from lib.finetune.launch import finished
from lib.finetune.launcher import Launcher
from lib.finetune.start import command, environment
from lib.run import write_json, write_jsonl

LOG = """\
[rank0]: Traceback (most recent call last):
[rank0]:   File "train.py", line 1, in <module>
[rank0]: RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.
[rank1]: RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes.
W1121 05:00:00 elastic/agent.py warning
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
"""


def test_a_failure_says_the_trainers_own_error_and_what_to_do(tmp_path):
    (tmp_path / "log.txt").write_text(LOG)
    text = explain(tmp_path / "log.txt", 1)
    assert "can't allocate memory" in text
    assert "lower batch_size" in text
    assert "ChildFailedError" not in text


def test_a_failure_does_not_speak_of_an_earlier_try(tmp_path):
    (tmp_path / "log.txt").write_text(LOG + "OSError: [Errno 28] No space left on device\n")
    text = explain(tmp_path / "log.txt", 1, begun=len(LOG))
    assert "the disk is full" in text
    assert "memory" not in text


def test_widths_that_4_bit_weights_cannot_have_on_a_cpu_are_named(tmp_path):
    (tmp_path / "log.txt").write_text("RuntimeError: shape '[256, 2]' is invalid for input of size 640\n")
    assert "multiples of 64: set tuning to lora" in explain(tmp_path / "log.txt", 1)


def test_a_full_disk_is_named_though_the_log_on_it_has_no_words_left(tmp_path, monkeypatch):
    (tmp_path / "log.txt").write_text("starting\n")
    assert "the disk is full" not in explain(tmp_path / "log.txt", 1)
    monkeypatch.setattr("lib.run.machine.free_disk", lambda folder: 0)
    assert "the disk is full" in explain(tmp_path / "log.txt", 1)


@pytest.mark.parametrize(
    "words", ["[Errno 122] Disk quota exceeded", "PytorchStreamWriter failed writing file data/3: file write failed", "unexpected pos 64 vs 0"]
)
def test_a_checkpoint_that_could_not_be_written_is_a_full_disk(tmp_path, words):
    (tmp_path / "log.txt").write_text(f"RuntimeError: {words}\n")
    assert "the disk is full" in explain(tmp_path / "log.txt", 1)


def test_a_build_that_went_well_is_not_blamed(tmp_path):
    built = "ninja: no work to do.\nDeepSpeed deepspeed.ops.comm.deepspeed_shm_comm_op built successfully\n"
    (tmp_path / "log.txt").write_text(built + "KeyError: 'x'\n")
    assert "ninja" not in explain(tmp_path / "log.txt", 1)
    (tmp_path / "log.txt").write_text("RuntimeError: Ninja is required to load C++ extensions\n")
    assert "install g++ and ninja" in explain(tmp_path / "log.txt", 1)


def test_a_training_that_goes_on_tells_no_steps_of_its_last_try(tmp_path, monkeypatch, capsys):
    import itertools
    from types import SimpleNamespace

    from lib.finetune import launch

    log = tmp_path / "log.jsonl"
    write_jsonl(log, [{"step": step, "loss": 9.0} for step in (1, 2, 3)])
    looks = itertools.count()

    def poll():
        look = next(looks)
        if look == 1:
            assert "9.000" not in capsys.readouterr().out
            write_jsonl(log, [{"step": 1, "loss": 9.0}, {"step": 2, "loss": 8.0}])
        return 0 if look == 2 else None

    monkeypatch.setattr(launch, "POLL_S", 0.01)
    assert launch.follow(SimpleNamespace(poll=poll), log, 4) == 0
    assert "step 2 after 0 s, loss 8.000" in capsys.readouterr().out


def test_a_taken_port_gets_advice_that_helps(tmp_path):
    """The command names the port itself, so that a launcher's `main_process_port` would not count."""
    (tmp_path / "log.txt").write_text("torch.distributed.DistNetworkError: EADDRINUSE, address already in use\n")
    text = explain(tmp_path / "log.txt", 1)
    assert "end what holds it" in text
    assert "main_process_port" not in text


def test_offloaded_adam_has_all_cores_and_any_other_training_one_thread(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)))
    for name, threads in (("gpu1_offload", "16"), ("gpu1", "1"), ("cpu", "1")):
        assert environment("none", Launcher.load(f"parameters/launchers/{name}.yaml"))["OMP_NUM_THREADS"] == threads


def test_no_key_reaches_the_trainer(monkeypatch):
    monkeypatch.setenv("TEACHER_OPENAI_API_KEY", "canary")
    monkeypatch.setenv("HF_TOKEN", "canary")
    assert "canary" not in environment().values()


def test_each_training_on_one_machine_meets_at_a_port_of_its_own(tmp_path):
    launcher = Launcher.load("parameters/launchers/cpu.yaml")
    assert command(launcher, tmp_path) != command(launcher, tmp_path)


def test_a_checkpoint_that_was_not_written_to_its_end_is_passed_over(tmp_path):
    for step in (9, 10, 100):
        (tmp_path / f"checkpoint-{step}").mkdir()
    assert last_checkpoint(tmp_path) is None
    for step in (9, 10):
        (tmp_path / f"checkpoint-{step}" / WHOLE).touch()
    assert last_checkpoint(tmp_path).name == "checkpoint-10"


def test_a_model_changed_since_is_trained_again(tmp_path):
    from lib.finetune.launch import weights_hash

    (tmp_path / "model").mkdir()
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(b"weights")
    write_json(
        tmp_path / "training" / "metrics.json", {"fingerprint": "f", "model_sha256": weights_hash(tmp_path / "model")}
    )
    assert finished(tmp_path, "f")
    assert finished(tmp_path, "g") is None
    weights.write_bytes(b"other weights")
    assert finished(tmp_path, "f") is None
