"""Makes the tiny student: a tokenizer and a small Llama, trained on one CPU core from invented text only.

    python -m make_student.train --out student --minutes 50 --seed 1        (run in `data/`)

In: nothing but the seed. Out: a directory that `AutoModelForCausalLM.from_pretrained` and vLLM load. The passages of
an exercise are read once and all its questions hang off them as branches that do not see each other (an attention mask
and restarted positions), so a branch is computed exactly as a conversation of its own would be.
"""

import argparse
import json
import math
import pathlib
import random
import time

import torch
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from make_student.branches import LAYOUT, use
from make_student.freeform import draw_freeform
from make_student.invent import Ask, Exercise, draw_exercise

TAGS = ["<DOCUMENT>", "</DOCUMENT>", "##begin_quote##", "##end_quote##", "<ANSWER>:"]
DECIDING_WEIGHT = 4.0
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
    """A small Llama with attention started "mimetically": keys like queries, outputs against values."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=width, intermediate_size=width * 8 // 3 // 32 * 32,
        num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=heads, head_dim=max(32, width // heads),
        max_position_embeddings=4096, rope_theta=10000.0, tie_word_embeddings=True, initializer_range=0.05,
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


def collate(rows: list, pad: int, marks: tuple[int, int]) -> tuple[torch.Tensor, ...]:
    """Lay rows out for `branches.attend` and note the layout there.

    Returns:
        ids and positions (rows, length); mask (rows, 1, 1, context_length), true on real tokens; targets (rows, length):
        the next token where it belongs to a reply, -100 elsewhere; weights (rows, length) of those tokens in the loss.
    """
    c = max(len(start) for start, _ in rows)
    n = max(len(branches) for _, branches in rows)
    k = max(len(q) + len(r) for _, branches in rows for q, r in branches)
    ids = torch.full((len(rows), c + n * k), pad)
    positions = torch.zeros_like(ids)
    targets = torch.full_like(ids, -100)
    weights = torch.ones(ids.shape)
    mask = torch.zeros((len(rows), 1, 1, c), dtype=torch.bool)
    for row, (start, branches) in enumerate(rows):
        ids[row, :len(start)], positions[row, :c] = torch.tensor(start), torch.arange(c)
        mask[row, ..., :len(start)] = True
        for number, (question, reply) in enumerate(branches):
            first = c + number * k
            ids[row, first:first + len(question + reply)] = torch.tensor(question + reply)
            positions[row, first:first + k] = torch.arange(len(start), len(start) + k)
            first += len(question) - 1
            targets[row, first:first + len(reply)] = torch.tensor(reply)
            weights[row, first + torch.tensor(deciding(reply, marks))] = DECIDING_WEIGHT
    LAYOUT.update(context_length=c, n_branches=n, branch_length=k)
    return ids, positions, mask, targets, weights


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
        branches = [branch for branch in branches if len(branch[0]) + len(branch[1]) <= 88]  # less padding
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
    """How long the passages are, 0 to 1: they grow over `ramp` of the time; a run that goes on mixes `levels`."""
    return min(1.0, rng.uniform(*levels) if goes_on else share / ramp)


def draw_lesson(rng: random.Random, tokenizer, n_tokens: int, level: float, *, step: int, goes_on: bool, p_free: float, p_refuse: float) -> list:
    """Rows of one step: copying, then finding, of random tokens at the very start; later mostly reading."""
    if not goes_on and step < 250:
        return [draw_search(rng, tokenizer, 1 if step < 100 else rng.choice((1, 2, 3, 4))) for _ in range(16)]
    if rng.random() < (0.2 if goes_on else 0.4) * (1 - level):
        return [draw_search(rng, tokenizer, rng.randint(2, 8)) for _ in range(8)]
    return draw_rows(rng, tokenizer, n_tokens, level, p_free, p_refuse)


def train(out: pathlib.Path, *, minutes: float, seed: int, width: int, layers: int, heads: int, vocab_size: int,
          peak_lr: float, batch_tokens: int, start: str, ramp: float, stop: float, p_free: float, p_refuse: float,
          levels: list[float]) -> None:
    """Train until the time is over: curriculum over the first `ramp` of it, learning rate warmed up, then decayed to nothing."""
    torch.set_num_threads(1)
    if start:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(start)
        model = LlamaForCausalLM.from_pretrained(start, dtype=torch.float32)
    else:
        tokenizer = build_tokenizer(random.Random(f"tokenizer {seed}"), vocab_size)
        model = build_model(tokenizer, width=width, layers=layers, heads=heads, seed=seed)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(tokenizer)} tokens in the vocabulary", flush=True)
    rng = random.Random(f"train {seed} {bool(start)}")
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak_lr, betas=(0.9, 0.98), weight_decay=0.0, fused=True)
    began, step, seen, losses, decided, saved = time.time(), 0, 0, [], [], time.time()
    marks = tuple(tokenizer.convert_tokens_to_ids(tag) for tag in ("##begin_quote##", "<ANSWER>:"))
    use(model)
    model.train()
    while (share := (time.time() - began) / 60 / minutes) < min(1.0, stop / minutes):
        decay = 1 if share < 0.2 else 0.5 + 0.5 * math.cos(math.pi * (share - 0.2) / 0.8)
        lr = peak_lr * decay * min(1, (step + 1) / 50)
        for group in optimizer.param_groups:
            group["lr"] = lr
        level = draw_level(rng, share, ramp, levels, goes_on=bool(start))
        rows = draw_lesson(rng, tokenizer, batch_tokens, level, step=step, goes_on=bool(start), p_free=p_free, p_refuse=p_refuse)
        ids, positions, mask, targets, weights = collate(rows, tokenizer.pad_token_id, marks)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = model.model(input_ids=ids, position_ids=positions, attention_mask=mask, use_cache=False)[0]
            wanted = targets >= 0
            logits = model.lm_head(hidden[wanted])
        each = torch.nn.functional.cross_entropy(logits.float(), targets[wanted], reduction="none")
        loss = (each * weights[wanted]).sum() / weights[wanted].sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        step, seen = step + 1, seen + int((ids != tokenizer.pad_token_id).sum())
        losses.append(loss.item())
        decided.append(float(each.detach()[weights[wanted] > 1].mean()))
        if step % 100 == 0:
            print(json.dumps({"step": step, "min": round(share * minutes, 1), "tokens": seen, "level": round(level, 2),
                              "lr": round(lr, 6), "loss": round(sum(losses[-100:]) / 100, 4),
                              "deciding": round(sum(decided[-100:]) / 100, 4)}), flush=True)
        if time.time() - saved > 180:
            save(model, tokenizer, out)
            saved = time.time()
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
    parser.add_argument("--peak-lr", type=float, default=3e-3)
    parser.add_argument("--batch-tokens", type=int, default=2000)
    parser.add_argument("--ramp", type=float, default=0.5, help="share of the time over which passages grow")
    parser.add_argument("--stop", type=float, default=1e9, help="leave after so many minutes although more were planned")
    parser.add_argument("--p-free", type=float, default=0.0, help="share of exercises without fixed wordings")
    parser.add_argument("--p-refuse", type=float, default=0.2, help="share of questions that no passage answers")
    parser.add_argument("--levels", type=float, nargs=2, default=[0.3, 1.1], help="passage lengths that a run that goes on mixes")
    parser.add_argument("--start", default="", help="directory of a model to go on from, at full passage length")
    train(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
