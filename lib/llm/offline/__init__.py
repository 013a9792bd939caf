"""The offline endpoint: an OpenAI-compatible server on loopback that plays teacher and judge by rules over the text it is given.

It is no language model and says so: its model is called `offline-rules`, and its fingerprint names the version of the rules and
the hash of their source, so that the request store never takes a reply of other rules for one of these. Embeddings are
all-MiniLM-L6-v2's, a real model's.
"""

from functools import cache
from pathlib import Path

from lib.run.files import tree_hash

VERSION = "1"
RULES = "offline-rules"
MINILM = "all-MiniLM-L6-v2"
WEIGHTS_SHA256 = "53aa51172d142c89"
MODEL = {"teacher": RULES, "judge": RULES, "embedder": MINILM}


@cache
def fingerprint() -> str:
    """Name, version and source hash of the rules."""
    return f"{RULES}-{VERSION}-{tree_hash(Path(__file__).parent)[:8]}"


def identity(role: str) -> str:
    """What keys the request store: the rules, or the weights of the embedding model."""
    return f"{MINILM}-{WEIGHTS_SHA256}" if role == "embedder" else fingerprint()
