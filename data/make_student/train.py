"""Makes the tiny student: a tokenizer and a small Llama, trained on one CPU core from invented text only.

    python -m make_student.train --out student --minutes 50 --seed 1        (run in `data/`)

In: nothing but the seed. Out: a directory that `AutoModelForCausalLM.from_pretrained` and vLLM load. The passages of
an exercise are read once and all its questions hang off them as branches that do not see each other (an attention mask
and restarted positions), so a branch is computed exactly as a conversation of its own would be.
"""

import argparse
import json
import math
import os
import pathlib
import random
import time

import torch
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

from make_student.branches import branch_mask, use
from make_student.freeform import draw_freeform
from make_student.invent import Ask, Exercise, draw_exercise, show_passages
from make_student.model import BOS, END, ROLES, TAGS, build_model, build_tokenizer, carry_over, save


def encode(exercise: Exercise, tokenizer) -> tuple[list[int], list[tuple[list[int], list[int]]]]:
    """Tokens of the shared start, and of each branch (question with the chat tokens, reply with its end)."""
    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    shown = BOS + ROLES[1] + show_passages(exercise.passages)
    start = ids(shown.removesuffix("\n"))  # a text is cut at tags only, or its words would be cut otherwise than in one piece
    gap = "\n" if shown.endswith("\n") else ""
    branches = [(ids(gap + ask.question + END + ROLES[2]), ids(ask.reply + END)) for ask in exercise.asks]
    return start, branches


def cut_reply(reply: list[int], tokenizer) -> list[int]:
    """A reply up to the third token of its quote: which line is decided by then, and the rest is copying."""
    mark = tokenizer.convert_tokens_to_ids("##begin_quote##")
    return reply[:reply.index(mark) + 4] if mark in reply else reply


def wants_answer(reply: list[int], tokenizer) -> bool:
    """Whether a reply quotes for an answer; else it only finds a line."""
    quotes, answers = (tokenizer.convert_tokens_to_ids(tag) in reply for tag in ("##begin_quote##", "<ANSWER>:"))
    return answers or not quotes


def deciding(reply: list[int], marks: tuple[int, int]) -> list[int]:
    """Places in a reply where something is decided: refuse or not, which line, which part of it. The rest is copying."""
    places = [0]
    for mark, n in zip(marks, (3, 2), strict=True):
        if mark in reply:
            at = reply.index(mark)
            places += [place for place in range(at + 1, at + 1 + n) if place < len(reply)]
    return places


def collate(rows: list, pad: int, marks: tuple[int, int], rng: random.Random, deciding_weight: float = 2.0,
            copied_share: float = 1.0) -> tuple[torch.Tensor, ...]:
    """Lay rows out as `branches` wants them; learn from a share of the copied tokens, and weigh the deciding ones.

    Returns:
        ids and positions (rows, length); mask (rows, 1, length, length); targets (rows, length): the next token where it
        belongs to a reply and is learnt from, -100 elsewhere; weights (rows, length) of those tokens in the loss.
    """
    length = max(size_of(row) for row in rows)
    ids = torch.full((len(rows), length), pad)
    positions = torch.zeros_like(ids)
    owner = torch.full_like(ids, -1)
    targets = torch.full_like(ids, -100)
    weights = torch.ones(ids.shape)
    for row, (start, branches) in enumerate(rows):
        at = len(start)
        ids[row, :at], positions[row, :at], owner[row, :at] = torch.tensor(start), torch.arange(at), 0
        for number, (question, reply) in enumerate(branches, 1):
            end = at + len(question) + len(reply)
            ids[row, at:end] = torch.tensor(question + reply)
            positions[row, at:end] = torch.arange(len(start), len(start) + end - at)
            owner[row, at:end] = number
            first = at + len(question) - 1
            places = deciding(reply, marks)
            weights[row, first + torch.tensor(places)] = deciding_weight
            if reply[0] == marks[0]:  # finding random tokens: the first says which line
                weights[row, first + 1] = 8.0
            for place in {*places, *(place for place in range(len(reply)) if rng.random() < copied_share)}:
                targets[row, first + place] = reply[place]
            at = end
    return ids, positions, branch_mask(owner), targets, weights


def size_of(row: tuple) -> int:
    """Tokens of a row, without padding."""
    return len(row[0]) + sum(len(question) + len(reply) for question, reply in row[1])


def draw_rows(rng: random.Random, tokenizer, n_tokens: int, level: float, p_free: float = 0.0, p_refuse: float = 0.2,
              p_story: float = 0.0, n_asks: int = 5, n_cues: int = 0, p_join: float = 0.0, cut_share: float = 0.0) -> list:
    """Invent exercises until a batch of about `n_tokens` is full; `level` in [0, 1] goes from one short passage to 1-5."""
    rows, size = [], 0
    high = int(110 + 290 * min(1, level))
    while size < n_tokens:
        n_passages = 1 if level < 0.15 else rng.choice((1, 2, 3)) if level < 1 else rng.choice((1, 2, 3, 3, 3, 4, 5))
        shape = {"n_passages": n_passages, "low": int(high * 0.6), "high": high, "n_asks": n_asks,
                 "p_refuse": p_refuse if level > 0.15 else 0.1}
        if rng.random() < p_free:
            passages, asks = draw_freeform(rng, **shape)
            exercise = Exercise(passages, [Ask(*asked) for asked in asks])
        else:
            exercise = draw_exercise(rng, **shape, p_story=p_story, n_cues=n_cues, p_join=p_join)
        if rng.random() < 0.01:  # closed book: the same questions with nothing shown are refused
            exercise = Exercise([], [Ask(ask.question) for ask in exercise.asks[:2]])
        start, branches = encode(exercise, tokenizer)
        branches = [(question, reply if wants_answer(reply, tokenizer) and rng.random() >= cut_share else cut_reply(reply, tokenizer))
                    for question, reply in branches]
        if branches:
            rows.append((start, branches))
            size += len(start) + sum(len(q) + len(r) for q, r in branches)
    return rows


def draw_search(rng: random.Random, tokenizer, n_lines: int, repeats: bool = False) -> tuple[list[int], list[tuple[list[int], list[int]]]]:
    """A passage of random tokens in lines; each branch names some tokens of one line and quotes that line.

    With `repeats` the lines share few tokens, which come again and again as in any language, and have a few of their own to be told by.
    """
    tokens, newline = range(300, len(tokenizer) - len(TAGS)), tokenizer.convert_tokens_to_ids("Ċ")
    opened, closed, begin, end = (tokenizer.convert_tokens_to_ids(tag) for tag in TAGS[:4])
    if repeats:
        shared = rng.sample(range(20, len(tokenizer) - len(TAGS)), rng.randint(6, 40))
        own = [rng.sample(tokens, rng.randint(2, 4)) for _ in range(n_lines)]
        lines = [words + rng.choices(shared, k=rng.randint(4, 22)) for words in own]
        for line in lines:
            rng.shuffle(line)
    else:
        own = lines = [rng.sample(tokens, rng.randint(5, 12)) for _ in range(n_lines)]
    start = [tokenizer.bos_token_id, tokenizer.convert_tokens_to_ids(ROLES[1]), opened]
    for line in lines:
        start += [*line, newline]
    branches = []
    for number in rng.sample(range(n_lines), min(n_lines, 4)):
        asked = rng.sample(own[number], rng.randint(2, min(4, len(own[number]))))
        branches.append(([*asked, tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(ROLES[2])], [begin, *lines[number], end]))
    return [*start, closed, newline], branches


def draw_level(rng: random.Random, share: float, ramp: float, levels: list[float], *, goes_on: bool) -> float:
    """How long the passages are, 0 to 1, mixed within `levels`; in a first run the upper end grows over `ramp` of the time."""
    low, high = levels
    return rng.uniform(low, high) if goes_on else rng.uniform(0, high * min(1, share / ramp))


def draw_lesson(rng: random.Random, tokenizer, n_tokens: int, level: float, *, step: int, search_steps: int, p_free: float,
                p_refuse: float, p_story: float, n_asks: int, n_cues: int, p_join: float, cut_share: float) -> list:
    """Rows of one step: copying, then finding, of random tokens in the first `search_steps`; later mostly reading."""
    if step < search_steps:
        return [draw_search(rng, tokenizer, rng.randint(2, 8), rng.random() < 0.5) for _ in range(12)]
    if rng.random() < 0.2:
        return [draw_search(rng, tokenizer, rng.randint(2, 10), rng.random() < 0.7) for _ in range(8)]
    return draw_rows(rng, tokenizer, n_tokens, level, p_free, p_refuse, p_story, n_asks, n_cues, p_join, cut_share)


def draw_batches(rng: random.Random, n_steps: int, draw) -> list:
    """Rows of `n_steps` steps, cut into batches of equal tokens and like lengths, so that little is padding."""
    rows = sorted((row for _ in range(n_steps) for row in draw()), key=size_of)
    total, batches, size = sum(map(size_of, rows)), [[]], 0
    for row in rows:
        if size > total / n_steps and len(batches) < n_steps:
            batches.append([])
            size = 0
        batches[-1].append(row)
        size += size_of(row)
    rng.shuffle(batches)
    return batches


def build_optimizers(model, peak_lr: float, matrix_lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the layers, AdamW for embeddings and norms; each group keeps its peak in `peak_lr`."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "layers" in name] if matrix_lr else []
    chosen = {id(p) for p in matrices}
    others = [p for p in model.parameters() if id(p) not in chosen]
    optimizers = [torch.optim.AdamW(others, lr=peak_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)]
    if matrices:
        optimizers.append(torch.optim.Muon(matrices, lr=matrix_lr, weight_decay=0.0))
    for optimizer, peak in zip(optimizers, (peak_lr, matrix_lr), strict=False):
        for group in optimizer.param_groups:
            group["peak_lr"] = peak
    return optimizers


def average_gradients(model, n_processes: int) -> None:
    """Make the gradients of all processes their mean."""
    gradients = [p.grad for p in model.parameters()]
    flat = torch.cat([g.flatten() for g in gradients])
    torch.distributed.all_reduce(flat)
    for gradient, mean in zip(gradients, (flat / n_processes).split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))


def train(out: pathlib.Path, *, minutes: float, seed: int, vocab_size: int,
          peak_lr: float, matrix_lr: float, batch_tokens: int, start: str, search_steps: int, ramp: float, hold: float, p_free: float,
          p_refuse: float, p_story: float, n_asks: int, n_cues: int, p_join: float, cut_share: float, levels: list[float], deciding_weight: float, copied_share: float) -> None:
    """Train until the time is over: curriculum over the first `ramp` of it, learning rate warmed up, held, then decayed to nothing."""
    torch.set_num_threads(1)
    rank, n_processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if n_processes > 1:
        torch.distributed.init_process_group("gloo")
    if start:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(start)
        model = LlamaForCausalLM.from_pretrained(start, dtype=torch.float32)
        if vocab_size and vocab_size != len(tokenizer):
            old, tokenizer = tokenizer, build_tokenizer(random.Random(f"tokenizer {seed}"), vocab_size)
            carry_over(model, old, tokenizer)
    else:
        tokenizer = build_tokenizer(random.Random(f"tokenizer {seed}"), vocab_size or 8192)
        model = build_model(tokenizer, seed)
    if rank == 0:
        print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(tokenizer)} tokens in the vocabulary", flush=True)
    rng = random.Random(f"train {seed} {bool(start)} {rank}")
    optimizers = build_optimizers(model, peak_lr, matrix_lr)
    began, step, seen, losses, decided, saved, batches = time.time(), 0, 0, [], [], time.time(), []
    marks = tuple(tokenizer.convert_tokens_to_ids(tag) for tag in ("##begin_quote##", "<ANSWER>:"))
    use(model)
    model.train()
    share = torch.zeros(1)
    while True:
        share[0] = (time.time() - began) / 60 / minutes
        if n_processes > 1:
            torch.distributed.broadcast(share, 0)  # all stop at the same step
        if share >= 1:
            break
        done = float(share)
        factor = min(1, (step + 1) / 50) * (1 if done < hold else 0.5 + 0.5 * math.cos(math.pi * (done - hold) / (1 - hold)))
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = group["peak_lr"] * factor
        if not batches:
            batches = draw_batches(rng, 1 if step < search_steps else 8, lambda step=step, done=done: draw_lesson(
                rng, tokenizer, batch_tokens, draw_level(rng, done, ramp, levels, goes_on=bool(start)), step=step,
                search_steps=search_steps, p_free=p_free, p_refuse=p_refuse, p_story=p_story, n_asks=n_asks, n_cues=n_cues, p_join=p_join, cut_share=cut_share))
        ids, positions, mask, targets, weights = collate(
            batches.pop(), tokenizer.pad_token_id, marks, rng, deciding_weight, copied_share)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = model.model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False)[0]
            wanted = targets >= 0
            logits = model.lm_head(hidden[wanted])
        each = torch.nn.functional.cross_entropy(logits.float(), targets[wanted], reduction="none")
        loss = (each * weights[wanted]).sum() / weights[wanted].sum()
        loss.backward()
        if n_processes > 1:
            average_gradients(model, n_processes)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step, seen = step + 1, seen + int((ids != tokenizer.pad_token_id).sum()) * n_processes
        losses.append(loss.item())
        decided.append(float(each.detach()[weights[wanted] > 1].mean()))
        if step % 100 == 0 and rank == 0:
            print(json.dumps({"step": step, "min": round(done * minutes, 1), "tokens": seen, "lr": round(peak_lr * factor, 6),
                              "loss": round(sum(losses[-100:]) / 100, 4), "deciding": round(sum(decided[-100:]) / 100, 4)}), flush=True)
        if time.time() - saved > 180 and rank == 0:
            save(model, tokenizer, out)
            saved = time.time()
    if rank == 0:
        save(model, tokenizer, out)
        print(f"done: {step} steps, {seen:,} tokens, {(time.time() - began) / 60:.1f} minutes", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="directory to write the model to")
    parser.add_argument("--minutes", type=float, required=True, help="time box for the training loop")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--vocab-size", type=int, default=0, help="tokens; another number than that of `--start` gives it a new vocabulary; 0: as it is")
    parser.add_argument("--peak-lr", type=float, default=3e-3, help="AdamW's")
    parser.add_argument("--matrix-lr", type=float, default=0.0, help="Muon's, for the matrices of the layers; 0: AdamW for all")
    parser.add_argument("--batch-tokens", type=int, default=2000)
    parser.add_argument("--search-steps", type=int, default=0, help="steps that only find random tokens, before any reading")
    parser.add_argument("--ramp", type=float, default=0.5, help="share of the time over which passages grow")
    parser.add_argument("--hold", type=float, default=0.2, help="share of the time before the learning rate decays")
    parser.add_argument("--p-free", type=float, default=0.0, help="share of exercises without fixed wordings")
    parser.add_argument("--p-story", type=float, default=0.5, help="share of the other exercises that are drawn from `stories/`")
    parser.add_argument("--p-refuse", type=float, default=0.2, help="share of questions that no passage answers")
    parser.add_argument("--n-asks", type=int, default=5, help="questions that share the passages of an exercise")
    parser.add_argument("--n-cues", type=int, default=0, help="lines of an exercise that are asked for in words that go with theirs")
    parser.add_argument("--p-join", type=float, default=0.0, help="share of neighbouring sentences that are made one line, with several values in it")
    parser.add_argument("--cut-share", type=float, default=0.0, help="of the replies that end in training once the line is decided")
    parser.add_argument("--levels", type=float, nargs=2, default=[0.3, 1.1], help="passage lengths that a run that goes on mixes")
    parser.add_argument("--deciding-weight", type=float, default=2.0, help="of a token in which something is decided, in the loss; a copied one: 1")
    parser.add_argument("--copied-share", type=float, default=1.0, help="of the tokens that only go on with a copy, learnt from in each step")
    parser.add_argument("--start", default="", help="directory of a model to go on from, at full passage length")
    train(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
