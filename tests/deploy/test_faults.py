"""Every way in which a server is known to fail gets a message of its own; some log lines were seen from vLLM 0.30, the rest follow its source."""

import pytest

from lib.deploy.faults import explain

LOGS = {
    "ValueError: Unknown quantization method: nonsense. Must be one of ['awq', 'fp8']": "does not know this quantization",
    "Value error, Unknown quantization method: bitsandbytes. Must be one of ['awq']": "pip install vllm-bnb-plugin",
    "Value error, torch.float32 is not supported for quantization method fp8.": "need an NVIDIA GPU",
    "Value error, Cannot find the config file for awq [type=value_error]": "a model that was stored that way",
    "Value error, User-specified max_model_len (100000) is greater than the derived max_model_len (max_position_embeddings=4096.0)": "more than the model was made for",
    "Value error, Model architectures ['FooForCausalLM'] are not supported for now. Supported architectures: dict_keys(['LlamaForCausalLM'])": "does not know this architecture",
    "OSError: [Errno 98] Address already in use": "port is taken",
    "RuntimeError: Cannot find any model weights with `x`": "weights or configuration are missing",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB": "ran out of memory: set sharing to in_turn",
    "ValueError: Free memory on device cuda:0 (3.1/79.1 GiB) on startup is less than desired GPU memory utilization (0.9, 71.2 GiB).": "another program holds memory",
    "ValueError: To serve at least one request with the models's max seq len (8192), (1.0 GiB KV cache is needed, which is larger than the available KV cache memory (0.5 GiB).": "does not hold one sequence",
    "ValueError: LoRA rank 64 is greater than max_lora_rank 16.": "adapter cannot be used",
    "AssertionError: 32 is not divisible by tensor parallel size 3": "a divisor of its heads",
    "ValueError: Failed to import Ray: No module named 'ray'.Please install Ray with `pip install ray`.": "several nodes need Ray",
    "OSError: [Errno 28] No space left on device": "the disk is full",
    "something else entirely": "see its log",
}  # fmt: skip


@pytest.mark.parametrize("line", LOGS)
def test_a_log_is_explained(tmp_path, line):
    path = tmp_path / "student.log"
    path.write_text(f"command --quantization fp8 --max-model-len 900\n(EngineCore pid=7) INFO Loading weights\n(APIServer pid=5) {line}\n")
    message = explain("student", "ended with status 1", path)
    assert LOGS[line] in message
    assert line[:100] in message


def test_every_message_is_reached_by_one_of_these_logs():
    assert len(set(LOGS.values())) == len(LOGS)


def test_a_server_that_was_killed_without_a_word_is_told_apart(tmp_path):
    path = tmp_path / "student.log"
    path.write_text("command\nINFO all is well\n")
    assert "killed from outside" in explain("student", "ended with status 137", path, 137)


def test_a_log_that_is_gone_does_not_hide_the_failure(tmp_path):
    assert "ended with status 1; its log" in explain("student", "ended with status 1", tmp_path / "none.log")


def test_an_explanation_shows_each_error_once_and_no_stack(tmp_path):
    path = tmp_path / "student.log"
    path.write_text(
        "command\n"
        "(EngineCore pid=7) ERROR 11-21 05:47:03 [core.py:1366]     raise RuntimeError(\n"
        "(EngineCore pid=7) ERROR 11-21 05:47:03 [core.py:1366] RuntimeError: Cannot find any model weights with `x`\n"
        "(EngineCore pid=7) RuntimeError: Cannot find any model weights with `x`\n"
        "(APIServer pid=5) RuntimeError: Engine core initialization failed. See root cause above.\n"
        "something about the shutdown\n"
    )
    shown = explain("student", "ended with status 1", path).splitlines()[1:]
    assert shown == ["    RuntimeError: Cannot find any model weights with `x`"]
