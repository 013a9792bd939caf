"""Parameters, memory and time of a training, from the shape of a model alone: no weights, no GPU, no hub."""

from lib.finetune.launcher import Launcher
from lib.finetune.settings import Settings
from lib.finetune.shape import Shape
from lib.run import machine

GB = 1e9
# 5,762 tokens/s a GPU for 8B parameters on H100s at 8K, bf16: 6 x 8.03e9 x 5762 = 2.8e14 FLOP/s, about 28 % of a dense H100.
GPU_FLOPS = 6 * 8.03e9 * 5762
# Two processes on two CPU cores, fp32, 1.3 million parameters, 1,950 tokens a step.
CPU_FLOPS, CPU_STEP_S = 6e10, 0.1
# DeepSpeed's own estimators reckon half as much again for buffers in the machine's memory.
BUFFERS = 1.5
# NF4 with its scales quantised too: 4 bits, and 8 for each block of 64, and 32 for each 256 of those.
NF4_BYTES = 0.5 + 1 / 64 + 4 / (64 * 256)


def trained_parameters(shape: Shape, settings: Settings) -> int:
    """Numbers that are trained: all, or those of an adapter on every linear map of every layer."""
    return shape.parameters if settings.tuning == "full" else settings.lora_rank * shape.lora_widths * shape.layers


def memory_needs(shape: Shape, launcher: Launcher, settings: Settings | None = None) -> tuple[int, int]:
    """Bytes of state on one GPU, and in the memory of one machine.

    Full tuning: as DeepSpeed's `estimate_zero2_model_states_mem_needs` and `estimate_zero3_model_states_mem_needs` have it (18 bytes a
    parameter, and ZeRO-3's largest layer gathered whole). Under an adapter the weights stay as they are, 2 bytes each in bf16, and
    only the adapter has gradients and Adam's state. Without DeepSpeed every process holds everything.
    """
    n, gpus = launcher.processes, max(1, launcher.processes // launcher.machines)
    width = 2 if launcher.precision == "bf16" else 4
    trained, frozen = shape.parameters, 0
    if settings is not None and settings.tuning != "full":
        trained = trained_parameters(shape, settings)
        frozen = width * shape.parameters
        if settings.tuning == "qlora":
            frozen = int(width * shape.embeddings + NF4_BYTES * (shape.parameters - shape.embeddings))
    if launcher.stage == 3:
        gathered = 4 * shape.largest
        if launcher.offload and launcher.offload_params:
            return gathered, int((18 * trained + frozen) / launcher.machines * BUFFERS)
        if launcher.offload:
            return gathered + (2 * trained + frozen) // n, int(16 * trained / launcher.machines * BUFFERS)
        return gathered + (18 * trained + frozen) // n, int(gathered * gpus * BUFFERS)
    if launcher.stage == 2 and launcher.offload:
        return 2 * trained + frozen, int(trained * max(4 * n, 16) * BUFFERS)
    if launcher.stage == 2:
        return 2 * trained + 18 * trained // n + frozen, int((trained + frozen / width) * 4 * gpus * BUFFERS)
    return 18 * trained + frozen, 0


def activation_bytes(shape: Shape, settings: Settings, length: int, precision: str) -> int:
    """Bytes of activations of one batch of rows of `length` tokens, attention fused, logits in chunks.

    A layer holds about 16 h + 4 i numbers a token; with checkpointing, h a layer and one whole layer.
    """
    size, tokens = (2 if precision == "bf16" else 4), settings.batch_size * length
    layer = 16 * shape.hidden + 4 * shape.intermediate
    numbers = shape.layers * shape.hidden + layer if settings.gradient_checkpointing else shape.layers * layer
    return size * tokens * numbers


def training_seconds(
    shape: Shape, launcher: Launcher, tokens: int, steps: int, tokens_per_s: float = 0.0
) -> tuple[float, str]:
    """Seconds of training, and what throughput that supposes.

    Args:
        shape: Of the student.
        launcher: Processes and precision.
        tokens: Of all steps.
        steps: Optimizer steps.
        tokens_per_s: Of one process, if it is known; 0 to estimate it.
    """
    if tokens_per_s:
        return tokens / (tokens_per_s * launcher.processes), f"at {tokens_per_s:,.0f} tokens/s a process, as stated"
    on_cpu = launcher.precision == "fp32"
    rate = (CPU_FLOPS if on_cpu else GPU_FLOPS) / (6 * shape.parameters)
    seconds = tokens / (rate * launcher.processes) + (steps * CPU_STEP_S if on_cpu else 0)
    return (
        seconds,
        f"at {tokens / seconds / launcher.processes:,.0f} tokens/s a process, {'CPU cores' if on_cpu else 'H100-class GPUs'}; tokens_per_s states another",
    )


def fits(needed: int, host: int, launcher: Launcher) -> str:
    """Whether a training fits what is here, in words.

    Args:
        needed: Bytes on each GPU, or in each process.
        host: Bytes in the machine's memory besides.
        launcher: How many GPUs or processes.
    """
    here, gpus = launcher.processes // launcher.machines, machine.gpu_memory()
    if launcher.precision == "fp32" and not gpus:
        free = machine.free_memory()
        return f"{'fits' if here * needed < free else 'DOES NOT FIT'}: {free / GB:.1f} GB are free here"
    if len(gpus) < here:
        return f"cannot run here: {here} GPUs a machine are needed, there are {len(gpus)}"
    if needed > min(gpus):
        return f"DOES NOT FIT: the GPUs here have {min(gpus) / GB:.0f} GB"
    free = machine.free_memory()
    return f"{'fits' if host < free else 'DOES NOT FIT the memory'}: {len(gpus)} GPUs of {min(gpus) / GB:.0f} GB, {free / GB:.0f} GB of memory here"


def stage_rows(shape: Shape, launcher: Launcher, settings: Settings, length: int) -> list[dict]:
    """Memory of the same training at each ZeRO stage on as many GPUs, activations included, as rows of item, value, unit and note."""
    from dataclasses import replace

    rows, activations = [], activation_bytes(shape, settings, length, launcher.precision)
    for name, stage, offload in (("without ZeRO", 0, False), ("ZeRO-2", 2, False), ("ZeRO-3", 3, False), ("ZeRO-3, offloaded", 3, True)):
        if settings.tuning == "qlora" and stage:
            continue
        other = replace(launcher, stage=stage, offload=offload, offload_params=offload)
        state, host = memory_needs(shape, other, settings)
        chosen = (stage, offload) == (launcher.stage, launcher.offload)
        note = f"{state / GB:.2f} of state, {activations / GB:.2f} of activations; {host / GB:.1f} GB of each machine's memory" + "; chosen" * chosen
        rows.append({"item": f"memory {name}", "value": round((state + activations) / GB, 2), "unit": _unit(launcher), "note": note})
    return rows


def _unit(launcher: Launcher) -> str:
    return "GB a GPU" if launcher.precision == "bf16" else "GB a process"


def estimate_rows(
    shape: Shape,
    launcher: Launcher,
    settings: Settings,
    *,
    rows: int,
    tokens: int,
    steps: int,
    length: int,
    note: str = "",
    tokens_per_s: float = 0.0,
) -> list[dict]:
    """What the training will be, as rows of item, value, unit and note."""

    def row(item: str, value, unit: str, note: str = "") -> dict:
        return {"item": item, "value": value, "unit": unit, "note": note}

    state, host = memory_needs(shape, launcher, settings)
    memory = state + activation_bytes(shape, settings, length, launcher.precision)
    seconds, rate = training_seconds(shape, launcher, tokens, steps, tokens_per_s)
    per_step = settings.batch_size * launcher.processes * settings.grad_accumulation
    what = "sequences of packed rows" if settings.packing else "rows"
    trained = trained_parameters(shape, settings)
    return [
        row("parameters", shape.parameters, "parameters"),
        row("trained parameters", trained, "parameters", f"{settings.tuning}: {trained / shape.parameters:.2%} of them"),
        row("rows to train on", rows, "rows", note),
        row("longest row", length, "tokens a row", f"the student takes {shape.context}"),
        row("training tokens", tokens, "tokens trained", f"{settings.epochs:g} epochs"),
        row("steps", steps, "steps", f"{per_step} {what} a step: {settings.batch_size} x {launcher.processes} processes x {settings.grad_accumulation}"),
        row("training memory", round(memory / GB, 2), _unit(launcher), f"{fits(memory, host, launcher)}; {state / GB:.2f} of state, the rest activations, Python apart"),
        *stage_rows(shape, launcher, settings, length),
        row("training time", round(seconds / 60, 1), "minutes", f"{seconds / 3600:.2g} hours {rate}"),
    ]  # fmt: skip
