"""The server's command line and environment, as pure functions of what is to be served and of the machine. Starts nothing."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SERVER_PYTHON = Path(".venv-vllm/bin/python")
N_SEQS_CPU = 16
SMALLEST_CACHE_BYTES = 64 * 2**20
# What a server inherits. It has no business with keys, so everything else stays behind.
INHERITED = (
    "PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "HF_HOME", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_HUB_CACHE", "CUDA_HOME",
    "RAFT_OWNER_PID", "RAFT_BENCHMARK",
)  # fmt: skip


@dataclass(frozen=True)
class Server:
    """One model to serve.

    Attributes:
        system: Name it is served under: `student`, `baseline`, …
        model: Local folder, or a name on a model hub.
        engine: `vllm` or `transformers`.
        port: Port on loopback.
        max_model_len: Longest prompt and reply together, tokens.
        tensor_parallel: GPUs that share the model.
        cache_bytes_per_token: Size of one token's keys and values, bytes; 0 where unknown.
    """

    system: str
    model: str
    engine: str
    port: int
    max_model_len: int
    tensor_parallel: int = 1
    cache_bytes_per_token: int = 0


def build_command(server: Server, *, n_gpus: int, n_servers: int, python: Path = SERVER_PYTHON) -> list[str]:
    """The command that serves one model.

    Args:
        server: What to serve.
        n_gpus: GPUs of this machine; 0 for a CPU.
        n_servers: Models served at the same time, which share the machine.
        python: Interpreter of the server's environment.
    """
    if server.engine == "transformers":
        return [
            str(python), "-W", "ignore", "-m", "transformers.cli.transformers", "serve", server.model, "--host", "127.0.0.1",
            "--port", str(server.port), "--device", "cuda" if n_gpus else "cpu", "--continuous-batching",
            "--cb-max-memory-percent", "0.05",
        ]  # fmt: skip
    command = [
        str(python), "-W", "ignore", "-m", "vllm.entrypoints.openai.api_server", "--model", server.model,
        "--served-model-name", server.system, "--host", "127.0.0.1", "--port", str(server.port),
        "--max-model-len", str(server.max_model_len), "--disable-uvicorn-access-log",
    ]  # fmt: skip
    if n_gpus:
        sharing = -(-n_servers * server.tensor_parallel // n_gpus)  # servers on each GPU, rounded up
        return [
            *command, "--tensor-parallel-size", str(server.tensor_parallel),
            "--gpu-memory-utilization", f"{0.9 / sharing:.2f}",
        ]  # fmt: skip
    # On a CPU: float32, so that greedy replies do not depend on the batch; no compilation, which takes longer than a small run;
    # a cache sized by the model instead of gigabytes; the model in the engine's own process instead of a third one.
    cache = max(SMALLEST_CACHE_BYTES, server.cache_bytes_per_token * server.max_model_len * N_SEQS_CPU)
    return [
        *command, "--dtype", "float32", "--enforce-eager", "--kv-cache-memory-bytes", str(cache),
        "--max-num-seqs", str(N_SEQS_CPU), "--max-num-batched-tokens", str(max(1024, server.max_model_len)),
        "--distributed-executor-backend", "uni",
    ]  # fmt: skip


def build_environment(
    server: Server, index: int, *, n_gpus: int, n_servers: int, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The server's whole environment: no keys, its GPUs, few threads and little memory on a CPU.

    Args:
        server: What to serve.
        index: Its place among the servers, which decides its GPUs.
        n_gpus: GPUs of this machine; 0 for a CPU.
        n_servers: Models served at the same time.
        environ: The environment to inherit from; default this process's.
    """
    environ = os.environ if environ is None else environ
    kept = {name: environ[name] for name in INHERITED if name in environ}
    kept |= {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1"}
    if Path(server.model).is_dir():
        kept["HF_HUB_OFFLINE"] = "1"
    if n_gpus:
        wanted = server.tensor_parallel
        first = index * wanted % n_gpus if wanted < n_gpus else 0
        return kept | {"CUDA_VISIBLE_DEVICES": ",".join(str((first + i) % n_gpus) for i in range(wanted))}
    threads = max(1, (os.cpu_count() or 1) // n_servers)
    return kept | {
        "OMP_NUM_THREADS": str(threads),
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "TORCH_COMPILE_DISABLE": "1",
        "MALLOC_ARENA_MAX": "1",
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
        "LRU_CACHE_CAPACITY": "16",
    }
