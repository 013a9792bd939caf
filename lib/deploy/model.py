"""What is served and how long its prompts get: model folders, their hashes, their configuration, the context the data needs."""

from pathlib import Path

from lib.llm.raft import Format
from lib.run import BadInput, read_json, read_jsonl, text_hash, tree_hash

LOCAL = ("student", "baseline")
QUESTION_TOKENS = 160  # a long question and the template around it
BYTES_A_VALUE = 4


def model_of(run, system: str) -> str:
    """Folder or hub name of the model behind `student` (what 2_finetune made) or `baseline` (what it started from).

    Raises:
        BadInput: Another system, which only role variables can name.
        FileNotFoundError: 2_finetune has not made the student yet.
    """
    if system not in LOCAL:
        raise BadInput(
            f"systems: {system} is served nowhere; set {system.upper()}_OPENAI_BASE_URL and {system.upper()}_OPENAI_DEPLOYMENT, "
            f"or choose from {', '.join(LOCAL)}"
        )
    return str(run.need("model")) if system == "student" else run.p.student_model


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

    The `max(top_k)` longest chunks side by side, the system prompt, a long question, `max_reply_tokens`.
    """
    lengths = sorted((chunk["n_tokens"] for chunk in read_jsonl(run.need("dataset/chunks.jsonl"))), reverse=True)
    widest = max([*run.p.top_k, 1])
    system = len(Format.load(run.need("dataset/format.json")).system_prompt) // 2
    tags = 16 * widest
    return sum(lengths[:widest]) + tags + system + QUESTION_TOKENS + run.p.max_reply_tokens


def context_length(run, config: dict) -> int:
    """`max_model_len` as set, or as the data needs it.

    Raises:
        BadInput: More than the model was made for.
    """
    needed, limit = context_needed(run), config.get("max_position_embeddings")
    wanted = getattr(run.p, "max_model_len", 0) or needed
    if limit and max(wanted, needed) > limit:
        raise BadInput(
            f"top_k {run.p.top_k} with these chunks and {run.p.max_reply_tokens} reply tokens needs up to {needed} tokens "
            f"(max_model_len asks for {wanted}); the model takes {limit}: lower top_k, chunk_chars or max_reply_tokens"
        )
    if wanted < needed:
        raise BadInput(
            f"max_model_len: at least {needed} tokens are needed for top_k {run.p.top_k}; found {wanted}; 0 means as needed"
        )
    return wanted
