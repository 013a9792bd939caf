"""Measures what a student reads: invented names, words and wordings that training never drew, greedy decoding.

    python -m make_student.measure student [--n 200] [--json FILE]        (run in `data/`)

In: a model directory. Out: shares with n on the standard output, or as JSON: answers, quotes, replaced values, refusals,
and a matcher that never looks at the subject, as the score to beat.
"""

import argparse
import json
import random
import re

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from make_student.invent import REFUSAL, Ask, draw_exercise, show_passages

QUOTE = re.compile(r"##begin_quote##(.*?)##end_quote##", re.S)
STOP_WORDS = set("a an the of is are was were in on at to for what which who whom when where how much many do does did i "
                 "can you tell me please it there".split())


def normal(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


def parse(reply: str) -> tuple[str, str]:
    """The quote and the answer of a reply, empty where there is none."""
    quote = QUOTE.search(reply)
    return (quote.group(1) if quote else ""), (reply.split("<ANSWER>:", 1)[1].strip() if "<ANSWER>:" in reply else "")


@torch.no_grad()
def reply_to(model, tokenizer, prompts: list[str], max_new_tokens: int = 110, batch: int = 16) -> list[str]:
    """Greedy replies to user messages."""
    replies, order = {}, sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    tokenizer.padding_side = "left"
    for first in range(0, len(order), batch):
        chosen = order[first:first + batch]
        texts = [tokenizer.apply_chat_template([{"role": "user", "content": prompts[i]}], tokenize=False,
                                               add_generation_prompt=True) for i in chosen]
        inputs = tokenizer(texts, return_tensors="pt", padding=True, add_special_tokens=False)
        inputs.pop("token_type_ids", None)
        out = model.generate(**inputs, max_new_tokens=max_new_tokens, do_sample=False)
        for i, row in zip(chosen, out[:, inputs["input_ids"].shape[1]:]):
            text = tokenizer.decode(row, skip_special_tokens=False)
            replies[i] = text.split("<|end|>")[0]
    return [replies[i] for i in range(len(prompts))]


def subject_blind(passages: list[str], ask: Ask) -> float:
    """Chance that a matcher which skips capitalised names and takes the line sharing most other words is right."""
    words = {word for word in re.findall(r"\w+", ask.question) if word.islower()} - STOP_WORDS
    lines = [line for passage in passages for line in re.split(r"(?<=[.!?]) |\n", passage) if line.strip()]
    scores = [len(words & {w for w in re.findall(r"\w+", line) if w.islower()}) for line in lines]
    best = [line for line, score in zip(lines, scores) if score == max(scores)]
    return sum(ask.quote in line for line in best) / len(best)


def draw_cases(seed: int, n: int, *, held_out: bool, n_passages: int = 3, chars: int = 240, p_story: float = 0.0) -> tuple[list, list]:
    """`n` (passages, ask) pairs that can be answered and `n` that cannot; passages of 0.6 to 1 times `chars` characters."""
    rng = random.Random(f"measure {seed}")
    good, bad = [], []
    while len(good) < n or len(bad) < n:
        exercise = draw_exercise(rng, n_passages=n_passages, low=int(0.6 * chars), high=chars, n_asks=2, held_out=held_out, p_refuse=0.5, p_story=p_story)
        for ask in exercise.asks:
            (good if ask.quote else bad).append((exercise.passages, ask))
    return good[:n], bad[:n]


def replace_value(passages: list[str], ask: Ask, rng: random.Random) -> tuple[list[str], str, str] | None:
    """Put another value in place of the answer; digits give digits, letters letters, so that only copying finds it."""
    def other(match: re.Match) -> str:
        letter = match.group()
        if letter.isdigit():
            return rng.choice("123456789".replace(letter, ""))
        return rng.choice("bdfgklmnprst".replace(letter.lower(), ""))

    last = ask.answer.split()[-1]
    new = ask.answer[:-len(last)] + (re.sub(r"\d", other, last) if any(c.isdigit() for c in last) else last)
    if new == ask.answer:
        new = re.sub(r"\d", other, ask.answer)
    if new == ask.answer:
        new = re.sub(r"[bcdfghklmnprst]", other, ask.answer)
    if new == ask.answer or ask.quote.count(ask.answer) != 1:
        return None
    quote = ask.quote.replace(ask.answer, new)
    edited = [p.replace(ask.quote, quote) if i == ask.oracle else p for i, p in enumerate(passages)]
    return edited, quote, new


def measure(directory: str, *, n: int, seed: int, held_out: bool, n_passages: int = 3, chars: int = 240, p_story: float = 0.0) -> dict[str, float]:
    """Shares in [0, 1] over `n` answerable and `n` unanswerable questions."""
    tokenizer = AutoTokenizer.from_pretrained(directory)
    model = AutoModelForCausalLM.from_pretrained(directory, dtype=torch.float32).eval()
    good, bad = draw_cases(seed, n, held_out=held_out, n_passages=n_passages, chars=chars, p_story=p_story)
    rng = random.Random(seed)
    edits = [(ask, *edit) for passages, ask in good if (edit := replace_value(passages, ask, rng))]

    def prompt(passages: list[str], ask: Ask) -> str:
        return show_passages(passages) + ask.question

    replies = reply_to(model, tokenizer, [prompt(p, a) for p, a in good])
    parsed = [parse(reply) for reply in replies]
    refused_bad = reply_to(model, tokenizer, [prompt(p, a) for p, a in bad])
    edited = [parse(r) for r in reply_to(model, tokenizer, [prompt(p, a) for a, p, _, _ in edits])]
    closed = reply_to(model, tokenizer, [a.question for _, a in good[:50]])
    n_quoted = max(1, sum(bool(q) for q, _ in parsed))
    return {
        "n": n,
        "answer right": sum(normal(a) == normal(ask.answer) for (_, ask), (_, a) in zip(good, parsed)) / n,
        "quote is the right line": sum(q == ask.quote for (_, ask), (q, _) in zip(good, parsed)) / n,
        "quote stands in a passage, of those quoted": sum(bool(q) and any(q in p for p in ps)
                                                          for (ps, _), (q, _) in zip(good, parsed)) / n_quoted,
        "false refusals": sum(r.strip() == REFUSAL for r in replies) / n,
        "refusals of near misses": sum(r.strip() == REFUSAL for r in refused_bad) / n,
        "refusals with no passages": sum(r.strip() == REFUSAL for r in closed) / len(closed),
        "n replaced": len(edits),
        "follows the replaced value": sum(normal(a) == normal(new) for (_, _, _, new), (_, a) in zip(edits, edited)) / max(1, len(edits)),
        "repeats the old value": sum(normal(a) == normal(e[0].answer) for e, (_, a) in zip(edits, edited)) / max(1, len(edits)),
        "subject-blind matcher finds the line": sum(subject_blind(p, a) for p, a in good) / n,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory")
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--passages", type=int, default=3)
    parser.add_argument("--chars", type=int, default=240, help="longest passage, characters")
    parser.add_argument("--json", default="", help="file to write the numbers to")
    args = parser.parse_args()
    torch.set_num_threads(1)
    table = {name: measure(args.directory, n=args.n, seed=args.seed, held_out=side, n_passages=args.passages, chars=args.chars, p_story=p_story)
             for name, side, p_story in (("seen wordings", False, 0.0), ("held-out wordings and names", True, 0.0),
                                         ("seen documents", False, 1.0), ("held-out documents and names", True, 1.0))}
    print(json.dumps(table, indent=1))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(table, file, indent=1)


if __name__ == "__main__":
    main()
