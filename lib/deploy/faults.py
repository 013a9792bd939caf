"""Why a server failed, in words: what its log says, and what helps."""

import re
from pathlib import Path

# The first match counts: what is specific stands before what is general. (pattern, what helps)
DIAGNOSES = (
    (r"address already in use|Errno 98", "its port is taken: set port to 0 or to a free one"),
    (r"Unknown quantization method: bitsandbytes|No module named 'bitsandbytes'|install bitsandbytes",
     "since 0.28 vLLM serves quantization bitsandbytes with a plugin: .venv-vllm/bin/pip install vllm-bnb-plugin"),
    (r"Unknown quantization method", "vLLM does not know this quantization: use fp8, bitsandbytes, awq or gptq, or leave it empty"),
    (r"not supported for quantization method|quantization method.{0,80}not supported|Cannot find the config file for|quantization.{0,60}does not match",
     "this quantization does not work here: fp8 and bitsandbytes need an NVIDIA GPU, awq and gptq a model that was stored that way"),
    (r"LoRA rank \d+ is greater|Loading lora|lora.{0,40}(?:not found|failed|No adapter)|adapter.{0,60}(?:does not exist|not found)",
     "the adapter cannot be used: has 2_finetune finished, and was it made for this student_model?"),
    (r"larger than the maximum number of tokens|max seq(?:uence)? len|KV cache.{0,80}(?:larger|needed)|cache blocks",
     "its cache does not hold one sequence: lower top_k or max_model_len, or raise tensor_parallel"),
    (r"max_model_len.{0,60}greater than|max_position_embeddings",
     "max_model_len is more than the model was made for: lower it, or set it to 0 for what the data needs"),
    (r"less than desired GPU memory utilization|Error in memory profiling",
     "another program holds memory of its GPU: see nvidia-smi, end it, or give other GPUs in CUDA_VISIBLE_DEVICES"),
    (r"out of memory|OutOfMemoryError|No available memory|Cannot allocate memory|can't allocate memory|bad_alloc|not enough memory",
     "it ran out of memory: set sharing to in_turn, lower top_k or chunk_chars, set quantization, or raise tensor_parallel"),
    (r"divisible by tensor parallel|must be divisible", "the model cannot be cut into this many parts: set tensor_parallel to a divisor of its heads"),
    (r"Failed to import Ray|ray is not (?:available|installed)|No module named 'ray'|Cannot load ray|install ray",
     "several nodes need Ray on each of them: .venv-vllm/bin/pip install ray, then start the cluster as --plan says"),
    (r"placement group|Ray cluster|ray status", "the Ray cluster has not the GPUs asked for: see `ray status`, and --plan for the commands of each node"),
    (r"No such file|does not appear to have|no file named|Cannot find any model weights|no safetensors",
     "weights or configuration are missing: has 2_finetune finished, and is student_model a whole model folder?"),
    (r"architectures?.{0,60}(?:not supported|failed)|Transformers does not recognize|does not recognize this architecture",
     "the engine does not know this architecture: choose another student_model or engine"),
    (r"gated repo|401 Client Error|Repository Not Found|couldn't connect|LocalEntryNotFoundError|offline mode|Can't load the configuration",
     "the model cannot be fetched from its hub: log in there, or point student_model to a local folder"),
    (r"No space left on device|Disk quota exceeded", "the disk is full: free some space; what is finished is kept, and the same command goes on from there"),
)  # fmt: skip
# Statuses of a process that was ended from outside: 128 + signal.
KILLED = {137: "it was killed from outside, most often because memory ran out", 143: "it was asked to end from outside"}


def explain(system: str, what: str, log: Path, status: int | None = None) -> str:
    """The message for a server that failed: what happened, what helps, the last telling lines of its log."""
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except OSError as error:
        return f"the server of {system} {what}; its log {log} cannot be read ({error.strerror})"
    text = "\n".join(lines[1:])
    advice = next((advice for pattern, advice in DIAGNOSES if re.search(pattern, text, re.IGNORECASE)), None)
    advice = advice or KILLED.get(status, "see its log")
    stripped = (re.sub(r"^(\([^)]*\) )?((ERROR|WARNING|INFO) [\d-]+ [\d:]+ \[[^\]]*\] ?)?", "", line) for line in lines)
    # Each error once, where it was raised and not where it passed; the last line, which may be all that a killed server says.
    telling = list(
        dict.fromkeys(
            line
            for line in stripped
            if re.match(r"\s*(Value error, |[\w.]*(Error|Exception|Interrupt): (?!Engine core)|[\w.]*: error: )", line)
        )
    )
    tail = "\n".join(f"    {line[:300]}" for line in (telling or lines)[-4:])
    return f"the server of {system} {what}: {advice}. Its log, {log}, says:\n{tail}"
