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
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from make_student.branches import branch_mask, use
from make_student.freeform import draw_freeform
from make_student.invent import Ask, Exercise, draw_exercise

TAGS = ["<DOCUMENT>", "</DOCUMENT>", "##begin_quote##", "##end_quote##", "<ANSWER>:"]
DECIDING_WEIGHT = 2.0
COPIED_SHARE = 0.8  # of the tokens that only go on with a copy, learnt from in each step
PAD, BOS, END, ROLES = "<|pad|>", "<|begin|>", "<|end|>", ["<|system|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{{- bos_token }}"
    "{%- for message in messages %}"
    "{%- if message['role'] == 'assistant' %}"
    "{{- '<|assistant|>' }}{% generation %}{{- message['content'] + '<|end|>' }}{% endgeneration %}"
    "{%- else %}"
    "{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}"
    "{%- endif %}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}")
# words keep their leading space, numbers stand alone in steps of two digits, everything else is split by kind
PRE_SPLIT = Regex(r" ?\p{L}+|\p{N}{1,2}| ?[^\s\p{L}\p{N}]|\s+(?!\S)|\s")


def show_passages(passages: list[str]) -> str:
    return "".join(f"<DOCUMENT>{passage}</DOCUMENT>\n" for passage in passages)


def build_tokenizer(rng: random.Random, vocab_size: int, n_exercises: int = 3000) -> PreTrainedTokenizerFast:
    """Learn byte-level BPE merges from invented text and add the tags and the chat tokens as single tokens."""
    texts = []
    for _ in range(n_exercises):
        exercise = draw_exercise(rng, n_passages=3)
        texts += exercise.passages + [ask.question for ask in exercise.asks] + [ask.reply for ask in exercise.asks]
    texts += [str(number) for number in range(100) for _ in range(20)]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(PRE_SPLIT, behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    special = [PAD, BOS, END, *ROLES]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocab_size - len(TAGS), special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_tokens([AddedToken(tag, special=False, normalized=False) for tag in TAGS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=PAD, bos_token=BOS, eos_token=END, model_max_length=4096,
        additional_special_tokens=ROLES, clean_up_tokenization_spaces=False)
    fast.chat_template = TEMPLATE
    return fast


def build_model(tokenizer, *, width: int, layers: int, heads: int, seed: int) -> LlamaForCausalLM:
    """A small Llama with attention started "mimetically": keys like queries, outputs against values.

    Heads of 64 and slow rotations leave each head some 35 dimensions that do not turn within a prompt, to compare tokens with;
    with heads of 32 and a base of 10,000 (some 10) finding random tokens was not learnt at all in the same two minutes.
    """
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=width * 8 // 3 // 32 * 32,
        num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=heads, head_dim=64,
        max_position_embeddings=4096, rope_parameters={"rope_type": "default", "rope_theta": 5e5}, tie_word_embeddings=True, initializer_range=0.05,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for layer in model.model.layers:
            attention = layer.self_attn
            attention.k_proj.weight.copy_(0.8 * attention.q_proj.weight + 0.2 * attention.k_proj.weight)
            attention.o_proj.weight.copy_(0.5 * attention.v_proj.weight.T + 0.2 * attention.o_proj.weight)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.do_sample = False
    return model


def encode(exercise: Exercise, tokenizer) -> tuple[list[int], list[tuple[list[int], list[int]]]]:
    """Tokens of the shared start, and of each branch (question with the chat tokens, reply with its end)."""
    def ids(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    start = ids(BOS + ROLES[1] + show_passages(exercise.passages))
    branches = [(ids(ask.question + END + ROLES[2]), ids(ask.reply + END)) for ask in exercise.asks]
    return start, branches


def deciding(reply: list[int], marks: tuple[int, int]) -> list[int]:
    """Places in a reply where something is decided: refuse or not, which line, which part of it. The rest is copying."""
    places = [0]
    for mark, n in zip(marks, (3, 2), strict=True):
        if mark in reply:
            at = reply.index(mark)
            places += [place for place in range(at + 1, at + 1 + n) if place < len(reply)]
    return places


def collate(rows: list, pad: int, marks: tuple[int, int], rng: random.Random) -> tuple[torch.Tensor, ...]:
    """Lay rows out as `branches` wants them.

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
            weights[row, first + torch.tensor(places)] = DECIDING_WEIGHT
            for place in {*places, *(place for place in range(len(reply)) if rng.random() < COPIED_SHARE)}:
                targets[row, first + place] = reply[place]
            at = end
    return ids, positions, branch_mask(owner), targets, weights


def size_of(row: tuple) -> int:
    """Tokens of a row, without padding."""
    return len(row[0]) + sum(len(question) + len(reply) for question, reply in row[1])


def draw_rows(rng: random.Random, tokenizer, n_tokens: int, level: float, p_free: float = 0.0, p_refuse: float = 0.2) -> list:
    """Invent exercises until a batch of about `n_tokens` is full; `level` in [0, 1] goes from one short passage to 1-5."""
    rows, size, n_asks = [], 0, rng.choice((4, 6)) if level > 0.15 else 4
    high = int(110 + 290 * min(1, level))
    while size < n_tokens:
        n_passages = 1 if level < 0.15 else rng.choice((1, 2, 3)) if level < 1 else rng.choice((1, 2, 3, 3, 3, 4, 5))
        shape = {"n_passages": n_passages, "low": int(high * 0.6), "high": high, "n_asks": n_asks,
                 "p_refuse": p_refuse if level > 0.15 else 0.1}
        if rng.random() < p_free:
            passages, asks = draw_freeform(rng, **shape)
            exercise = Exercise(passages, [Ask(*asked) for asked in asks])
        else:
            exercise = draw_exercise(rng, **shape)
        if rng.random() < 0.01:  # closed book: the same questions with nothing shown are refused
            exercise = Exercise([], [Ask(ask.question) for ask in exercise.asks[:2]])
        start, branches = encode(exercise, tokenizer)
        if branches:
            rows.append((start, branches))
            size += len(start) + sum(len(q) + len(r) for q, r in branches)
    return rows


def draw_search(rng: random.Random, tokenizer, n_lines: int) -> tuple[list[int], list[tuple[list[int], list[int]]]]:
    """A passage of random tokens in lines; each branch names some tokens of one line and quotes that line."""
    tokens, newline = range(300, len(tokenizer) - len(TAGS)), tokenizer.convert_tokens_to_ids("Ċ")
    opened, closed, begin, end = (tokenizer.convert_tokens_to_ids(tag) for tag in TAGS[:4])
    lines = [rng.sample(tokens, rng.randint(5, 12) if n_lines > 1 else 20) for _ in range(n_lines)]
    start = [tokenizer.bos_token_id, tokenizer.convert_tokens_to_ids(ROLES[1]), opened]
    for line in lines:
        start += [*line, newline]
    branches = []
    for line in rng.sample(lines, min(n_lines, 4)):
        asked = rng.sample(line, rng.randint(2, 4))
        branches.append(([*asked, tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(ROLES[2])], [begin, *line, end]))
    return [*start, closed, newline], branches


def draw_level(rng: random.Random, share: float, ramp: float, levels: list[float], *, goes_on: bool) -> float:
    """How long the passages are, 0 to 1, mixed within `levels`; in a first run the upper end grows over `ramp` of the time."""
    low, high = levels
    return rng.uniform(low, high) if goes_on else rng.uniform(0, high * min(1, share / ramp))


def draw_lesson(rng: random.Random, tokenizer, n_tokens: int, level: float, *, step: int, search_steps: int, p_free: float,
                p_refuse: float) -> list:
    """Rows of one step: copying, then finding, of random tokens in the first `search_steps`; later mostly reading."""
    if step < search_steps:
        low, high = (1, 1) if step < 100 else (1, 4) if step < 300 else (2, 8)
        return [draw_search(rng, tokenizer, rng.randint(low, high)) for _ in range(20)]
    if rng.random() < 0.3 * (1 - level):
        return [draw_search(rng, tokenizer, rng.randint(2, 10)) for _ in range(8)]
    return draw_rows(rng, tokenizer, n_tokens, level, p_free, p_refuse)


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


def train(out: pathlib.Path, *, minutes: float, seed: int, width: int, layers: int, heads: int, vocab_size: int,
          peak_lr: float, matrix_lr: float, batch_tokens: int, start: str, search_steps: int, ramp: float, hold: float, p_free: float,
          p_refuse: float, levels: list[float]) -> None:
    """Train until the time is over: curriculum over the first `ramp` of it, learning rate warmed up, held, then decayed to nothing."""
    torch.set_num_threads(1)
    rank, n_processes = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if n_processes > 1:
        torch.distributed.init_process_group("gloo")
    if start:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(start)
        model = LlamaForCausalLM.from_pretrained(start, dtype=torch.float32)
    else:
        tokenizer = build_tokenizer(random.Random(f"tokenizer {seed}"), vocab_size)
        model = build_model(tokenizer, width=width, layers=layers, heads=heads, seed=seed)
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
                search_steps=search_steps, p_free=p_free, p_refuse=p_refuse))
        ids, positions, mask, targets, weights = collate(batches.pop(), tokenizer.pad_token_id, marks, rng)
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


def save(model, tokenizer, out: pathlib.Path) -> None:
    """Write a plain Llama directory; the branch attention is no part of it."""
    model.save_pretrained(out)
    tokenizer.save_pretrained(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, help="directory to write the model to")
    parser.add_argument("--minutes", type=float, required=True, help="time box for the training loop")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--heads", type=int, default=4)
    parser.add_argument("--vocab-size", type=int, default=4096)
    parser.add_argument("--peak-lr", type=float, default=3e-3, help="AdamW's")
    parser.add_argument("--matrix-lr", type=float, default=0.0, help="Muon's, for the matrices of the layers; 0: AdamW for all")
    parser.add_argument("--batch-tokens", type=int, default=2000)
    parser.add_argument("--search-steps", type=int, default=0, help="steps that only find random tokens, before any reading")
    parser.add_argument("--ramp", type=float, default=0.5, help="share of the time over which passages grow")
    parser.add_argument("--hold", type=float, default=0.2, help="share of the time before the learning rate decays")
    parser.add_argument("--p-free", type=float, default=0.0, help="share of exercises without fixed wordings")
    parser.add_argument("--p-refuse", type=float, default=0.2, help="share of questions that no passage answers")
    parser.add_argument("--levels", type=float, nargs=2, default=[0.3, 1.1], help="passage lengths that a run that goes on mixes")
    parser.add_argument("--start", default="", help="directory of a model to go on from, at full passage length")
    train(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
