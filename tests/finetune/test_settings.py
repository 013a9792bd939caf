"""Settings, launchers and the plan: refused before anything is spent, and right in their arithmetic."""

import json
from dataclasses import MISSING
from pathlib import Path

import pytest
import yaml

from lib.finetune.adapter import base_hashes
from lib.finetune.estimate import memory_needs, trained_parameters, training_seconds
from lib.finetune.launcher import Launcher, check_hosts
from lib.finetune.plan import check, plan, read_settings
from lib.finetune.rows import encode_rows
from lib.finetune.settings import Settings, build_config, check_choices, check_launcher
from lib.finetune.shape import SHAPES, find_shape, shape_of
from lib.finetune.student import find_student
from lib.run import BadInput, write_json, write_jsonl
from lib.run.params import read_all

from .tiny import make_rows

CPU = "parameters/launchers/cpu.yaml"
BASICS = {
    "learning_rate": 1e-3, "epochs": 1.0, "batch_size": 4, "grad_accumulation": 1, "warmup_ratio": 0.0, "weight_decay": 0.0,
    "scheduler": "cosine", "gradient_checkpointing": False, "save_steps": 2, "seed": 1,
}  # fmt: skip


@pytest.mark.parametrize("path", sorted(Path("parameters/launchers").glob("*.yaml")), ids=lambda path: path.name)
def test_every_launcher_saves_whole_weights(path):
    launcher = Launcher.load(path)
    assert launcher.stage in (2, 3) or "plain" in path.name
    assert launcher.processes >= launcher.machines >= 1
    assert path.read_text().startswith("# What:")


def test_zero3_that_gathers_no_weights_is_refused(tmp_path):
    config = yaml.safe_load(Path(CPU).read_text())
    zero = json.loads(Path(config["deepspeed_config"]["deepspeed_config_file"]).read_text())
    zero["zero_optimization"]["stage3_gather_16bit_weights_on_model_save"] = False
    (tmp_path / "zero.json").write_text(json.dumps(zero))
    config["deepspeed_config"]["deepspeed_config_file"] = str(tmp_path / "zero.json")
    (tmp_path / "launcher.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(BadInput, match="saves empty tensors"):
        Launcher.load(tmp_path / "launcher.yaml")


def test_a_launcher_that_is_not_there_names_those_that_are():
    with pytest.raises(BadInput, match="cpu.yaml"):
        Launcher.load("parameters/launchers/tpu.yaml")


@pytest.mark.parametrize(
    ("backend", "tuning", "scheduler"),
    [("cloud", "full", "cosine"), ("local", "dora", "cosine"), ("local", "full", "x")],
)
def test_what_is_not_supported_is_refused_by_name(backend, tuning, scheduler):
    with pytest.raises(BadInput, match="expected .* found"):
        check_choices(backend, tuning, scheduler)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learning_rate": 0.0}, "learning_rate: expected more than 0"),
        ({"epochs": -1.0}, "epochs: expected more than 0"),
        ({"batch_size": 0}, "batch_size"),
        ({"warmup_ratio": 1.0}, "a share in"),
        ({"lora_rank": 0}, "lora_rank"),
        ({"eval_steps": -1}, "eval_steps"),
        ({"keep": "first"}, "last or best"),
        ({"keep": "best"}, "set eval_steps"),
        ({"keep": "best", "eval_steps": 3, "save_steps": 4}, r"expected eval_steps \(3\)"),
        ({"keep": "best", "eval_steps": 2, "save_steps": 4}, "the step of the lowest loss has its checkpoint"),
        ({"early_stop": 2, "eval_steps": 2}, "needs keep = best"),
        ({"attention": "magic"}, "attention: expected"),
        ({"tracker": "diary"}, "tracker: expected"),
        ({"adapter": "runs/x/adapter"}, "with tuning lora or qlora"),
        ({"adapter": "runs/x/adapter", "tuning": "lora"}, "adapter_config.json"),
    ],
)
def test_settings_that_cannot_be_are_refused(change, words):
    with pytest.raises(BadInput, match=words):
        Settings(**BASICS | change)


def test_a_package_that_is_not_there_is_named_before_anything_starts(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for change in ({"tracker": "trackio"}, {"tracker": "wandb"}, {"attention": "flash_attention_2"}):
        with pytest.raises(BadInput, match="pip install"):
            Settings(**BASICS | change)


def test_the_settings_defaults_are_the_notebooks():
    from lib.run.params import read_parameters

    declared = {parameter.name: parameter.default for parameter in read_parameters("2_finetune.ipynb")}
    for name, field in Settings.__dataclass_fields__.items():
        assert name in declared
        assert field.default in (declared[name], MISSING), name


def test_four_bit_weights_under_deepspeed_are_refused():
    with pytest.raises(BadInput, match="cpu1_plain.yaml"):
        check_launcher(Settings(**BASICS | {"tuning": "qlora"}), Launcher.load(CPU))
    check_launcher(Settings(**BASICS | {"tuning": "qlora"}), Launcher.load("parameters/launchers/cpu1_plain.yaml"))


def test_full_tuning_in_bf16_without_master_weights_is_refused():
    plain = Launcher.load("parameters/launchers/gpu1_plain.yaml")
    with pytest.raises(BadInput, match="fp32 master weights.*gpu1.yaml"):
        check_launcher(Settings(**BASICS), plain)
    for tuning in ("lora", "qlora"):
        check_launcher(Settings(**BASICS | {"tuning": tuning}), plain)
    check_launcher(Settings(**BASICS), Launcher.load("parameters/launchers/cpu1_plain.yaml"))  # fp32 weights


def test_a_launcher_of_two_machines_wants_two_names_and_any_other_none():
    two, one = Launcher.load("parameters/launchers/nodes2x8.yaml"), Launcher.load(CPU)
    check_hosts(two, ["a", "b"])
    check_hosts(one, [])
    for launcher, hosts in ((two, []), (two, ["a"]), (one, ["a"])):
        with pytest.raises(BadInput, match="hosts: "):
            check_hosts(launcher, hosts)


def test_an_adapter_of_another_model_is_refused(tmp_path, tokenizer, student_files):
    rows = encode_rows(make_rows(9), tokenizer, frozenset({1}))
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "base.json").write_text('{"student_model": "another", "weights_sha256": {"model.safetensors": "0"}}')
    chosen = Settings(**BASICS | {"tuning": "lora", "adapter": str(tmp_path)})
    with pytest.raises(BadInput, match="other weights"):
        build_config(chosen, Launcher.load(CPU), student_files, rows, [])


def test_looks_at_held_out_rows_need_some(tokenizer, student_files):
    rows = encode_rows(make_rows(9), tokenizer, frozenset({1}))
    with pytest.raises(BadInput, match="no held-out rows"):
        build_config(Settings(**BASICS | {"eval_steps": 2}), Launcher.load(CPU), student_files, rows, [])


def test_another_number_of_processes_with_as_many_rows_a_step_is_the_same_training(tokenizer, student_files):
    rows = encode_rows(make_rows(20), tokenizer, frozenset({1}))

    def key(launcher, **change):
        config = build_config(Settings(**BASICS | change), Launcher.load(launcher), student_files, rows, [])
        return config["fingerprint_elsewhere"]

    one = "parameters/launchers/cpu1.yaml"
    assert key(CPU) == key(one, batch_size=8) == key(one, grad_accumulation=2) != key(one)
    assert key(CPU) != key(CPU, learning_rate=2e-3)


def test_a_student_that_is_nowhere_is_refused():
    with pytest.raises(BadInput, match="expected a folder with config.json"):
        find_student("data/no-such-student")


def test_the_fingerprint_changes_with_anything_that_decides_the_weights(tokenizer, student_files):
    rows = encode_rows(make_rows(20), tokenizer, frozenset({1}))
    launcher = Launcher.load(CPU)

    def fingerprint(rows=rows, valid=(), **change):
        return build_config(Settings(**BASICS | change), launcher, student_files, rows, valid)["fingerprint"]

    prints = [
        fingerprint(),
        fingerprint(seed=2),
        fingerprint(learning_rate=2e-3),
        fingerprint(rows=rows[1:]),
        fingerprint(valid=rows[:1]),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint() == prints[0]


def test_steps_and_tokens_add_up(tokenizer, student_files):
    rows = encode_rows(make_rows(21), tokenizer, frozenset({1}))
    config = build_config(Settings(**BASICS | {"epochs": 2.0}), Launcher.load(CPU), student_files, rows, [])
    assert config["steps"] == len(config["tokens_by_step"]) == 6
    assert config["tokens_by_step"][-1] == 2 * sum(map(len, rows))


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("llama-2-7b", 6_738_415_616), ("llama-3-8b", 8_030_261_248), ("llama-3.1-8b", 8_030_261_248)],
)
def test_parameters_counted_from_a_shape_are_the_published_ones(name, parameters):
    assert shape_of(SHAPES[name]).parameters == parameters


def test_parameters_counted_from_a_shape_are_those_stored():
    student = Path("data/student")  # as transformers has saved it
    assert shape_of(json.loads((student / "config.json").read_text())).parameters == find_shape(str(student)).parameters


def test_hub_names_find_their_shape():
    for name in ("meta-llama/Llama-2-7b-hf", "meta-llama/Meta-Llama-3-8B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"):
        assert find_shape(name).parameters > 6e9
    assert find_shape("somebody/else") is None


def test_eight_billion_parameters_over_four_gpus_take_36_gb_of_state_each():
    state, _ = memory_needs(find_shape("meta-llama/Llama-3.1-8B-Instruct"), Launcher.load("parameters/launchers/gpu4.yaml"))
    assert state == pytest.approx(18 * 8.03e9 / 4, rel=0.07)


@pytest.mark.smoke
@pytest.mark.parametrize("name", ["gpu1", "gpu1_offload", "gpu4", "gpu8", "gpu8_zero2", "nodes2x8"])
def test_memory_is_what_deepspeeds_own_estimators_say(name):
    from deepspeed.runtime.zero.stage3 import estimate_zero3_model_states_mem_needs
    from deepspeed.runtime.zero.stage_1_and_2 import estimate_zero2_model_states_mem_needs

    launcher, size = Launcher.load(f"parameters/launchers/{name}.yaml"), find_shape("meta-llama/Llama-3.1-8B-Instruct")
    where = {"num_gpus_per_node": launcher.processes // launcher.machines, "num_nodes": launcher.machines}
    if launcher.stage == 3:
        host, gpu, _ = estimate_zero3_model_states_mem_needs(
            size.parameters, size.largest, cpu_offload=launcher.offload, cpu_offload_params=launcher.offload_params, **where
        )
    else:
        host, gpu = estimate_zero2_model_states_mem_needs(size.parameters, cpu_offload=launcher.offload, **where)
    assert memory_needs(size, launcher) == pytest.approx((gpu, host), rel=1e-6)


def test_an_adapter_takes_a_fraction_of_the_memory_and_4_bits_less_still():
    size, launcher = find_shape("meta-llama/Llama-3.1-8B-Instruct"), Launcher.load("parameters/launchers/gpu1_plain.yaml")
    full, lora, qlora = (
        memory_needs(size, launcher, Settings(**BASICS | {"tuning": tuning}))[0] / 1e9 for tuning in ("full", "lora", "qlora")
    )
    assert full == pytest.approx(18 * 8.03, rel=0.01)
    assert 16 < lora < 18
    assert 5 < qlora < 8


@pytest.mark.parametrize(("name", "numbers"), [("meta-llama/Llama-2-7b-hf", 39_976_960), ("meta-llama/Meta-Llama-3-8B", 41_943_040)])
def test_an_adapter_of_rank_16_has_the_numbers_that_are_published(name, numbers):
    settings = Settings(**BASICS | {"tuning": "lora", "lora_rank": 16})
    assert trained_parameters(find_shape(name), settings) == numbers


@pytest.mark.smoke  # peft and torch take seconds to load
def test_an_adapters_numbers_are_those_that_peft_makes():
    from peft import LoraConfig, get_peft_model
    from transformers import LlamaConfig, LlamaForCausalLM

    about = {
        "vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4,
        "num_key_value_heads": 2, "max_position_embeddings": 64,
    }  # fmt: skip
    model = get_peft_model(LlamaForCausalLM(LlamaConfig(**about)), LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM"))
    made = sum(p.numel() for p in model.parameters() if p.requires_grad)
    assert trained_parameters(shape_of(about), Settings(**BASICS | {"tuning": "lora", "lora_rank": 4})) == made


def test_a_stated_throughput_decides_the_hours():
    size, launcher = find_shape("meta-llama/Llama-3.1-8B-Instruct"), Launcher.load("parameters/launchers/gpu4.yaml")
    seconds, note = training_seconds(size, launcher, 40_000_000, 100, tokens_per_s=5000)
    assert seconds == 40_000_000 / (4 * 5000)
    assert "as stated" in note


def test_the_plan_needs_no_gpu_no_hub_and_no_dataset(tmp_path):
    p = BASICS | {
        "run": "x", "backend": "local", "tuning": "full", "launcher": "parameters/launchers/gpu4.yaml", "max_length": 8192,
        "student_model": "meta-llama/Llama-3.1-8B-Instruct", "documents": "data/documents", "chunk_chars": 1000, "p_overlap": 0.1,
        "questions_per_chunk": 5, "n_distractors": 4, "p_refusal": 0.05, "p_valid": 0.05, "p_test": 0.1,
    }  # fmt: skip
    rows = {row["item"]: row for row in plan(p, root=tmp_path)}
    assert rows["parameters"]["value"] == 8_030_261_248
    assert rows["training memory"]["unit"] == "GB a GPU"
    assert rows["steps"]["value"] > 0
    with pytest.raises(BadInput, match="backend"):
        plan(p | {"backend": "hosted"}, root=tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scheduler": "cosin"}, "scheduler: expected cosine or"),
        ({"keep": "best"}, "keep: best needs losses"),
        ({"hosts": ["alpha"]}, "hosts: "),
        ({"eval_steps": 10, "p_valid": 0.0}, "eval_steps: there are no held-out rows"),
        ({"tuning": "full", "launcher": "parameters/launchers/gpu1_plain.yaml"}, "full tuning in bf16 needs fp32 master weights"),
        ({"backend": "openai", "epochs": 1.5}, "epochs: backend openai takes whole numbers"),
        ({"backend": "together", "scheduler": "constant"}, "scheduler: backend together has cosine and linear"),
    ],
)
def test_what_the_parameters_alone_tell_is_refused_without_a_dataset(changes, message):
    p = BASICS | {"run": "x", "backend": "local", "tuning": "full", "launcher": "parameters/launchers/cpu.yaml"}
    check(p)
    with pytest.raises(BadInput, match=message):
        check(p | changes)


def test_an_adapter_of_another_base_is_told_before_anything_is_spent(tmp_path):
    for name, held in (("base", b"one"), ("other", b"two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_bytes(held)
    write_json(tmp_path / "adapter/adapter_config.json", {"r": 8})
    write_json(tmp_path / "adapter/base.json", {"student_model": "base", "weights_sha256": base_hashes(tmp_path / "base")})
    p = BASICS | {"run": "x", "backend": "local", "tuning": "lora", "launcher": "parameters/launchers/cpu.yaml", "adapter": str(tmp_path / "adapter")}
    check(p | {"student_model": str(tmp_path / "base")})
    with pytest.raises(BadInput, match="trained upon base with other weights"):
        check(p | {"student_model": str(tmp_path / "other")})


def test_rows_to_watch_are_looked_for_in_the_dataset_that_is_there(tmp_path):
    p = BASICS | {"run": "x", "backend": "local", "tuning": "full", "launcher": "parameters/launchers/cpu.yaml", "eval_steps": 10}
    write_jsonl(tmp_path / "x/dataset/valid.jsonl", [{"row": 1}])
    check(p | {"p_valid": 0.0}, tmp_path)
    write_jsonl(tmp_path / "x/dataset/valid.jsonl", [])
    with pytest.raises(BadInput, match="no held-out rows"):
        check(p | {"p_valid": 0.05}, tmp_path)


def test_the_plan_of_several_machines_prints_a_command_for_each(tmp_path):
    p = BASICS | {
        "run": "x", "backend": "local", "tuning": "full", "launcher": "parameters/launchers/nodes2x8.yaml", "max_length": 8192,
        "student_model": "meta-llama/Llama-3.1-8B-Instruct", "documents": "data/documents", "chunk_chars": 1000, "p_overlap": 0.1,
        "questions_per_chunk": 5, "n_distractors": 4, "p_refusal": 0.05, "p_valid": 0.05, "p_test": 0.1, "hosts": ["alpha", "beta"],
    }  # fmt: skip
    rows = plan(p, root=tmp_path)
    assert [row["value"] for row in rows if "machine" in row["item"]] == ["alpha", "beta"]
    assert any(row["note"].endswith("/x 1") and row["value"] == "beta" for row in rows)
    assert any(row["note"].startswith("sbatch --nodes=2 --gpus-per-node=8 parameters/launchers/slurm.sh") for row in rows)
    assert {row["item"] for row in rows if row["item"].startswith("memory ")} == {
        "memory without ZeRO", "memory ZeRO-2", "memory ZeRO-3", "memory ZeRO-3, offloaded",
    }  # fmt: skip
    with pytest.raises(BadInput, match="hosts: "):
        plan(p | {"hosts": []}, root=tmp_path)


@pytest.mark.parametrize("name", ["QA-chatbot-LoRA-2gpu", "QA-chatbot-QLoRA-1gpu"])
def test_the_plan_of_closed_book_pairs_counts_pairs_and_no_passages(name, tmp_path):
    given = yaml.safe_load(Path(f"parameters/{name}.yaml").read_text(encoding="utf-8"))
    p = {parameter.name: parameter.default for declared in read_all().values() for parameter in declared} | given
    rows = {row["item"]: row for row in plan(p, root=tmp_path)}
    assert rows["rows to train on"]["value"] == given["question_budget"]
    assert rows["longest row"]["value"] < given["max_length"]
    assert "DOES NOT FIT" not in rows["rows to train on"]["note"]


@pytest.mark.parametrize("packing", [False, True])
def test_the_plan_of_a_finished_dataset_foretells_its_tokens_and_steps(tokenizer, student_files, tmp_path, packing):
    made = make_rows(700)
    for row in made[::2]:
        row["messages"][0]["content"] = "Berth?"
    made[13]["messages"][0]["content"] += "?" * 100  # the longest says nothing about the others
    write_jsonl(tmp_path / "x" / "dataset" / "train.jsonl", made)
    rows = encode_rows(made, tokenizer, frozenset({1}))
    chosen = BASICS | {"epochs": 2.0, "packing": packing}
    config = build_config(Settings(**chosen), Launcher.load(CPU), student_files, rows, [], length=256)
    p = chosen | {"run": "x", "backend": "local", "launcher": CPU, "max_length": 256, "tuning": "full", "student_model": str(student_files)}
    told = {row["item"]: row for row in plan(p, root=tmp_path)}
    assert told["training tokens"]["value"] == pytest.approx(config["tokens_by_step"][-1], rel=0.05)
    assert told["steps"]["value"] == pytest.approx(config["steps"], rel=0.05)
    assert told["longest row"]["value"] == pytest.approx(max(map(len, rows)), rel=0.05)
    assert "student's tokenizer" in told["rows to train on"]["note"]
    told = {row["item"]: row for row in plan(p | {"student_model": "meta-llama/Llama-3.1-8B"}, root=tmp_path)}
    assert "4 characters each" in told["rows to train on"]["note"]


def test_the_plan_of_summaries_counts_sections_and_turns_and_no_distractors(tmp_path):
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "one.txt").write_text("x" * 100_000)
    (tmp_path / "talks.jsonl").write_text("".join(f'{{"conversations": [{{"from": "human", "value": "Why {i}?"}}]}}\n' for i in range(7)))
    p = {parameter.name: parameter.default for declared in read_all().values() for parameter in declared}
    p |= {"recipe": "summaries", "documents": str(tmp_path / "books"), "chunk_chars": 4000, "p_overlap": 0.0, "p_valid": 0.0}
    p |= {"student_model": "meta-llama/Llama-3.1-8B-Instruct", "epochs": 1.0}
    for talks, n in (("", 25), (str(tmp_path / "talks.jsonl"), 32)):
        rows = {row["item"]: row["value"] for row in plan(p | {"conversations": talks}, root=tmp_path)}
        assert rows["rows to train on"] == n and 1000 < rows["longest row"] < 1500  # a section, its summary, and no other section
        assert 25 * 1000 < rows["training tokens"] < 40_000


def test_the_plan_takes_what_1_gen_foretells_and_waits_for_pages_that_are_not_fetched(tmp_path):
    p = {parameter.name: parameter.default for declared in read_all().values() for parameter in declared}
    told = {"training rows": 70, "usual row": 300, "longest row": 500}
    rows = {row["item"]: row for row in plan(p | {"foretold": told}, root=tmp_path)}
    assert (rows["rows to train on"]["value"], rows["longest row"]["value"]) == (70, 500)
    assert rows["training tokens"]["value"] == 500 + 69 * 300
    for backend in ("local", "openai"):
        unknown = p | {"documents": "https://example.org/sitemap.xml", "backend": backend}
        [row] = plan(unknown, root=tmp_path)
        assert row["value"] == "?" and "fetched" in row["note"]
        assert plan(unknown | {"documents": "map.xml", "foretold": {"pages": 9}}, root=tmp_path) == [row]


def test_an_adapter_that_is_trained_further_keeps_its_own_shape(tmp_path):
    (tmp_path / "adapter_config.json").write_text('{"r": 64, "lora_alpha": 128, "lora_dropout": 0.1}')
    chosen = read_settings(BASICS | {"tuning": "lora", "adapter": str(tmp_path), "lora_rank": 16})
    assert (chosen.lora_rank, chosen.lora_alpha, chosen.lora_dropout) == (64, 128, 0.1)


def test_the_best_weights_need_a_look_before_the_end(tokenizer, student_files):
    rows = encode_rows(make_rows(24), tokenizer, frozenset({1}))  # two steps of eight rows, and eight held out
    for steps in (2, 3):
        chosen = Settings(**BASICS | {"keep": "best", "eval_steps": steps, "save_steps": steps})
        if steps == 2:
            build_config(chosen, Launcher.load(CPU), student_files, rows[:16], rows[16:])
            continue
        with pytest.raises(BadInput, match="never looks in 2 steps"):
            build_config(chosen, Launcher.load(CPU), student_files, rows[:16], rows[16:])


def test_a_part_of_an_epoch_that_is_no_row_is_refused(tokenizer, student_files, tmp_path):
    rows = encode_rows(make_rows(9), tokenizer, frozenset({1}))
    with pytest.raises(BadInput, match="0.01 of 9 rows is not one row"):
        build_config(Settings(**BASICS | {"epochs": 0.01}), Launcher.load(CPU), student_files, rows, [])
    p = {parameter.name: parameter.default for declared in read_all().values() for parameter in declared}
    with pytest.raises(BadInput, match="is not one row"):
        plan(p | {"epochs": 0.0001}, root=tmp_path)


def test_a_launcher_of_another_precision_is_refused_and_not_trained_in_fp32(tmp_path):
    config = Path("parameters/launchers/gpu1_plain.yaml").read_text(encoding="utf-8")
    for word in ("fp16", "fp8"):
        (tmp_path / "own.yaml").write_text(config.replace("mixed_precision: bf16", f"mixed_precision: {word}"))
        with pytest.raises(BadInput, match=f"expected bf16 or no; found {word}"):
            Launcher.load(tmp_path / "own.yaml")
    (tmp_path / "own.yaml").write_text(config.replace("mixed_precision: bf16", "mixed_precision: no"))
    assert Launcher.load(tmp_path / "own.yaml").precision == "fp32"


@pytest.mark.smoke
def test_a_resumed_training_remembers_how_often_its_loss_did_not_fall(tokenizer, student_folder, tmp_path):
    import torch
    from transformers import EarlyStoppingCallback, Trainer

    from lib.finetune.train import build_arguments

    rows = encode_rows(make_rows(32), tokenizer, frozenset({1}))
    chosen = BASICS | {"eval_steps": 2, "keep": "best", "early_stop": 3}
    config = build_config(Settings(**chosen), Launcher.load(CPU), student_folder, rows, rows)
    arguments = build_arguments(config, tmp_path, on_gpu=False, bf16=False)
    first, again = (Trainer(torch.nn.Linear(1, 1), arguments, eval_dataset=[0], callbacks=[EarlyStoppingCallback(3)]) for _ in range(2))
    [stopping] = [held for held in first.callback_handler.callbacks if isinstance(held, EarlyStoppingCallback)]
    stopping.early_stopping_patience_counter = 2
    again.state.stateful_callbacks = {"EarlyStoppingCallback": stopping.state(), "TrainerControl": first.control.state()}
    again._load_callback_state()  # what a Trainer does with a checkpoint's trainer_state.json
    [stopping] = [held for held in again.callback_handler.callbacks if isinstance(held, EarlyStoppingCallback)]
    assert stopping.early_stopping_patience_counter == 2
