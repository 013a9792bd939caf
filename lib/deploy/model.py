"""What is served and how long its prompts get: model folders, adapters, hashes, configuration, the context the data needs."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from lib.deploy.adapter import is_other_base, read_adapter
from lib.llm import Format, resolve_role
from lib.llm.roles import environment, local_model
from lib.run import BadInput, read_json, read_jsonl, say, text_hash, tree_hash
from lib.run.manifest import read_manifest
from lib.run.passages import most_passages

LOCAL = ("student", "baseline")
QUESTION_TOKENS = 160  # a long question and the template around it
ROLE_CONTEXT = 8192  # of a teacher or judge served here, whose prompts are not made yet
BYTES_A_VALUE = 4


@dataclass(frozen=True)
class Weights:
    """What stands behind a system: `base`, a folder or hub name, and `adapter`, a folder on top of it or empty."""

    base: str
    adapter: str = ""


def served_here(systems: list[str]) -> list[str]:
    """The systems that a server answers for, here or elsewhere; `run:NAME` is another run's student, whose answers are read."""
    return [system for system in systems if not system.startswith("run:")]


def is_local(system: str, engine: str) -> bool:
    """Whether this machine serves a system, rather than an endpoint that role variables name.

    Any role is served here whose `<ROLE>_LOCAL_MODEL` is set.
    """
    if local_model(system):
        return True
    return engine != "endpoint" and (system in LOCAL or resolve_role(system) is None)


def local_gpus(system: str, default: int) -> int:
    """`<ROLE>_LOCAL_GPUS`: GPUs that share a role's model served here."""
    text = environment().get(f"{system.upper()}_LOCAL_GPUS", "").strip()
    if text and not (text.isdigit() and int(text)):
        raise BadInput(f"{system.upper()}_LOCAL_GPUS: expected a whole number from 1 up; found {text!r}")
    return int(text) if text else default


def weights_of(run, system: str) -> Weights:
    """The model behind a system: `student` is what 2_finetune made, a model or an adapter; `baseline` what it started from.

    Raises:
        BadInput: A system that nothing serves, or an adapter that vLLM cannot serve.
        FileNotFoundError: 2_finetune has not made the student yet.
    """
    if named := local_model(system):
        return Weights(named)
    if system not in LOCAL:
        name = system.upper()
        raise BadInput(
            f"systems: {system} is served nowhere; set {name}_OPENAI_BASE_URL and {name}_OPENAI_DEPLOYMENT, or {name}_LOCAL_MODEL "
            f"for a model to serve here, or choose from {', '.join(LOCAL)}"
        )
    if system == "baseline":
        return Weights(run.p.student_model)
    if (run.dir / "model" / "config.json").is_file() or not (run.dir / "adapter").is_dir():
        return Weights(str(run.need("model")))
    adapter = str(run.need("adapter"))
    config = read_adapter(adapter)
    if is_other_base(config, run.p.student_model):
        say(f"warning: {adapter} was made for {config['base_model_name_or_path']}; it is served on {run.p.student_model}")
    return Weights(run.p.student_model, adapter)


def weights_hash(weights: Weights) -> str:
    """SHA-256 of what answers: the model's, together with the adapter's where there is one."""
    found = model_hash(weights.base)
    return text_hash(found + tree_hash(weights.adapter)) if weights.adapter else found


def model_hash(model: str) -> str:
    """SHA-256 of a model folder; of its name where it lies on a hub."""
    return tree_hash(model) if Path(model).is_dir() else text_hash(model)


def read_config(model: str) -> dict:
    """The `config.json` of a model folder; empty for a hub name, whose server reads it itself.

    Raises:
        BadInput: A folder without one.
    """
    folder = Path(model)
    if not folder.is_dir():
        return {}
    if not (folder / "config.json").is_file():
        raise BadInput(f"{model}: expected a model folder in Hugging Face's layout; there is no config.json in it")
    return read_json(folder / "config.json")


def cache_bytes_per_token(config: dict) -> int:
    """Bytes of one token's keys and values over all layers in float32; 0 where the configuration does not say."""
    try:
        heads = config["num_attention_heads"]
        size = config.get("head_dim") or config["hidden_size"] // heads
        return 2 * config["num_hidden_layers"] * config.get("num_key_value_heads", heads) * size * BYTES_A_VALUE
    except KeyError:
        return 0


def context_needed(run) -> int:
    """Tokens of the longest prompt that the evaluation can make, and its reply.

    The longest chunks side by side, as many as are ever shown (`most_shown`), the system prompt, a long question, `max_reply_tokens`.
    """
    lengths = sorted((chunk["n_tokens"] for chunk in read_jsonl(run.need("dataset/chunks.jsonl"))), reverse=True)
    widest = most_shown(run)
    system = len(Format.load(run.need("dataset/format.json")).system_prompt) // 2
    tags = 16 * widest
    return sum(lengths[:widest]) + tags + system + QUESTION_TOKENS + run.p.max_reply_tokens


def most_shown(run) -> int:
    """Passages in the widest prompt: `top_k`, and where 4_eval asks more (`asked_next`) as many as training shows or contexts ask for."""
    p, shown = run.p, [*run.p.top_k, 1]
    controls, contexts = asked_next(run, "controls", False), asked_next(run, "contexts", [])
    if controls or contexts:
        trained = most_passages(read_manifest(run.dir / "run.json")["parameters"].get("1_gen", {}), max(p.top_k))
        shown += [trained] if controls else []
        shown += [n + 1 for n in asked_next(run, "context_distractors", []) or [max(1, trained - 1)]] if contexts else []
    return max(shown)


def asked_next(run, name: str, default):
    """A parameter of 4_eval; in 3_deploy, which has it not, as 4_eval of the same command will have it, so that its servers will do."""
    ahead = json.loads(os.environ.get("RAFT_NEXT") or "{}") if run.notebook == "3_deploy" else {}
    return getattr(run.p, name, ahead.get(name, default))


def context_length(run, system: str, config: dict) -> int:
    """`max_model_len` as set, or as the data needs it; for other roles what their prompts have needed so far.

    Raises:
        BadInput: More than the model was made for.
    """
    limit, asked = config.get("max_position_embeddings"), getattr(run.p, "max_model_len", 0)
    if system not in LOCAL and not (hasattr(run.p, "top_k") and (run.dir / "dataset" / "chunks.jsonl").is_file()):
        return min(asked or ROLE_CONTEXT, limit or ROLE_CONTEXT)
    needed = context_needed(run)
    if system not in LOCAL:
        needed = min(max(needed, ROLE_CONTEXT), limit or ROLE_CONTEXT)
    needed = max(needed, _window_needed(run, system, limit))
    wanted = asked or needed
    if limit and max(wanted, needed) > limit:
        raise BadInput(
            f"top_k {run.p.top_k}{_beside(run)} with these chunks and {run.p.max_reply_tokens} reply tokens needs up to {needed} tokens "
            f"(max_model_len asks for {wanted}); the model takes {limit}: lower top_k, chunk_chars or max_reply_tokens"
        )
    if wanted < needed:
        raise BadInput(
            f"max_model_len: at least {needed} tokens are needed for top_k {run.p.top_k}; found {wanted}; 0 means as needed"
        )
    return wanted


def _window_needed(run, system: str, limit: int | None) -> int:
    """Tokens that 4_eval's longest perplexity window of a system takes, and one of a reply; 0 where none is measured."""
    window = max(asked_next(run, "perplexity_tokens", []), default=0) if system in getattr(run.p, "systems", LOCAL) else 0
    if limit and window >= limit:
        raise BadInput(f"perplexity_tokens: {system} takes {limit} tokens, a reply's one among them; name windows below {limit} instead of {window}")
    return window + 1 if window else 0


def _beside(run) -> str:
    widest = most_shown(run)
    return f", with {widest} passages in controls or contexts," if widest > max(run.p.top_k) else ""
