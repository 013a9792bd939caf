"""The real engine: vLLM serves the sample's student twice on this machine's CPU. About two minutes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import lib.deploy.serve as serve
from lib.deploy.probe import compare_tokens
from lib.llm import Format
from lib.run import write_jsonl

from .fakes import FakeRun, write_run
from .test_stopping import assert_gone, family

pytestmark = pytest.mark.smoke
STUDENT = Path("data/student")
N_PROMPTS, IN_FLIGHT = 60, 32
MOST_MEGABYTES = 1600  # of one server, its shared pages counted in part


@pytest.fixture
def run(tmp_path, monkeypatch):
    from transformers import AutoTokenizer

    write_run(tmp_path)
    for name in ("base", "model"):
        shutil.copytree(STUDENT, tmp_path / name, dirs_exist_ok=True)
    tokenizer = AutoTokenizer.from_pretrained(STUDENT)
    messages = Format(system_prompt="Quote the passage.").messages(["The café opens at 8:30."], "When does it open?")
    rendered = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
    ids = tokenizer(rendered, add_special_tokens=False)["input_ids"]
    write_jsonl(tmp_path / "training" / "prompts.jsonl", [{"id": "a", "messages": messages, "prompt_ids": ids}])
    run = FakeRun(tmp_path, max_model_len=1024)
    yield run
    path = tmp_path / "serving" / "servers.json"
    for record in json.loads(path.read_text()).values() if path.exists() else ():
        serve.stop_process(record["pid"])


def ask(record: dict, prompt: str) -> str:
    body = {"model": record["model"], "prompt": prompt, "max_tokens": 40, "temperature": 0, "ignore_eos": True}
    request = urllib.request.Request(
        record["base_url"] + "/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        return json.load(reply)["choices"][0]["text"]


def test_two_servers_render_as_in_training_answer_alike_in_any_order_stay_small_and_stop(run, monkeypatch):
    monkeypatch.setenv("RAFT_OWNER_PID", str(os.getpid()))
    monkeypatch.setenv("TEACHER_OPENAI_API_KEY", "canary-key")
    servers = serve.ensure_served(run, ["student", "baseline"])
    pids = family(run.dir)

    tokens = compare_tokens(run, ["student", "baseline"])
    assert tokens["equal"].tolist() == tokens["prompts"].tolist() == [1, 1], tokens["difference"].tolist()

    text = " ".join(p.read_text(errors="replace") for p in sorted(Path("data/documents").rglob("*.md")))
    starts = [len(text) * i // N_PROMPTS for i in range(N_PROMPTS)]
    prompts = [text[start : start + 500 + 10 * i] for i, start in enumerate(starts)]
    shuffled = random.Random(1).sample(prompts, N_PROMPTS)
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        once = dict(zip(prompts, pool.map(lambda p: ask(servers["student"], p), prompts), strict=True))
        again = dict(zip(shuffled, pool.map(lambda p: ask(servers["student"], p), shuffled), strict=True))
        baseline = dict(zip(prompts, pool.map(lambda p: ask(servers["baseline"], p), prompts), strict=True))
    assert once == again == baseline  # the same weights behind both

    megabytes = sum(proportional_kilobytes(pid) for pid in pids) / 1024
    assert megabytes < 2 * MOST_MEGABYTES, f"{megabytes:.0f} MB"
    assert not any(b"canary-key" in Path(f"/proc/{pid}/environ").read_bytes() for pid in pids)

    assert sorted(serve.stop_served(run)) == ["baseline", "student"]
    assert_gone(pids, within_s=5)


def proportional_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def test_a_killed_owner_takes_vllm_along(run, vllm_owner):
    pids = family(run.dir)
    assert len(pids) >= 3  # supervisor, API, engine
    vllm_owner.send_signal(signal.SIGKILL)
    vllm_owner.wait()
    assert_gone(pids, within_s=30)


@pytest.fixture
def vllm_owner(run):
    code = (
        "import os, sys, time; os.environ['RAFT_OWNER_PID'] = str(os.getpid())\n"
        "from pathlib import Path\n"
        "import lib.deploy.serve as serve\n"
        "from tests.deploy.fakes import FakeRun\n"
        "serve.ensure_served(FakeRun(Path(sys.argv[1])), ['student'])\n"
        "print('served', flush=True); time.sleep(300)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code, str(run.dir)], stdout=subprocess.PIPE, text=True)
    assert any(line.strip() == "served" for line in owner.stdout), "the owner ended before its server was ready"
    yield owner
    owner.kill()
    owner.communicate()


def test_weights_that_are_missing_are_named(run, monkeypatch):
    monkeypatch.setenv("RAFT_OWNER_PID", str(os.getpid()))
    (run.dir / "model" / "model.safetensors").unlink()
    with pytest.raises(RuntimeError, match="weights or configuration are missing.*\\n.*Cannot find any model weights"):
        serve.ensure_served(run, ["student"])


def test_an_adapter_and_its_base_in_one_server_answer_as_peft_does_and_both_end_with_a_kill_under_load(run, monkeypatch):
    import peft
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    monkeypatch.setenv("RAFT_OWNER_PID", str(os.getpid()))
    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(STUDENT, dtype=torch.float32).eval()
    text = sorted(Path("data/documents").rglob("*.md"))[0].read_text()[:600]
    ids = AutoTokenizer.from_pretrained(STUDENT)(text)["input_ids"]
    expected = {"baseline": logprobs_of(base, ids)}
    # Weights drawn at random, so that the adapter changes much.
    config = peft.LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False)
    tuned = peft.get_peft_model(base, config).eval()
    expected["student"] = logprobs_of(tuned, ids)
    shutil.rmtree(run.dir / "model")
    tuned.save_pretrained(run.dir / "adapter")

    servers = serve.ensure_served(run, ["student", "baseline"])
    assert servers["student"]["pid"] == servers["baseline"]["pid"]
    apart = {s: max(abs(a - b) for a, b in zip(expected[s], logprobs_at(servers[s], ids), strict=True)) for s in expected}
    print("largest difference of a logprob from transformers + peft:", apart)
    assert max(apart.values()) <= 0.02, apart
    assert max(abs(a - b) for a, b in zip(expected["student"], expected["baseline"], strict=True)) > 0.5
    tokens = compare_tokens(run, ["student", "baseline"])
    assert tokens["equal"].tolist() == [1, 1], tokens["difference"].tolist()

    pids = family(run.dir)
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        asked = [pool.submit(ask, servers["student"], text[i : i + 300]) for i in range(IN_FLIGHT)]
        server = min(pids - {servers["student"]["pid"]})  # the API; the engine is its child
        os.kill(server, signal.SIGKILL)
        failed = [future.exception(60) for future in asked]
    assert any(failed)
    assert_gone(pids, within_s=30)
    assert not serve._is_up(servers["student"], servers["student"])


def logprobs_of(model, ids: list[int]) -> list[float]:
    import torch

    with torch.no_grad():
        found = model(torch.tensor([ids])).logits[0].log_softmax(-1)
    return [found[i, token].item() for i, token in enumerate(ids[1:])]


def logprobs_at(record: dict, ids: list[int]) -> list[float]:
    body = {"model": record["model"], "prompt": ids, "max_tokens": 1, "temperature": 0, "prompt_logprobs": 0}
    request = urllib.request.Request(
        record["base_url"] + "/completions", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as reply:
        found = json.load(reply)["choices"][0]["prompt_logprobs"]
    return [next(entry["logprob"] for key, entry in place.items() if int(key) == token) for place, token in zip(found[1:], ids[1:], strict=True)]


def test_a_qlora_adapter_is_served_upon_the_plain_base_and_answers_as_peft_does_there(run, monkeypatch):
    """Trained over 4-bit weights, served over the weights that they were made from: what a CPU's vLLM, or `quantization` left empty, has."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    from lib.finetune.adapter import load_adapted
    from lib.run import read_json
    from tests.finetune.tiny import start

    monkeypatch.setenv("RAFT_OWNER_PID", str(os.getpid()))
    base = run.dir / "base"  # of widths that are multiples of 64, as bitsandbytes wants them on a CPU; the student's 160 is none
    LlamaForCausalLM(LlamaConfig.from_pretrained(STUDENT, hidden_size=128, intermediate_size=320)).save_pretrained(base)
    start(run.dir, base, "parameters/launchers/cpu1_plain.yaml", n=64, tuning="qlora", learning_rate=1e-2)
    config = read_json(run.dir / "training" / "config.json")
    text = sorted(Path("data/documents").rglob("*.md"))[0].read_text()[:600]
    ids = AutoTokenizer.from_pretrained(STUDENT)(text)["input_ids"]
    plain, four_bits = (logprobs_of(load_adapted(config, run.dir / "adapter", "fp32", whole=whole), ids) for whole in (True, False))

    servers = serve.ensure_served(run, ["student", "baseline"])
    served = logprobs_at(servers["student"], ids)
    apart = {name: max(abs(a - b) for a, b in zip(served, other, strict=True)) for name, other in (("plain", plain), ("4-bit", four_bits))}
    print("largest difference of a logprob from transformers + peft, by the base below the adapter:", apart)
    assert apart["plain"] <= 0.02 < apart["4-bit"], apart
    untuned = logprobs_at(servers["baseline"], ids)
    assert max(abs(a - b) for a, b in zip(served, untuned, strict=True)) > 0.5
