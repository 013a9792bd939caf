import json
import socket
import sys
from pathlib import Path

import pytest

from lib.run import BadInput, machine
from lib.run.machine import GB, ModelSize, estimate_needs, model_size
from lib.run.params import NOTEBOOKS, read_all, read_yaml, resolve
from lib.run.preflight import check_run


@pytest.fixture
def values(tmp_path):
    """Parameters that have nothing wrong with them, in a folder that has all they name."""
    (tmp_path / "documents").mkdir()
    (tmp_path / "documents" / "a.txt").write_text("a")
    (tmp_path / "cpu.yaml").write_text("")
    (tmp_path / ".venv-vllm" / "bin").mkdir(parents=True)
    (tmp_path / ".venv-vllm" / "bin" / "python").write_text("")
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps({"max_position_embeddings": 2048, "dtype": "float32"}))
    (model / "model.safetensors").write_bytes(b"0" * 4000)
    return {
        "run": "mine", "documents": "documents", "eval_set": "", "chunk_chars": 300, "n_distractors": 2, "p_oracle": 0.8,
        "student_model": "model", "launcher": "cpu.yaml", "engine": "vllm", "systems": ["student", "baseline"], "port": 0,
        "top_k": [1, 2, 3], "max_length": 0, "system_prompt": "none", "tuning": "full",
    }  # fmt: skip


def test_nothing_is_said_of_parameters_that_are_well(values, tmp_path):
    found = check_run(values, list(NOTEBOOKS), tmp_path)
    assert (found.problems, found.shortages, found.warnings) == ([], [], [])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"run": "../mine"}, "run: expected a name of letters"),
        ({"tuning": "fulll"}, "tuning: expected one of full, lora, qlora; found 'fulll'"),
        ({"p_oracle": 1.2}, "p_oracle: expected a share between 0 and 1; found 1.2"),
        ({"chunk_chars": 0}, "chunk_chars: expected 80 or more"),
        ({"top_k": [0]}, "top_k: expected a list of whole numbers"),
        ({"top_k": []}, "top_k: expected a list of whole numbers"),
        ({"systems": []}, "systems: expected at least one"),
        ({"documents": "nowhere"}, "documents: no such file or folder: nowhere"),
        ({"eval_set": "nowhere.jsonl"}, "eval_set: no such file: nowhere.jsonl"),
        ({"more_eval_sets": ["cpu.yaml", "nowhere.csv"]}, "more_eval_sets: no such file: nowhere.csv"),
        ({"human_labels": "nowhere.csv"}, "human_labels: no such file: nowhere.csv"),
        ({"adapter": "nowhere"}, "adapter: no such folder: nowhere"),
        ({"prompts_dir": "cpu.yaml"}, "prompts_dir: no such folder: cpu.yaml"),
        ({"port": 65535}, "port: expected one below 65536"),
        ({"system_prompt": "nowhere.txt"}, "system_prompt: expected default, none or a file"),
        ({"launcher": "nowhere.yaml"}, "launcher: no such file: nowhere.yaml"),
        ({"student_model": "model/nowhere"}, "student_model: expected a model folder or a hub name"),
        ({"student_model": "documents"}, "student_model: the folder documents is no model"),
        ({"chunk_chars": 8000}, "chunk_chars: 3 chunks of 8000 characters are at least 4000 tokens"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_line_that_says_what_was_expected(values, tmp_path, changes, says):
    found = check_run({**values, **changes}, list(NOTEBOOKS), tmp_path)
    assert len(found.problems) == 1
    assert found.problems[0].startswith(says)


def test_all_mistakes_are_listed_at_once(values, tmp_path):
    found = check_run({**values, "p_oracle": -1, "documents": "x", "launcher": "y"}, list(NOTEBOOKS), tmp_path)
    assert len(found.problems) == 3


def test_only_the_needs_of_the_chosen_notebooks_are_checked(values, tmp_path):
    assert not check_run({**values, "documents": "x", "launcher": "y"}, ["4_eval"], tmp_path).problems


def test_a_top_k_without_the_number_trained_on_is_a_warning(values, tmp_path):
    found = check_run({**values, "top_k": [5]}, list(NOTEBOOKS), tmp_path)
    assert not found.problems
    assert "put 3 into top_k" in found.warnings[0]


def test_a_port_in_use_is_a_problem_and_a_free_one_is_not(values, tmp_path):
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        found = check_run({**values, "port": port, "systems": ["student"]}, list(NOTEBOOKS), tmp_path)
        assert found.shortages == [f"port: {port} is in use by another program: choose another one, or 0 for any free one"]
    assert not check_run({**values, "port": port, "systems": ["student"]}, list(NOTEBOOKS), tmp_path).shortages


def test_too_little_memory_and_disk_are_shortages_with_the_arithmetic(values, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "gpu_memory", lambda: [])
    monkeypatch.setattr(machine, "free_memory", lambda: 8 * GB)
    monkeypatch.setattr(machine, "free_disk", lambda folder: 10 * GB)
    found = check_run({**values, "student_model": "some/Model-8B-Instruct"}, list(NOTEBOOKS), tmp_path)
    assert [line.split(":")[0] for line in found.shortages] == ["disk", "memory"]
    assert "130.0 GB are needed" in found.shortages[1]


def test_a_damaged_record_of_servers_is_refused_in_a_line(values, tmp_path):
    record = tmp_path / "runs" / values["run"] / "serving" / "servers.json"
    record.parent.mkdir(parents=True)
    record.write_text('{"student": {"pid"')
    with pytest.raises(BadInput, match="servers.json cannot be read .*; end what it names by hand and remove the file"):
        check_run({**values, "port": 8000}, list(NOTEBOOKS), tmp_path)


def test_needs_follow_the_arithmetic():
    size = ModelSize(8e9, 16e9, 0)
    disk, memory = estimate_needs({"tuning": "full", "engine": "vllm", "systems": ["student"]}, size, list(NOTEBOOKS))
    assert disk == pytest.approx(0.3e9 + 2 * 14 * 8e9 + 16e9)
    assert memory == pytest.approx(16 * 8e9 + 2e9)
    _, lora = estimate_needs({"tuning": "lora", "engine": "vllm", "systems": ["student"]}, size, ["2_finetune"])
    assert lora < memory / 5


@pytest.mark.parametrize(
    ("file", "launcher", "gpus_gb"),
    [("Llama-3.2-1B-1gpu", "", [40]), ("Llama-3.2-1B-1gpu", "gpu1_offload", [16]), ("QA-chatbot-QLoRA-1gpu", "", [24]), ("QA-chatbot-LoRA-2gpu", "", [40] * 2),
     ("Llama-2-7b", "", [80] * 4), ("Meta-Llama-3-8B-Instruct", "", [80] * 4), ("Meta-Llama-3.1-8B-Instruct", "", [80] * 4), ("Llama-3.1-8B-2nodes", "", [80] * 8)],
)  # fmt: skip
def test_the_machine_that_a_parameter_file_names_is_enough_for_it(monkeypatch, file, launcher, gpus_gb):
    settings, _ = resolve(read_all(), [(file, read_yaml(f"parameters/{file}.yaml"))])
    values = {name: setting.value for name, setting in settings.items()}
    values |= {"launcher": f"parameters/launchers/{launcher}.yaml"} if launcher else {}
    monkeypatch.setattr(machine, "gpu_memory", lambda: [gb * GB for gb in gpus_gb])
    monkeypatch.setattr(machine, "free_memory", lambda: 64 * GB)
    monkeypatch.setattr(machine, "free_disk", lambda folder: 1000 * GB)
    assert [line for line in check_run(values, list(NOTEBOOKS), Path()).shortages if "venv" not in line] == []
    monkeypatch.setattr(machine, "gpu_memory", lambda: [gb * GB / 10 for gb in gpus_gb])
    assert [line for line in check_run(values, list(NOTEBOOKS), Path()).shortages if line.startswith("memory")]


def test_what_a_launcher_offloads_has_to_fit_the_memory_of_the_machine(values, tmp_path, monkeypatch):
    (tmp_path / "zero.json").write_text('{"zero_optimization": {"stage": 3, "offload_optimizer": {"device": "cpu"}}}')
    (tmp_path / "cpu.yaml").write_text("deepspeed_config: {deepspeed_config_file: zero.json}")
    monkeypatch.setattr(machine, "gpu_memory", lambda: [24 * GB])
    monkeypatch.setattr(machine, "free_memory", lambda: 64 * GB)
    monkeypatch.setattr(machine, "free_disk", lambda folder: 1000 * GB)
    found = check_run({**values, "student_model": "some/Model-8B-Instruct"}, list(NOTEBOOKS), tmp_path)
    assert len(found.shortages) == 1 and found.shortages[0].startswith("memory: the launcher keeps at least 128.0 GB off the GPUs and memory has 64.0 GB")


@pytest.mark.parametrize(
    ("name", "n"), [("meta-llama/Llama-3.1-8B-Instruct", 8e9), ("meta-llama/Llama-2-7b-hf", 7e9), ("x/smol-135M", 135e6), ("x/gpt2", None)]
)  # fmt: skip
def test_a_hub_name_tells_the_size_when_it_has_one(name, n):
    size = model_size(name)
    assert (size and size.n_parameters) == n


def test_endpoints_are_probed_only_when_a_role_is_set(values, tmp_path, monkeypatch):
    called = []

    def probe(command, **_):
        called.append(command)
        return type("Answer", (), {"returncode": 2, "stdout": "teacher: no answer from http://127.0.0.1:1/v1\n", "stderr": ""})

    monkeypatch.setattr("lib.run.preflight.subprocess.run", probe)
    monkeypatch.setattr(machine, "gpu_memory", lambda: [])
    assert not check_run(values, list(NOTEBOOKS), tmp_path).problems
    assert not called
    monkeypatch.setenv("TEACHER_OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    found = check_run(values, list(NOTEBOOKS), tmp_path)
    assert called == [[sys.executable, "-m", "lib.llm", "teacher"]]
    assert found.problems == ["teacher: no answer from http://127.0.0.1:1/v1"]


def test_an_endpoint_that_is_not_there_and_a_role_set_by_half_are_problems(values, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(tmp_path.cwd()))
    monkeypatch.setenv("COMPLETION_OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("COMPLETION_OPENAI_DEPLOYMENT", "some-model")
    monkeypatch.setenv("JUDGE_OPENAI_API_KEY", "canary")
    found = check_run(values, list(NOTEBOOKS), tmp_path)
    assert len(found.problems) == 2
    assert "127.0.0.1:9" in found.problems[0]
    assert "JUDGE_OPENAI_BASE_URL" in found.problems[1]
    assert "canary" not in "".join(found.problems)


def test_documents_that_are_not_named_cannot_be_read_or_cannot_be_written_down_are_problems_before_anything_runs(values, tmp_path, monkeypatch):
    (tmp_path / "shut.txt").write_text("The mill closed in 1931.", encoding="utf-8")
    monkeypatch.setattr("os.access", lambda path, mode: "shut" not in str(path))
    for documents, problem in (("", "found an empty text"), ("shut.txt", "cannot be read by this user"), ("na\udcefve", "no name in UTF-8")):
        found = check_run(values | {"documents": documents}, ["1_gen"], tmp_path).problems
        assert any(line.startswith("documents: ") and problem in line for line in found), documents
        "\n".join(found).encode()
