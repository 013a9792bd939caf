"""Command lines and environments: the right GPUs, the right context, and no key."""

from lib.deploy.command import Server, build_command, build_environment

STUDENT = Server("student", "runs/x/model", "vllm", 8001, 900, cache_bytes_per_token=4096)


def flag(command, name):
    return command[command.index(name) + 1]


def test_a_cpu_server_is_small_and_exact():
    command = build_command(STUDENT, n_gpus=0, n_servers=2)
    assert flag(command, "--dtype") == "float32"
    assert "--enforce-eager" in command
    assert flag(command, "--max-model-len") == "900"
    assert int(flag(command, "--kv-cache-memory-bytes")) == 64 * 2**20


def test_the_cache_of_a_larger_model_grows_with_it():
    large = Server("student", "m", "vllm", 8001, 8192, cache_bytes_per_token=131072)
    assert int(flag(build_command(large, n_gpus=0, n_servers=1), "--kv-cache-memory-bytes")) == 131072 * 8192 * 16


def test_servers_get_gpus_of_their_own_where_there_are_enough():
    two = Server("student", "m", "vllm", 8001, 8192, tensor_parallel=2)
    gpus = [build_environment(two, i, n_gpus=4, n_servers=2, environ={})["CUDA_VISIBLE_DEVICES"] for i in range(2)]
    assert gpus == ["0,1", "2,3"]
    assert flag(build_command(two, n_gpus=4, n_servers=2), "--gpu-memory-utilization") == "0.90"
    assert flag(build_command(two, n_gpus=4, n_servers=2), "--tensor-parallel-size") == "2"


def test_two_servers_share_one_gpu():
    assert [
        build_environment(STUDENT, i, n_gpus=1, n_servers=2, environ={})["CUDA_VISIBLE_DEVICES"] for i in range(2)
    ] == ["0", "0"]
    assert flag(build_command(STUDENT, n_gpus=1, n_servers=2), "--gpu-memory-utilization") == "0.45"


def test_no_key_reaches_a_server():
    environ = {"PATH": "/bin", "TEACHER_OPENAI_API_KEY": "canary", "OPENAI_API_KEY": "canary", "HF_TOKEN": "canary"}
    assert "canary" not in build_environment(STUDENT, 0, n_gpus=0, n_servers=2, environ=environ).values()
