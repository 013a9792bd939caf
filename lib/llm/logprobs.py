"""What a vLLM server thinks of a text that is given: its tokens, and the log probability of each. Nothing is stored.

`/tokenize` and `prompt_logprobs` are vLLM's own; other OpenAI-compatible servers have neither, which is said.
"""

from collections.abc import Sequence

import httpx2
import openai

from lib.llm.roles import Role
from lib.llm.transport import NO_KEY, route
from lib.run import BadInput

TIMEOUT_S = 600.0


def tokenize(role: Role, text: str) -> list[int]:
    """Token ids of a text, without special tokens."""
    body = {"model": role.model, "prompt": text, "add_special_tokens": False}
    value = _post(role, role.base_url.rstrip("/").removesuffix("/v1") + "/tokenize", body)
    if not isinstance(value.get("tokens"), list):
        raise BadInput(f"{role.name} at {role.base_url}: expected token ids from /tokenize; found {str(value)[:200]}")
    return value["tokens"]


def prompt_logprobs(role: Role, ids: Sequence[int]) -> list[float]:
    """Natural log probabilities of every token but the first, (len(ids) - 1,).

    Raises:
        BadInput: The server gives none.
    """
    body = {"model": role.model, "prompt": list(ids), "max_tokens": 1, "temperature": 0.0, "prompt_logprobs": 0}
    value = _post(role, role.base_url.rstrip("/") + "/completions", body)
    found = (value.get("choices") or [{}])[0].get("prompt_logprobs")
    if not isinstance(found, list) or len(found) != len(ids):
        raise BadInput(
            f"{role.name} at {role.base_url}: perplexity needs a server that gives prompt_logprobs, such as vLLM; this one does not"
        )
    return [entry[str(token)]["logprob"] for token, entry in zip(ids[1:], found[1:], strict=True)]


def _post(role: Role, url: str, body: dict) -> dict:
    http = openai.DefaultHttpxClient(timeout=TIMEOUT_S, **route(url))
    try:
        headers = {"Authorization": f"Bearer {role.api_key or NO_KEY}"}
        reply = http.post(url, json=body, headers=headers)
        if reply.status_code != 200:
            said = f"{role.name}: {url} answers {reply.status_code}: {' '.join(reply.text.split())[:300]}"
            hint = "perplexity_tokens needs a vLLM server; leave it empty for other endpoints"
            if reply.status_code == 400:  # it knows the request, and one part of it will not do: mostly the length
                hint = "name shorter windows in perplexity_tokens, or serve with a longer max_model_len, if the length is meant"
            raise BadInput(f"{said}; {hint}")
        return reply.json()
    except httpx2.TransportError as error:
        raise BadInput(f"{role.name}: {url} does not answer ({error or type(error).__name__}); {role.remedy or 'see that it runs, and start again'}") from None
    finally:
        http.close()
