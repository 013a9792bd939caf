"""The server's command line and environment, as pure functions of what is to be served and of the machine. Starts nothing."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SERVER_PYTHON = Path(".venv-vllm/bin/python")
N_SEQS_CPU = 16
SMALLEST_CACHE_BYTES = 64 * 2**20
BASE = "base"  # what a model is called that is only there to carry an adapter
# What a server inherits. It has no business with keys, so everything else stays behind.
INHERITED = (
    "PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "HF_HOME", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_HUB_CACHE", "CUDA_HOME",
    "NCCL_SOCKET_IFNAME", "GLOO_SOCKET_IFNAME", "VLLM_HOST_IP", "RAFT_OWNER_PID", "RAFT_BENCHMARK",
)  # fmt: skip


@dataclass(frozen=True)
class Server:
    """One process and what it serves.

    Attributes:
        system: Name the model itself is served under: `student`, `baseline`, …
        model: Local folder, or a name on a model hub.
        engine: `vllm` or `transformers`.
        port: Port on loopback.
        max_model_len: Longest prompt and reply together, tokens.
        tensor_parallel: GPUs that share each layer.
        cache_bytes_per_token: Size of one token's keys and values, bytes; 0 where unknown.
        pipeline_parallel: Groups of layers, on GPUs or nodes of their own.
        quantization: vLLM's name for how weights are stored; empty for as they are.
        adapters: (name, folder) of the LoRA adapters served on top of the model.
        max_lora_rank: Largest rank among them, as one that vLLM knows.
        gpus: CUDA's names of its GPUs; empty on a CPU and on several nodes.
        memory_share: Share of each of these GPUs' memory that it may take.
        hosts: Nodes of a Ray cluster that serve it together; empty for this machine alone.
    """

    system: str
    model: str
    engine: str
    port: int
    max_model_len: int
    tensor_parallel: int = 1
    cache_bytes_per_token: int = 0
    pipeline_parallel: int = 1
    quantization: str = ""
    adapters: Sequence[tuple[str, str]] = ()
    max_lora_rank: int = 0
    gpus: Sequence[str] = ()
    memory_share: float = 0.9
    hosts: Sequence[str] = ()


def build_command(server: Server, *, python: Path = SERVER_PYTHON) -> list[str]:
    """The command that serves one model, with its adapters.

    Args:
        server: What to serve.
        python: Interpreter of the server's environment.
    """
    if server.engine == "transformers":
        return [
            str(python), "-W", "ignore", "-m", "transformers.cli.transformers", "serve", server.model, "--host", "127.0.0.1",
            "--port", str(server.port), "--device", "cuda" if server.gpus else "cpu", "--continuous-batching",
            "--cb-max-memory-percent", "0.05",
        ]  # fmt: skip
    command = [
        str(python), "-W", "ignore", "-m", "vllm.entrypoints.openai.api_server", "--model", server.model,
        "--served-model-name", server.system, "--host", "127.0.0.1", "--port", str(server.port),
        "--max-model-len", str(server.max_model_len), "--disable-uvicorn-access-log",
    ]  # fmt: skip
    if server.quantization:
        command += ["--quantization", server.quantization]
    if server.adapters:
        modules = [f"{name}={folder}" for name, folder in server.adapters]
        command += ["--enable-lora", "--max-lora-rank", str(server.max_lora_rank)]
        command += ["--max-loras", str(len(modules)), "--lora-modules", *modules]
    if server.gpus or server.hosts:
        command += [
            "--tensor-parallel-size", str(server.tensor_parallel), "--pipeline-parallel-size", str(server.pipeline_parallel),
            "--gpu-memory-utilization", f"{server.memory_share:.2f}",
        ]  # fmt: skip
        return command + (["--distributed-executor-backend", "ray"] if server.hosts else [])
    # On a CPU: float32, so that greedy replies do not depend on the batch; no compilation, which takes longer than a small run;
    # a cache sized by the model instead of gigabytes; the model in the engine's own process instead of a third one.
    cache = max(SMALLEST_CACHE_BYTES, server.cache_bytes_per_token * server.max_model_len * N_SEQS_CPU)
    return [
        *command, "--dtype", "float32", "--enforce-eager", "--kv-cache-memory-bytes", str(cache),
        "--max-num-seqs", str(N_SEQS_CPU), "--max-num-batched-tokens", str(max(1024, server.max_model_len)),
        "--distributed-executor-backend", "uni",
    ]  # fmt: skip


def build_environment(server: Server, *, n_servers: int, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The server's whole environment: no keys, its GPUs, few threads and little memory on a CPU.

    Args:
        server: What to serve.
        n_servers: Processes that share this machine.
        environ: The environment to inherit from; default this process's.
    """
    environ = os.environ if environ is None else environ
    kept = {name: environ[name] for name in INHERITED if name in environ}
    kept |= {"VLLM_NO_USAGE_STATS": "1", "DO_NOT_TRACK": "1", "PYTHONUNBUFFERED": "1"}
    if Path(server.model).is_dir():
        kept["HF_HUB_OFFLINE"] = "1"
    if server.hosts:
        return {"VLLM_HOST_IP": server.hosts[0]} | kept | {"RAY_ADDRESS": "auto"}
    if server.gpus:
        return kept | {"CUDA_VISIBLE_DEVICES": ",".join(server.gpus)}
    threads = max(1, (os.cpu_count() or 1) // n_servers)
    return kept | {
        "OMP_NUM_THREADS": str(threads),
        "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
        "TORCH_COMPILE_DISABLE": "1",
        "MALLOC_ARENA_MAX": "1",
        "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
        "LRU_CACHE_CAPACITY": "16",
    }
