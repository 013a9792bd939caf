"""Who gets which GPU: apart where there are enough, side by side where they fit, in turn where they do not."""

import random

import pytest

from lib.deploy.place import USABLE, Need, Place, place, server_bytes, visible_gpus
from lib.deploy.turns import place_groups
from lib.run import BadInput

G = 1e9


def test_servers_get_gpus_of_their_own_where_there_are_enough():
    turns = place([Need("student", 2, 30 * G), Need("baseline", 2, 30 * G)], [80 * G] * 4)
    assert turns == [{"student": Place((0, 1), 0.9), "baseline": Place((2, 3), 0.9)}]


def test_two_that_fit_share_one_gpu_in_proportion_to_what_they_need():
    turns = place([Need("student", 1, 20 * G), Need("judge", 1, 40 * G)], [80 * G])
    assert turns == [{"student": Place((0,), 0.3), "judge": Place((0,), 0.6)}]


def test_two_that_do_not_fit_are_served_one_after_the_other():
    turns = place([Need("student", 1, 50 * G), Need("baseline", 1, 50 * G)], [80 * G])
    assert turns == [{"student": Place((0,), 0.9)}, {"baseline": Place((0,), 0.9)}]


def test_a_model_of_unknown_size_gets_its_gpu_alone():
    assert [list(turn) for turn in place([Need("a", 1, 0), Need("b", 1, 0)], [80 * G])] == [["a"], ["b"]]


def test_what_others_hold_is_not_given_away():
    assert place([Need("judge", 1, 40 * G)], [80 * G, 80 * G], taken={0: 72 * G})[0]["judge"].devices == (1,)
    assert place([Need("judge", 1, 40 * G)], [80 * G], taken={0: 72 * G})[0] == {}


@pytest.mark.parametrize("sharing", ["auto", "in_turn"])
def test_no_gpu_is_ever_promised_twice_and_nobody_is_forgotten(sharing):
    rng = random.Random(7)
    for _ in range(200):
        memory = [rng.choice([24, 48, 80]) * G] * rng.randint(1, 8)
        needs = [
            Need(f"s{i}", rng.randint(1, len(memory)), rng.choice([0, 0.2, 0.4, 0.8]) * memory[0]) for i in range(rng.randint(1, 5))
        ]
        turns = place(needs, memory, sharing=sharing)
        assert sorted(name for turn in turns for name in turn) == sorted(need.name for need in needs)
        for turn in turns:
            for device in range(len(memory)):
                assert sum(p.share for p in turn.values() if device in p.devices) <= USABLE + 1e-9
            for need in needs:
                if need.name in turn:
                    assert len(set(turn[need.name].devices)) == need.n_gpus
                    assert turn[need.name].share * memory[0] >= need.size_bytes - 0.01 * memory[0]
        assert sharing == "auto" or all(len(turn) == 1 for turn in turns)


def test_what_fits_nowhere_says_what_would_help():
    with pytest.raises(BadInput, match=r"student needs about 140\.0 GB.*raise tensor_parallel, set quantization"):
        place([Need("student", 1, 140 * G)], [80 * G])
    with pytest.raises(BadInput, match="wants 4 GPUs and this machine has 2"):
        place([Need("student", 4, 1 * G)], [80 * G] * 2)


def test_quantised_weights_need_less_and_more_gpus_need_less_each():
    whole = server_bytes(16 * G, 0, 1)
    assert server_bytes(16 * G, 0, 1, quantization="bitsandbytes") < server_bytes(16 * G, 0, 1, quantization="fp8") < whole
    assert server_bytes(16 * G, 0, 4) < whole
    assert server_bytes(0, 5 * G, 1) == 0


def test_a_judge_of_this_machine_is_not_forgotten_beside_models_of_several_nodes():
    def group(system, hosts):
        return [{"system": system, "hosts": hosts, "base_path": "a/b", "tensor_parallel": 1, "pipeline_parallel": 1, "quantization": "", "max_model_len": 9}]

    groups = [group("student", ["a", "b"]), group("judge", []), group("baseline", ["a", "b"])]
    turns = place_groups(groups, {"0": 80 * G}, sharing="auto")
    assert [list(turn) for turn in turns] == [["student"], ["baseline"], ["judge"]]
    assert turns[2]["judge"].devices == (0,)


def test_a_scheduler_that_hides_gpus_is_obeyed(monkeypatch):
    monkeypatch.setattr("lib.deploy.place.gpu_memory", lambda: [10.0, 20.0, 30.0, 40.0])
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": "2,0"}) == {"2": 30.0, "0": 10.0}
    assert visible_gpus({"CUDA_VISIBLE_DEVICES": ""}) == {}
    assert len(visible_gpus({})) == 4
