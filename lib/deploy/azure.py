"""Azure OpenAI deployments through Azure's management REST: create, wait, find, delete. A deployment is what a model answers at.

Plain REST, four requests, with a bearer token: the management SDK brings a dozen packages and refuses to send a token to
anything but HTTPS, so that nothing could be tested on this machine. The token lives about an hour:
    export AZURE_MANAGEMENT_TOKEN=$(az account get-access-token --query accessToken -o tsv)
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lib.llm.provider import Account, ProviderError, patiently
from lib.llm.roles import environment
from lib.run import BadInput, say

HOME = "https://management.azure.com"
API_VERSION = "2024-10-01"
TOKEN_HELP = "AZURE_MANAGEMENT_TOKEN=$(az account get-access-token --query accessToken -o tsv)"
POLL_S, LIMIT_S = 10.0, 3600.0
DATED = re.compile(r"^(?P<name>.+?)-(?P<version>\d{4}-\d{2}-\d{2})$")


@dataclass(frozen=True)
class Resource:
    """One Azure OpenAI resource as its manager sees it; `token` is never shown, logged or stored.

    Attributes:
        url: Of the resource, below the manager's address; deployments hang below it.
        token: Bearer token.
        sku: Kind of deployment: `Standard`, `GlobalStandard`, `DeveloperTier`, …
        capacity: Thousand tokens a minute.
    """

    url: str
    token: str = field(repr=False)
    sku: str = "Standard"
    capacity: int = 50


class Refused(Exception):
    """A reply of the manager that is no success, in the shape that `patiently` and its messages know."""

    def __init__(self, response):
        try:
            self.body = response.json()
        except ValueError:
            self.body = {}
        super().__init__(response.text[:300])
        self.response, self.status_code = response, response.status_code


def find_resource(account: Account, env: Mapping[str, str] | None = None) -> Resource:
    """The resource behind an account, from `AZURE_SUBSCRIPTION_ID`, `AZURE_RESOURCE_GROUP`, `AZURE_MANAGEMENT_TOKEN`.

    The resource's name is that in its endpoint's address unless `AZURE_OPENAI_RESOURCE` gives it; `AZURE_DEPLOYMENT_SKU`,
    `AZURE_DEPLOYMENT_CAPACITY` and `AZURE_MANAGEMENT_URL` (other clouds) are optional.

    Raises:
        BadInput: A variable is missing or no number.
    """
    env = environment() if env is None else env
    names = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_MANAGEMENT_TOKEN")
    if missing := [name for name in names if not (env.get(name) or "").strip()]:
        raise BadInput(
            f"backend azure: a deployment is made through Azure's manager, and {', '.join(missing)} not set ({TOKEN_HELP}); "
            "or deploy the model yourself and set STUDENT_AZURE_OPENAI_DEPLOYMENT and the BASELINE_AZURE_OPENAI_ variables"
        )
    group, name = env["AZURE_RESOURCE_GROUP"], env.get("AZURE_OPENAI_RESOURCE") or urlsplit(account.base_url).hostname.split(".")[0]
    capacity = env.get("AZURE_DEPLOYMENT_CAPACITY") or "50"
    if not capacity.isdigit():
        raise BadInput(f"AZURE_DEPLOYMENT_CAPACITY: expected thousands of tokens a minute, such as 50; found {capacity!r}")
    url = (
        f"{(env.get('AZURE_MANAGEMENT_URL') or HOME).rstrip('/')}/subscriptions/{env['AZURE_SUBSCRIPTION_ID']}"
        f"/resourceGroups/{group}/providers/Microsoft.CognitiveServices/accounts/{name}"
    )
    return Resource(url, env["AZURE_MANAGEMENT_TOKEN"].strip(), env.get("AZURE_DEPLOYMENT_SKU") or "Standard", int(capacity))


def deployment_name(run: str, system: str) -> str:
    """Name of a run's deployment: letters, digits and hyphens."""
    name = re.sub(r"[^A-Za-z0-9-]+", "-", f"raft-{run}").strip("-")[:54]
    return name if system == "student" else f"{name}-{system}"


def model_and_version(model: str) -> tuple[str, str]:
    """A base model's name carries its version as a date; a tuned model is version 1."""
    dated = DATED.match(model)
    return (dated["name"], dated["version"]) if dated else (model, "1")


def ensure_deployed(resource: Resource, name: str, model: str, *, before: Callable[[], None] = lambda: None,
                    sleep: Callable = time.sleep, limit_s: float = LIMIT_S) -> None:  # fmt: skip
    """See that `model` is deployed as `name`: found, or created and awaited.

    Args:
        resource: Where.
        name: Of the deployment.
        model: Tuned model, or a base model with its date.
        before: Called before anything is created, so that it is on record first.
        sleep: Waits; tests pass another.
        limit_s: Seconds after which to give up; the deployment stays and the next call finds it.

    Raises:
        ProviderError: Azure refused (quota, region, token), or the deployment failed or took too long.
    """
    wanted, version = model_and_version(model)
    body = {
        "sku": {"name": resource.sku, "capacity": resource.capacity},
        "properties": {"model": {"format": "OpenAI", "name": wanted, "version": version}},
    }
    there = get(resource, name, sleep=sleep)
    state = there["properties"].get("provisioningState") if there else None
    if there is None or there["properties"]["model"]["name"] != wanted or state in ("Failed", "Canceled"):
        before()
        say(f"creating the deployment {name} of {wanted} ({resource.sku}, {resource.capacity},000 tokens a minute)")
        call(resource, "PUT", name, body, what=f"creating the deployment {name}", sleep=sleep)
    waited, told = 0.0, ""
    while True:
        there = get(resource, name, sleep=sleep)
        state = there["properties"].get("provisioningState", "") if there else "gone"
        if state != told:
            say(f"deployment {name}: {state}")
            told = state
        if state == "Succeeded":
            return
        if state in ("Failed", "Canceled", "gone"):
            raise ProviderError(f"the deployment {name} of {wanted} ended as {state}: look at it in the portal, or ./run_all.sh --teardown removes it")
        if waited >= limit_s:
            raise ProviderError(f"the deployment {name} is still {state} after {waited / 60:.0f} minutes; run again, it is found then")
        sleep(POLL_S)
        waited += POLL_S


def get(resource: Resource, name: str, *, sleep: Callable = time.sleep) -> dict | None:
    """A deployment as its manager describes it, or None."""
    try:
        return call(resource, "GET", name, what=f"looking at the deployment {name}", sleep=sleep)
    except ProviderError as error:
        if error.status == 404:
            return None
        raise


def delete(resource: Resource, name: str, *, sleep: Callable = time.sleep, limit_s: float = LIMIT_S) -> bool:
    """Delete a deployment and wait until it is gone; False where there was none."""
    if get(resource, name, sleep=sleep) is None:
        return False
    call(resource, "DELETE", name, what=f"deleting the deployment {name}", sleep=sleep)
    waited = 0.0
    while get(resource, name, sleep=sleep) is not None:
        if waited >= limit_s:
            raise ProviderError(f"the deployment {name} is still there after {waited / 60:.0f} minutes")
        sleep(POLL_S)
        waited += POLL_S
    return True


def call(resource: Resource, method: str, name: str, body: dict | None = None, *, what: str, sleep: Callable = time.sleep):
    """One request to the manager, repeated while it is busy; its JSON, None for an empty reply."""
    import httpx2

    from lib.llm.transport import route

    account = Account("azure's manager", resource.url.split("/subscriptions")[0], resource.token, "AZURE_MANAGEMENT_TOKEN")

    def send():
        reply = client.request(
            method, f"{resource.url}/deployments/{name}", params={"api-version": API_VERSION}, json=body,
            headers={"Authorization": f"Bearer {resource.token}"},
        )  # fmt: skip
        if reply.status_code >= 400:
            raise Refused(reply)
        return reply.json() if reply.content else None

    with httpx2.Client(timeout=60.0, **route(resource.url)) as client:
        return patiently(send, account, what, sleep=sleep)
