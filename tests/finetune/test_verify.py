"""Verification: every way in which a saved model is not what was trained is found."""

import shutil

import pytest

from lib.finetune.verify import compare_tokenizer, compare_weights


@pytest.fixture
def saved(student_files, tmp_path):
    """A copy of the student in which every parameter moved."""
    folder = shutil.copytree(student_files, tmp_path / "model")
    rewrite(folder, lambda tensors: {name: tensor + 0.01 for name, tensor in tensors.items()})
    return folder


def load_file(path):
    from safetensors.torch import load_file

    return load_file(path)


def rewrite(folder, change):
    from safetensors.torch import save_file

    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", metadata={"format": "pt"})


def failing(student_files, saved):
    return [check.check for check in compare_weights(student_files, saved, "fp32") if not check.holds]


def test_a_good_model_passes(student_files, saved):
    assert failing(student_files, saved) == []


def test_weights_that_were_not_gathered_are_found(student_files, saved):
    import torch


    # What ZeRO-3 leaves in each process when nothing is gathered: the names, and no numbers.
    rewrite(saved, lambda tensors: {name: torch.empty(0) for name in tensors})
    assert "shapes equal the source's" in failing(student_files, saved)


def test_a_tensor_that_is_missing_is_found(student_files, saved):
    rewrite(saved, lambda tensors: {name: tensors[name] for name in list(tensors)[1:]})
    assert "tensor names equal the source's" in failing(student_files, saved)


def test_a_parameter_that_did_not_move_is_found(student_files, saved):
    before = load_file(student_files / "model.safetensors")
    rewrite(saved, lambda tensors: tensors | {"model.norm.weight": before["model.norm.weight"]})
    assert failing(student_files, saved) == ["every parameter moved"]


def test_another_dtype_is_found(student_files, saved):
    rewrite(saved, lambda tensors: {name: tensor.bfloat16() for name, tensor in tensors.items()})
    assert "stored as trained, in fp32" in failing(student_files, saved)


def test_a_number_that_is_not_finite_is_found(student_files, saved):
    rewrite(saved, lambda tensors: tensors | {"model.norm.weight": tensors["model.norm.weight"] * float("nan")})
    assert "every number is finite" in failing(student_files, saved)


def test_a_lost_chat_template_and_other_prompt_ids_are_found(student_files, saved, tokenizer):
    messages = [{"role": "user", "content": "Berth 1?"}]
    ids = tokenizer.apply_chat_template(messages, add_generation_prompt=True, return_dict=False)
    assert all(
        check.holds for check in compare_tokenizer(student_files, saved, [{"messages": messages, "prompt_ids": ids}])
    )
    (saved / "chat_template.jinja").write_text("{% for m in messages %}{{ m.content }}{% endfor %}")
    found = [
        check.check
        for check in compare_tokenizer(student_files, saved, [{"messages": messages, "prompt_ids": ids}])
        if not check.holds
    ]
    assert found == ["chat template present", "prompt ids equal training's"]
