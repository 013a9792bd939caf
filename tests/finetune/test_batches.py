"""Batches: what is packed together is not seen together, and nothing in the loss is lost on the way."""

import pytest

from lib.finetune.batches import Collator, check_packing, load_dataset
from lib.finetune.checkpoints import Log, check_kept, rows_seen
from lib.finetune.rows import encode_rows, save_rows
from lib.finetune.weights import choose_attention

from .tiny import make_rows

pytestmark = pytest.mark.smoke  # torch takes seconds to load

STOPS = frozenset({1})


@pytest.fixture
def examples(tmp_path, tokenizer):
    """Rows as the trainer sees them, unpacked."""
    rows = encode_rows(make_rows(6), tokenizer, STOPS)
    return list(load_dataset(save_rows(tmp_path / "rows.npz", rows), list(range(6)))[1])


@pytest.fixture(scope="module")
def model(student_folder):
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(student_folder)


def test_a_packed_row_has_the_logits_that_it_has_alone(model, examples):
    assert check_packing(model, Collator(2, packing=True), examples[:3], "cpu") < 1e-5


def test_rows_that_see_each_other_stop_the_training(model, examples):
    import torch

    class Careless(torch.nn.Module):
        """An attention that takes a packed sequence for one row, as some do."""

        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, input_ids, position_ids, **more):
            return self.inner(input_ids=input_ids, position_ids=torch.arange(input_ids.shape[1])[None], **more)

    with pytest.raises(RuntimeError, match="packed rows see each other"):
        check_packing(Careless(), Collator(2, packing=True), examples[:2], "cpu")


def test_the_loss_of_packed_rows_is_that_of_padded_ones(model, examples, tmp_path, tokenizer):
    import torch

    rows = encode_rows(make_rows(6), tokenizer, STOPS)
    _, packed = load_dataset(save_rows(tmp_path / "packed.npz", rows), [[0, 1, 2], [3, 4], [5]])
    collator = Collator(2, packing=True)
    batches = collator(list(packed)), Collator(2)(examples)
    assert collator.seen == set(range(6))
    assert "attention_mask" not in batches[0]

    def loss(batch):
        labels = batch.pop("labels")
        logits = model(**batch, use_cache=False).logits[:, :-1]
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100, reduction="sum")

    with torch.no_grad():
        assert loss(batches[0]).item() == pytest.approx(loss(batches[1]).item(), rel=1e-5)


def test_flash_attention_gets_the_batch_as_one_sequence_with_the_rows_borders(examples, tmp_path, tokenizer):
    rows = encode_rows(make_rows(4), tokenizer, STOPS)
    _, packed = load_dataset(save_rows(tmp_path / "packed.npz", rows), [[0, 1], [2, 3]])
    batch = Collator(2, packing=True, flash=True)(list(packed))
    assert batch["input_ids"].shape == (1, sum(map(len, rows)))
    assert batch["cu_seq_lens_q"].tolist() == [0, *(sum(map(len, rows[: i + 1])) for i in range(4))]


def test_attention_is_chosen_with_its_reason(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert choose_attention("auto", bf16=True) == ("sdpa", "flash attention is not installed")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert choose_attention("auto", bf16=True)[0] == "flash_attention_2"
    assert choose_attention("auto", bf16=False)[0] == "sdpa"
    assert choose_attention("eager", bf16=True)[0] == "eager"


def test_a_row_that_is_not_trained_is_an_error():
    check_kept(7, 7)
    with pytest.raises(RuntimeError, match="rows lost: 7 went into the trainer, 6"):
        check_kept(7, 6)


def test_rows_seen_by_processes_that_are_no_more_are_not_forgotten(tmp_path):
    for process, rows in enumerate(([0, 2], [1, 3], [4])):
        (tmp_path / f"rows-{process}.json").write_text(str(rows))
    assert rows_seen(tmp_path, 0) | rows_seen(tmp_path, 1) == {0, 1, 2, 3, 4}
    assert rows_seen(tmp_path, 7) == set()


def test_a_log_goes_back_to_its_checkpoint(tmp_path):
    log = Log(tmp_path / "log.jsonl", [10, 20, 30, 40], None)
    for step in (1, 2, 3):
        log.add(step, {"loss": 1.0 / step})
    log.add(2, {"valid_loss": 0.4})
    checkpoint = tmp_path / "checkpoint-2"
    checkpoint.mkdir()
    (checkpoint / "trainer_state.json").write_text('{"global_step": 2}')
    again = Log(tmp_path / "log.jsonl", [10, 20, 30, 40], checkpoint)
    assert [(line["step"], "valid_loss" in line) for line in again.lines] == [(1, False), (2, False), (2, True)]
    assert again.seconds() >= again.lines[-1]["seconds"]


def test_only_positions_in_the_loss_are_scored_and_their_loss_is_the_plain_one(model, examples):
    """TRL's fused loss on a CPU, by the way it is set up here, against cross-entropy over all positions."""
    import copy

    import torch
    from trl.trainer import utils

    from lib.finetune import weights

    before = utils._use_triton
    try:
        weights.score_learnt_positions()
        fused = copy.deepcopy(model)
        utils.add_fused_lm_head(fused)
        batch = Collator(2)(examples)
        labels, scored = batch["labels"], []
        apply = utils._ChunkedLogProbFunction.apply
        utils._ChunkedLogProbFunction.apply = lambda hidden, *rest: scored.append(len(hidden)) or apply(hidden, *rest)
        try:
            found = fused(**batch, fused_lm_head=True)
        finally:
            utils._ChunkedLogProbFunction.apply = apply
    finally:
        utils._use_triton = before
    plain = model(**{**batch, "labels": labels}).loss
    assert scored == [int((labels[:, 1:] != -100).sum())]
    assert found.loss.item() == pytest.approx(plain.item(), rel=1e-5)
    assert torch.all(found.log_probs[labels[:, 1:] == -100] == 0)


def test_a_tracker_writes_what_it_holds_before_the_process_ends(monkeypatch):
    import sys
    from types import SimpleNamespace

    from lib.finetune.train import close_tracker

    finished, open_run = [], SimpleNamespace(current_run=SimpleNamespace(get=object))
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(run=object(), finish=lambda: finished.append("wandb")))
    monkeypatch.setitem(sys.modules, "trackio", SimpleNamespace(context_vars=open_run, finish=lambda: finished.append("trackio")))
    for name in ("none", "wandb", "trackio"):
        close_tracker(name)
    assert finished == ["wandb", "trackio"]


def test_after_a_universal_checkpoint_each_group_counts_its_own_steps_and_norms_do_not_decay():
    import torch

    from lib.finetune.train import mend_optimizer

    weight, norm = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = torch.optim.AdamW([{"params": [weight], "weight_decay": 0.1}, {"params": [norm], "weight_decay": 0.1}])
    shared = torch.tensor(6.0)
    for p in (weight, norm):
        optimizer.state[p] = {"step": shared, "exp_avg": torch.zeros(2), "exp_avg_sq": torch.zeros(2)}
        p.grad = torch.ones(2)
    mend_optimizer(optimizer, 0.1)
    optimizer.step()
    assert [optimizer.state[p]["step"].item() for p in (weight, norm)] == [7.0, 7.0]
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.1, 0.0]
