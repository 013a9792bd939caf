"""Several nodes: the commands of each, and an error that gives them where no cluster answers."""

import json
import socket

import pytest

import lib.deploy.cluster as cluster
from lib.deploy.plan import check, plan
from lib.run import BadInput
from lib.run.params import read_all


def test_the_head_starts_first_each_worker_joins_it_and_every_node_knows_its_own_address():
    commands = cluster.node_commands(["10.0.0.1", "10.0.0.2", "10.0.0.3"])
    assert [node for node, _ in commands[:3]] == ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
    assert "--head" in commands[0][1]
    for node, command in commands[1:3]:
        assert "--address=10.0.0.1:6379" in command
        assert command.startswith(f"VLLM_HOST_IP={node} ")


def test_without_a_cluster_the_error_gives_the_commands(monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(cluster, "RAY_PORT", free.getsockname()[1])
        with pytest.raises(BadInput, match="no Ray cluster at 127.0.0.1:(?s:.*)10.0.0.2: VLLM_HOST_IP=10.0.0.2"):
            cluster.check_cluster(["127.0.0.1", "10.0.0.2"])


def parameters(**changes):
    return {p.name: p.default for declared in read_all().values() for p in declared} | changes


def test_the_plan_of_two_nodes_prints_what_to_type_on_each():
    lines = plan(parameters(serve_hosts=["10.0.0.1", "10.0.0.2"], tensor_parallel=8, pipeline_parallel=2))
    assert [line["value"] for line in lines if line["item"].startswith("Ray")][:2] == ["10.0.0.1", "10.0.0.2"]
    assert "--distributed-executor-backend ray" in lines[-1]["note"]
    wanted = next(line for line in lines if line["item"] == "GPUs wanted")
    assert (wanted["value"], wanted["note"]) == (16, "2 servers one after the other; 2 nodes by Ray")


def test_the_plan_of_an_adapter_is_one_server_and_json():
    lines = plan(parameters(tuning="lora"))
    assert next(line for line in lines if line["item"] == "GPUs wanted")["note"].startswith("1 servers")
    assert "--lora-modules student=runs/sample/adapter" in lines[-1]["note"]
    json.dumps(lines)


def test_a_role_nobody_serves_is_named_in_the_plan_with_the_way_out(monkeypatch):
    with pytest.raises(BadInput, match="OTHER_LOCAL_MODEL"):
        plan(parameters(systems=["student", "other"]))
    monkeypatch.setenv("OTHER_LOCAL_MODEL", "data/student")
    assert any(line["item"] == "other served" and line["value"] == "data/student" for line in plan(parameters(systems=["student", "other"])))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sharing": "maybe"}, "sharing: expected one of"),
        ({"systems": ["student", "other"]}, "OTHER_LOCAL_MODEL"),
        ({"engine": "endpoint"}, "nothing says where student answers: set STUDENT_OPENAI_BASE_URL"),
        ({"quantization": "awq", "systems": ["baseline"]}, "this one is stored as it is"),
        ({"quantization": "fp8"}, "fp8 needs an NVIDIA GPU"),
    ],
)
def test_what_will_not_be_served_is_refused_before_a_run(monkeypatch, changes, message):
    monkeypatch.setattr("lib.deploy.targets.compute_capability", lambda: None)
    check(parameters())
    with pytest.raises(BadInput, match=message):
        check(parameters(**changes))


def test_a_student_at_a_provider_or_of_a_training_that_broke_off_stops_no_run(monkeypatch, tmp_path):
    p = parameters(student_model="some/model")
    check(p | {"engine": "endpoint", "backend": "openai"})
    (tmp_path / "runs" / p["run"] / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    check(p)
