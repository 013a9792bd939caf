"""Azure deployments against a local manager: created, awaited, found again, deleted, and what is said when it refuses."""

import pytest

from lib.deploy import azure
from lib.llm.provider import Account, ProviderError
from lib.run import BadInput
from tests.fakes.azure import ROOT, TOKEN, FakeManager
from tests.fakes.http import Fault

TUNED = "gpt-4o-mini-2024-07-18.ft-abc"


@pytest.fixture
def manager():
    with FakeManager() as fake:
        yield fake


def resource(manager, token=TOKEN):
    return azure.Resource(manager.url + ROOT.removesuffix("/deployments/"), token, "Standard", 30)


def ensure(manager, name="raft-demo", model=TUNED, **more):
    waits = []
    azure.ensure_deployed(more.pop("resource", resource(manager)), name, model, sleep=waits.append, **more)
    return waits


def test_a_tuned_model_is_deployed_awaited_and_found_the_second_time(manager):
    made = []
    waits = ensure(manager, before=lambda: made.append(len(manager.bodies)))
    assert made == [0], "it has to be on record before it is made"
    assert manager.bodies == [{"sku": {"name": "Standard", "capacity": 30}, "properties": {"model": {"format": "OpenAI", "name": TUNED, "version": "1"}}}]
    assert waits == [azure.POLL_S]
    ensure(manager, before=lambda: made.append("again"))
    assert made == [0]
    assert len(manager.bodies) == 1


def test_a_base_model_is_deployed_with_the_date_in_its_name_as_version(manager):
    ensure(manager, model="gpt-4o-mini-2024-07-18")
    assert manager.bodies[0]["properties"]["model"] == {"format": "OpenAI", "name": "gpt-4o-mini", "version": "2024-07-18"}


def test_a_deployment_of_another_model_is_replaced(manager):
    ensure(manager)
    ensure(manager, model=TUNED + "2")
    assert manager.deployments["raft-demo"]["model"]["name"] == TUNED + "2"


def test_a_deployment_that_fails_or_takes_too_long_is_an_error_that_names_it():
    with FakeManager(end="Failed") as fake, pytest.raises(ProviderError, match="raft-demo.* ended as Failed"):
        ensure(fake)
    with FakeManager(end="Creating") as fake, pytest.raises(ProviderError, match="still Creating after 1 minutes"):
        ensure(fake, limit_s=60.0)


def test_an_expired_token_names_its_variable_and_is_not_shown(manager):
    with pytest.raises(ProviderError) as caught:
        ensure(manager, resource=resource(manager, "arm-old-canary"))
    assert "AZURE_MANAGEMENT_TOKEN" in str(caught.value)
    assert "arm-old-canary" not in str(caught.value)
    assert "arm-old-canary" not in repr(resource(manager, "arm-old-canary"))


def test_a_refused_quota_is_told_in_azures_words(manager):
    said = {"error": {"code": "InsufficientQuota", "message": "This operation require 30 new capacity in quota Tokens Per Minute"}}
    manager.faults.append(Fault("PUT", "deployments", 400, body=said))
    with pytest.raises(ProviderError, match="30 new capacity in quota"):
        ensure(manager)


def test_a_busy_manager_is_waited_for(manager):
    manager.faults.append(Fault("PUT", "deployments", 429, headers={"Retry-After": "9"}))
    assert 9.0 in ensure(manager)


def test_a_deployment_is_deleted_and_awaited_and_one_that_is_gone_is_no_error(manager):
    ensure(manager)
    assert azure.delete(resource(manager), "raft-demo", sleep=lambda _: None)
    assert manager.deployments == {}
    assert not azure.delete(resource(manager), "raft-demo", sleep=lambda _: None)


def test_the_resource_is_read_from_the_environment_and_what_is_missing_is_named():
    account = Account("azure", "https://res.openai.azure.com", "k", "K")
    with pytest.raises(BadInput, match="AZURE_SUBSCRIPTION_ID, AZURE_RESOURCE_GROUP, AZURE_MANAGEMENT_TOKEN not set"):
        azure.find_resource(account, {})
    env = {"AZURE_SUBSCRIPTION_ID": "sub", "AZURE_RESOURCE_GROUP": "group", "AZURE_MANAGEMENT_TOKEN": "t"}
    found = azure.find_resource(account, env)
    assert found.url == "https://management.azure.com" + ROOT.removesuffix("/deployments/")
    assert azure.find_resource(account, env | {"AZURE_DEPLOYMENT_CAPACITY": "7"}).capacity == 7
    with pytest.raises(BadInput, match="found 'many'"):
        azure.find_resource(account, env | {"AZURE_DEPLOYMENT_CAPACITY": "many"})


@pytest.mark.parametrize("run", ["a.b_c", "x" * 64, "Sample"])
def test_deployment_names_are_what_azure_allows_and_differ_between_systems(run):
    names = [azure.deployment_name(run, system) for system in ("student", "baseline")]
    assert len(set(names)) == 2
    assert all(2 <= len(name) <= 64 and set(name) <= set("-" + "".join(map(chr, range(48, 123)))) for name in names)
