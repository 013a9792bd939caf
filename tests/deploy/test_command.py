"""Command lines and environments: the right GPUs, adapters and context, and no key."""

from lib.deploy.command import Server, build_command, build_environment

STUDENT = Server("student", "runs/x/model", "vllm", 8001, 900, cache_bytes_per_token=4096)


def flag(command, name):
    return command[command.index(name) + 1]


def test_a_cpu_server_is_small_and_exact():
    command = build_command(STUDENT)
    assert flag(command, "--dtype") == "float32"
    assert "--enforce-eager" in command
    assert flag(command, "--max-model-len") == "900"
    assert int(flag(command, "--kv-cache-memory-bytes")) == 64 * 2**20


def test_the_cache_of_a_larger_model_grows_with_it():
    large = Server("student", "m", "vllm", 8001, 8192, cache_bytes_per_token=131072)
    assert int(flag(build_command(large), "--kv-cache-memory-bytes")) == 131072 * 8192 * 16


def test_a_server_gets_its_gpus_and_its_share_of_them():
    server = Server(
        "student", "m", "vllm", 8001, 8192, 2, pipeline_parallel=2, quantization="fp8", gpus=["2", "3", "4", "5"], memory_share=0.45
    )  # fmt: skip
    command = build_command(server)
    assert build_environment(server, n_servers=2, environ={})["CUDA_VISIBLE_DEVICES"] == "2,3,4,5"
    assert flag(command, "--gpu-memory-utilization") == "0.45"
    assert (flag(command, "--tensor-parallel-size"), flag(command, "--pipeline-parallel-size")) == ("2", "2")
    assert flag(command, "--quantization") == "fp8"
    assert "--dtype" not in command


def test_adapters_stand_on_their_base_under_their_own_names():
    server = Server("baseline", "m", "vllm", 8001, 900, adapters=[("student", "runs/x/adapter")], max_lora_rank=16)
    command = build_command(server)
    assert flag(command, "--served-model-name") == "baseline"
    assert flag(command, "--lora-modules") == "student=runs/x/adapter"
    assert (flag(command, "--max-lora-rank"), "--enable-lora" in command) == ("16", True)


def test_several_nodes_run_on_ray_with_the_gpus_that_ray_gives():
    server = Server("student", "m", "vllm", 8001, 900, 8, pipeline_parallel=2, hosts=["10.0.0.1", "10.0.0.2"])
    environment = build_environment(server, n_servers=1, environ={"PATH": "/bin"})
    assert flag(build_command(server), "--distributed-executor-backend") == "ray"
    assert environment["VLLM_HOST_IP"] == "10.0.0.1"
    assert "CUDA_VISIBLE_DEVICES" not in environment


def test_no_key_reaches_a_server():
    environ = {"PATH": "/bin", "TEACHER_OPENAI_API_KEY": "canary", "OPENAI_API_KEY": "canary", "HF_TOKEN": "canary"}
    assert "canary" not in build_environment(STUDENT, n_servers=2, environ=environ).values()
