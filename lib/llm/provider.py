"""Accounts at providers that tune and keep models (OpenAI, Azure OpenAI, Together): keys, official clients, patience, removal.

Keys are those of the student: `STUDENT_OPENAI_API_KEY`, `STUDENT_AZURE_OPENAI_ENDPOINT` and so on, and `TOGETHER_API_KEY`.
The fine-tuning protocols themselves are lib.finetune.hosted's.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lib.llm.roles import Role, environment, terms
from lib.llm.trouble import words_of
from lib.llm.tuning_prices import tuning_price
from lib.run import BadInput, say

HOSTED = ("openai", "azure", "together")
HOME = {"openai": "https://api.openai.com/v1", "together": "https://api.together.ai/v1"}
KEYS = {
    "openai": ("STUDENT_OPENAI_API_KEY",),
    "azure": ("STUDENT_AZURE_OPENAI_API_KEY",),
    "together": ("TOGETHER_API_KEY", "STUDENT_OPENAI_API_KEY"),
}
TIMEOUT_S = 600.0
PATIENCE_S = 300.0
LONGEST_WAIT_S = 60.0
AGAIN = frozenset((408, 409, 425, 429, 500, 502, 503, 504, 520, 522, 524, 529))
NETWORK = {"APIConnectionError", "TransportError"}  # of openai, of together, and of the HTTP library below them


class ProviderError(RuntimeError):
    """A provider that refused or could not be reached; one line, with what to do. `status` is HTTP's, None for the network."""

    def __init__(self, text: str, status: int | None = None):
        super().__init__(text)
        self.status = status


@dataclass(frozen=True)
class Account:
    """Where a backend is reached and with which key, which is never shown, logged or stored.

    Attributes:
        backend: `openai`, `azure` or `together`.
        base_url: Address up to and including `/v1`; for Azure the resource's endpoint.
        api_key: The key.
        key_name: Variable that it came from, for messages.
        api_version: Azure's.
    """

    backend: str
    base_url: str
    api_key: str = field(repr=False)
    key_name: str
    api_version: str = ""


def find_account(backend: str, env: Mapping[str, str] | None = None) -> Account:
    """The account that the environment (or `.env`) names for a backend.

    Raises:
        BadInput: A variable is missing; names it.
    """
    env = environment() if env is None else env
    names = KEYS[backend]
    name = next((n for n in names if (env.get(n) or "").strip()), None)
    if backend == "azure":
        url = (env.get("STUDENT_AZURE_OPENAI_ENDPOINT") or "").strip()
        version = (env.get("STUDENT_OPENAI_API_VERSION") or env.get("OPENAI_API_VERSION") or "").strip()
        needed = {names[0]: name, "STUDENT_AZURE_OPENAI_ENDPOINT": url, "STUDENT_OPENAI_API_VERSION": version}
    else:
        url, version = (env.get("STUDENT_OPENAI_BASE_URL") or "").strip() or HOME[backend], ""
        needed = {" or ".join(names): name}
    if missing := [n for n, value in needed.items() if not value]:
        raise BadInput(f"backend {backend}: {', '.join(missing)} not set; put it into the environment or into .env")
    Role("student", url, "any")  # the checks of an address: scheme, host, no key in it
    return Account(backend, url.rstrip("/"), env[name].strip(), name, version)


def make_openai(account: Account):
    """The official OpenAI or Azure OpenAI client. It makes no retries of its own: a job must not be created twice."""
    import httpx2
    import openai

    from lib.llm.transport import CONNECT_S, bare, route

    http = openai.DefaultHttpxClient(timeout=httpx2.Timeout(TIMEOUT_S, connect=CONNECT_S), **route(account.base_url))
    common = {"api_key": account.api_key, "max_retries": 0, "http_client": http}
    if account.backend == "azure":
        return bare(openai.AzureOpenAI(azure_endpoint=account.base_url, api_version=account.api_version, **common), account.base_url)
    return bare(openai.OpenAI(base_url=account.base_url, **common), account.base_url)


def make_together(account: Account):
    """The official Together client, without retries of its own.

    Raises:
        BadInput: It is not installed.
    """
    try:
        import together
    except ImportError:
        raise BadInput("backend together: the client is missing; pip install -r requirements.txt brings it") from None
    from lib.llm.transport import route

    return together.Together(
        api_key=account.api_key, base_url=account.base_url.removesuffix("/v1"), max_retries=0, timeout=TIMEOUT_S,
        http_client=together.DefaultHttpxClient(timeout=TIMEOUT_S, **route(account.base_url)),
    )  # fmt: skip


def patiently(send: Callable, account: Account, what: str, *, patience_s: float = PATIENCE_S, sleep=time.sleep):
    """The result of `send()`, tried again while the provider is busy or out of reach.

    A rate limit (HTTP 429) is waited for as long as its Retry-After says; losses of the network and errors of the server
    with waits that double. What nothing helps against (a refused key, a rejected request) ends it at once.

    Args:
        send: One request that may be repeated without harm.
        account: For messages.
        what: What is being done, for messages.
        patience_s: Seconds after which to give up.
        sleep: Waits; tests pass another.

    Raises:
        ProviderError: It cannot be done now; says why and what to do.
    """
    from lib.llm.retry import retry_after_s  # here, since it brings a client whose import takes a second

    began, wait_s, told = time.monotonic(), 1.0, False
    while True:
        try:
            return send()
        except Exception as error:  # two clients and an HTTP library of their own exceptions: told apart below
            status = getattr(error, "status_code", None)
            if status is None and not is_network(error):
                raise
            hopeless = (status is not None and status not in AGAIN) or is_quota(error)
            asked = retry_after_s(error.response.headers) if status is not None else None
            pause = min(wait_s if asked is None else asked, LONGEST_WAIT_S * 2)
            if hopeless or time.monotonic() - began + pause > patience_s:
                raise ProviderError(explain(error, account, what), status) from None
            if not told or asked:
                say(f"{what}: {'busy' if status else 'connection lost'}, trying again in {pause:.0f} s")
                told = True
            sleep(pause)
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)


def is_network(error: Exception) -> bool:
    """Whether an exception means that the connection failed, so that nothing is known of the request."""
    return any(kind.__name__ in NETWORK for kind in type(error).__mro__)


def is_quota(error: Exception) -> bool:
    """Whether a 429 means that the money is used up, which no waiting helps."""
    return getattr(error, "status_code", None) == 429 and "insufficient_quota" in str(getattr(error, "body", ""))


def explain(error: Exception, account: Account, what: str) -> str:
    """One line without the key: what failed, what the provider said, what to do."""
    status, where = getattr(error, "status_code", None), f"{account.backend} at {account.base_url}"
    said = said_by(error)
    if status in (401, 403):
        line = f"{what}: {where} refused the key (HTTP {status}: {said}); is {account.key_name} expired or of another account? Set a valid one and run again"
    elif is_quota(error):
        line = f"{what}: {where} says that the quota is used up ({said}); add credit there and run again"
    elif status == 429:
        line = f"{what}: {where} keeps refusing because of its rate limit (HTTP 429: {said}); run again later"
    elif status == 404:
        line = f"{what}: {where} does not know it (HTTP 404: {said}); check student_model and the address"
    elif status is not None:
        line = f"{what}: {where} said HTTP {status}: {said}"
    else:
        line = f"{what}: {where} cannot be reached ({said}); check the network and run again, nothing is made twice"
    line = " ".join(line.split())
    return line.replace(account.api_key, "[key]") if account.api_key else line


def said_by(error: Exception) -> str:
    """The provider's own words."""
    return words_of(getattr(error, "body", None)) or str(error.__cause__ or error)[:300]


def provider_role(account: Account, name: str, model: str, *, base_model: str, tuned: bool, completion: bool) -> Role:
    """A model at the provider as a role: asked like any other endpoint, at the price and within the limits that its variables
    set, else with what is known of its price.

    Args:
        account: Where it is.
        name: `student` or `baseline`.
        model: Model or deployment name there.
        base_model: What it was tuned from, or is: prices go by it.
        tuned: Whether it is the tuned one, whose tokens may cost more.
        completion: Whether it is asked with prompts instead of messages.
    """
    price = tuning_price(account.backend, base_model) if tuned else None
    known = (price.prompt, price.reply) if price and price.prompt is not None and price.reply is not None else None
    said = terms(name.upper(), environment())
    return Role(
        name, account.base_url, model, api_key=account.api_key, azure=account.backend == "azure",
        api_version=account.api_version, completion=completion, **said | {"price": said["price"] or known},
    )  # fmt: skip


def foreseen_role(backend: str, name: str, base_model: str) -> Role:
    """`student` (tuned) or `baseline` (the same model untuned) at a provider as a plan sees it: with a price, and without a key."""
    account = Account(backend, HOME.get(backend, "https://azure"), "", "")
    return provider_role(account, name, base_model, base_model=base_model, tuned=name == "student", completion=False)


def remove(account: Account, kind: str, id: str) -> bool:
    """Delete a `file`, `job` or `model` at a provider; False where it was gone already or cannot be deleted there.

    A job that still runs is cancelled; OpenAI and Azure keep the record of an ended job, which costs nothing.

    Raises:
        ProviderError: It is still there.
    """
    client = make_together(account) if account.backend == "together" else make_openai(account)
    if account.backend == "together":
        send = {"file": client.files.delete, "job": client.fine_tuning.delete}.get(kind)
        send = send or (lambda id: None)  # a model goes with its job
    else:
        send = {"file": client.files.delete, "job": client.fine_tuning.jobs.cancel, "model": client.models.delete}[kind]
    try:
        patiently(lambda: send(id), account, f"removing {kind} {id}")
    except ProviderError as error:
        if error.status == 404 or (kind == "job" and error.status == 400):  # gone, or ended before
            return False
        raise
    return True
