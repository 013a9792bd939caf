"""What is served from which files: models, adapters on a shared base, roles with a local model; and what is refused before anything starts."""

import json

import pytest

import lib.deploy.targets as targets
from lib.deploy.adapter import adapter_rank, read_adapter
from lib.deploy.chat import FinishedRun
from lib.deploy.model import Weights, most_shown, weights_of
from lib.deploy.place import Place
from lib.deploy.plan import check_parameters
from lib.deploy.targets import build_server, check_hardware, check_quantization, describe_target, group_targets
from lib.run import BadInput, write_json

from .fakes import FakeRun, write_run


@pytest.fixture
def run(tmp_path):
    write_run(tmp_path)
    return FakeRun(tmp_path)


def make_adapter(run, **config):
    (run.dir / "model" / "config.json").unlink()
    write_json(run.dir / "adapter" / "adapter_config.json", {"peft_type": "LORA", "r": 8, "base_model_name_or_path": run.p.student_model} | config)
    (run.dir / "adapter" / "adapter_model.safetensors").write_bytes(b"weights")


def describe(run, *systems):
    return [describe_target(run, system, {}) for system in systems]


def test_an_adapter_and_its_base_are_one_server_under_two_names(run):
    make_adapter(run, r=12)
    groups = group_targets(describe(run, "student", "baseline"))
    assert [[t["system"] for t in group] for group in groups] == [["student", "baseline"]]
    server = build_server(groups[0], None, [], 8001)
    assert (server.system, server.model) == ("baseline", run.p.student_model)
    assert server.adapters == [("student", str(run.dir / "adapter"))]
    assert server.max_lora_rank == 16
    assert groups[0][0]["model_sha256"] != groups[0][1]["model_sha256"]


def test_two_whole_models_are_two_servers(run):
    assert len(group_targets(describe(run, "student", "baseline"))) == 2


def test_an_adapter_alone_stands_on_a_base_that_answers_under_no_system(run):
    make_adapter(run)
    server = build_server(group_targets(describe(run, "student"))[0], Place((1,), 0.9), ["4", "7"], 8001)
    assert (server.system, server.gpus) == ("base", ["7"])


def test_a_merged_model_is_preferred_to_the_adapter_it_came_from(run):
    config = (run.dir / "model" / "config.json").read_text()
    make_adapter(run)
    (run.dir / "model" / "config.json").write_text(config)
    assert weights_of(run, "student") == Weights(str(run.dir / "model"))


def test_another_adapter_is_another_model(run):
    make_adapter(run)
    before = describe(run, "student")[0]["model_sha256"]
    (run.dir / "adapter" / "adapter_model.safetensors").write_bytes(b"tuned again")
    assert describe(run, "student")[0]["model_sha256"] != before


@pytest.mark.parametrize(
    ("config", "message"),
    [({"use_dora": True}, "with use_dora"), ({"peft_type": "IA3"}, "this is IA3"), ({"modules_to_save": ["lm_head"]}, "modules_to_save"), ({"r": 4096}, "rank 4096")],
)  # fmt: skip
def test_adapters_that_vllm_does_not_serve_are_refused(run, config, message):
    make_adapter(run, **config)
    with pytest.raises(BadInput, match=message):
        read_adapter(run.dir / "adapter")


def test_the_largest_rank_of_any_layer_counts():
    assert adapter_rank({"r": 8, "rank_pattern": {"q_proj": 40}}) == 64


def test_the_stand_in_engine_serves_no_adapter(run):
    make_adapter(run)
    run.p.engine = "transformers"
    with pytest.raises(BadInput, match="transformers serves no adapter"):
        describe(run, "student")


def test_a_role_with_a_local_model_is_served_with_gpus_of_its_own(run, monkeypatch, tmp_path):
    write_json(tmp_path / "large" / "config.json", {"max_position_embeddings": 4096})
    monkeypatch.setenv("JUDGE_LOCAL_MODEL", str(tmp_path / "large"))
    monkeypatch.setenv("JUDGE_LOCAL_GPUS", "4")
    run.p.quantization, run.p.tensor_parallel = "fp8", 1
    target = describe(run, "judge")[0]
    assert (target["base_path"], target["tensor_parallel"], target["quantization"]) == (str(tmp_path / "large"), 4, "")
    assert target["max_model_len"] == 4096


def test_the_context_takes_the_widest_prompt_that_4_eval_asks_controls_and_contexts_among_them(run):
    write_json(run.dir / "run.json", {"stand_ins": [], "parameters": {"1_gen": {"n_distractors": 2}}, "stages": {}})
    few = 160 + 50  # a question and a reply
    assert describe(run, "student")[0]["max_model_len"] == 90 + 40 + 2 * 16 + few  # top_k: 1 and 2
    run.p.controls = True
    assert describe(run, "student")[0]["max_model_len"] == 90 + 40 + 10 + 3 * 16 + few
    run.p.contexts, run.p.context_distractors = ["oracle_hard"], [9]
    assert describe(run, "student")[0]["max_model_len"] == 90 + 40 + 10 + 10 * 16 + few
    write_json(run.dir / "run.json", {"stand_ins": [], "parameters": {"1_gen": {"n_distractors": 2}, "4_eval": vars(run.p)}, "stages": {}})
    assert most_shown(FinishedRun(run.dir)) == 2, "a chat would start a kept server anew"
    run.p.context_distractors = [999]
    with pytest.raises(BadInput, match="with 1000 passages in controls or contexts, .* the model takes 4096"):
        describe(run, "student")


def test_3_deploy_serves_with_room_for_4_eval_of_the_same_command(run, monkeypatch):
    write_json(run.dir / "run.json", {"stand_ins": [], "parameters": {"1_gen": {"n_distractors": 2}}, "stages": {}})
    lengths = []
    for ahead in ({}, {"controls": True}, {"controls": True, "perplexity_tokens": [1000]}):
        monkeypatch.setenv("RAFT_NEXT", json.dumps(ahead))
        lengths.append(describe(run, "student")[0]["max_model_len"])
    assert lengths == [90 + 40 + 2 * 16 + 210, 90 + 40 + 10 + 3 * 16 + 210, 1001]
    run.notebook = "chat"
    assert describe(run, "student")[0]["max_model_len"] == lengths[0]


def test_the_context_takes_the_longest_perplexity_window_of_the_systems_compared(run, monkeypatch, tmp_path):
    run.p.systems, run.p.perplexity_tokens = ["student", "baseline"], [64, 2048]
    assert [target["max_model_len"] for target in describe(run, "student", "baseline")] == [2049, 2049]
    write_json(run.dir / "run.json", {"stand_ins": [], "parameters": {"4_eval": vars(run.p)}, "stages": {}})
    assert describe_target(FinishedRun(run.dir), "student", {})["max_model_len"] < 2049, "a chat would start a kept server anew"
    run.p.perplexity_tokens = [64, 4096]
    with pytest.raises(BadInput, match="perplexity_tokens: student takes 4096 tokens.* below 4096 instead of 4096"):
        describe(run, "student")
    write_json(tmp_path / "large" / "config.json", {"max_position_embeddings": 2048})
    monkeypatch.setenv("JUDGE_LOCAL_MODEL", str(tmp_path / "large"))
    assert describe(run, "judge")[0]["max_model_len"] == 2048, "a judge's perplexity is not measured"


def test_quantisation_is_checked_against_the_model_and_the_machine(monkeypatch):
    check_quantization("awq", "vllm", {"quantization_config": {"quant_method": "awq"}})
    with pytest.raises(BadInput, match="this one is stored as it is"):
        check_quantization("awq", "vllm", {"model_type": "llama"})
    with pytest.raises(BadInput, match="expected one of"):
        check_quantization("int3", "vllm", {})
    with pytest.raises(BadInput, match="only engine vllm"):
        check_quantization("fp8", "transformers", {})
    monkeypatch.setattr(targets, "compute_capability", lambda: None)
    with pytest.raises(BadInput, match="fp8 needs an NVIDIA GPU"):
        check_hardware("fp8")
    monkeypatch.setattr(targets, "compute_capability", lambda: 7.5)
    with pytest.raises(BadInput, match="needs a GPU of compute capability 8.0; this one has 7.5"):
        check_hardware("fp8")
    with pytest.raises(BadInput, match="pip install vllm-bnb-plugin"):
        check_hardware("bitsandbytes")


PARAMETERS = {"engine": "vllm", "quantization": "", "sharing": "auto", "tensor_parallel": 8, "pipeline_parallel": 2, "serve_hosts": []}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sharing": "maybe"}, "sharing: expected one of"),
        ({"pipeline_parallel": 0}, "pipeline_parallel: expected a whole number from 1"),
        ({"serve_hosts": ["a", "a"]}, "expected different host names"),
        ({"serve_hosts": ["a"]}, "one node needs no Ray"),
        ({"serve_hosts": ["a", "b"], "engine": "transformers"}, "only engine vllm"),
        ({"serve_hosts": ["a", "b", "c"], "tensor_parallel": 1, "pipeline_parallel": 2}, "3 nodes and only 1 x 2 GPUs"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_before_anything_starts(change, message):
    check_parameters(PARAMETERS)
    with pytest.raises(BadInput, match=message):
        check_parameters(PARAMETERS | change)
