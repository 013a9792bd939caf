"""Saved adapters: every way in which one is not what was trained is found."""

import pytest

from lib.finetune.adapter import base_hashes, check_base, compare_adapter
from lib.run import BadInput, read_json, write_json

pytestmark = pytest.mark.smoke  # torch takes seconds to load

RANK, WIDTH = 4, 8
NAME = "base_model.model.model.layers.{}.self_attn.q_proj.lora_{}.weight"


@pytest.fixture
def config(tmp_path):
    (tmp_path / "student").mkdir()
    (tmp_path / "student" / "model.safetensors").write_bytes(b"weights")
    return {"tuning": "lora", "source": str(tmp_path / "student"), "student_model": "data/student"}


@pytest.fixture
def folder(tmp_path, config):
    """An adapter of two maps, as PEFT names and shapes it."""
    import torch

    write(tmp_path, {NAME.format(i, half): torch.ones(shape) for i in range(2) for half, shape in HALVES.items()})
    write_json(tmp_path / "adapter_config.json", {"r": RANK, "base_model_name_or_path": "data/student"})
    write_json(tmp_path / "base.json", {"student_model": "data/student", "weights_sha256": base_hashes(tmp_path / "student")})
    return tmp_path


HALVES = {"A": (RANK, WIDTH), "B": (WIDTH, RANK)}
N = 2 * 2 * RANK * WIDTH


def write(folder, tensors):
    from safetensors.torch import save_file

    save_file(tensors, folder / "adapter_model.safetensors")


def change(folder, how):
    from safetensors.torch import load_file

    write(folder, how(load_file(folder / "adapter_model.safetensors")))


def failing(config, folder):
    return [check.check for check in compare_adapter(config, folder, N) if not check.holds]


def test_a_good_adapter_passes(config, folder):
    assert failing(config, folder) == []


@pytest.mark.parametrize(
    ("how", "found"),
    [
        (lambda tensors: {name: t for name, t in tensors.items() if name != NAME.format(1, "B")}, "every map has both its halves"),
        (lambda tensors: tensors | {NAME.format(1, "B"): 0 * tensors[NAME.format(1, "B")]}, "every map moved"),
        (lambda tensors: tensors | {NAME.format(0, "A"): tensors[NAME.format(0, "A")] * float("nan")}, "every number is finite"),
        (lambda tensors: tensors | {NAME.format(0, "A"): tensors[NAME.format(0, "A")][:0]}, "every map has its rank"),
        (lambda tensors: {NAME.format(0, half): tensors[NAME.format(0, half)] for half in HALVES}, "all trained parameters are saved"),
    ],
)
def test_an_adapter_that_is_not_whole_is_found(config, folder, how, found):
    change(folder, how)
    assert found in failing(config, folder)


def test_an_adapter_that_names_another_base_is_found(config, folder):
    write_json(folder / "adapter_config.json", {"r": RANK, "base_model_name_or_path": "/tmp/snapshot"})
    assert failing(config, folder) == ["adapter names its base"]


def test_an_adapter_whose_base_was_changed_is_found_and_not_trained_further(config, folder):
    check_base(str(folder), folder / "student")
    (folder / "student" / "model.safetensors").write_bytes(b"other weights")
    assert failing(config, folder) == ["adapter's base has the source's weights"]
    with pytest.raises(BadInput, match="other weights"):
        check_base(str(folder), folder / "student")


def test_an_adapter_from_elsewhere_may_say_nothing_of_its_base(tmp_path, config):
    check_base("", tmp_path / "student")
    write_json(tmp_path / "adapter_config.json", {"r": RANK})
    check_base(str(tmp_path), tmp_path / "student")
    assert read_json(tmp_path / "adapter_config.json") == {"r": RANK}
