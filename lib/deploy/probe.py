"""What a server does with a prompt, looked at before it is measured: token ids, an answer with and without documents, speed."""

import json
import math
import statistics
import time
import urllib.request
from dataclasses import dataclass

import pandas as pd

from lib.deploy.model import LOCAL
from lib.deploy.roles import served_role
from lib.deploy.serve import take_turns
from lib.llm import Format, Request, connect, parse_reply
from lib.run import read_json, read_jsonl

N_TIMED = {1: 8, 8: 16, 32: 64}  # requests by how many are in flight: enough to fill each width twice, few enough to wait for
REPLY_TOKENS = 192


@dataclass(frozen=True)
class Looked:
    """What a look at every system found: `servers` by system, and the tables of the three probes."""

    servers: dict[str, dict]
    tokens: pd.DataFrame
    asked: pd.DataFrame
    speed: pd.DataFrame


def look(run, systems: list[str]) -> Looked:
    """Serve every system, in as many turns as the machine needs, and look at each while it is up."""
    found, servers = [], {}
    for group in take_turns(run, systems):
        servers |= {system: read_json(run.dir / "serving" / "servers.json")[system] for system in group}
        found.append((compare_tokens(run, group), ask_one(run, group), time_replies(run, group)))
    tokens, asked, speed = ([looked[i] for looked in found] for i in range(3))
    together = pd.concat(asked, ignore_index=True)
    together.attrs = asked[0].attrs
    return Looked(servers, pd.concat(tokens), together, pd.concat(speed, ignore_index=True))


def compare_tokens(run, systems: list[str]) -> pd.DataFrame:
    """Whether each server turns training's prompts into training's token ids.

    Returns:
        One row a system: n prompts compared, n equal, the first difference in words; endpoints elsewhere, engines that do not
        tell their tokens, and further systems, whose tokenizers are others, are `not comparable`.
    """
    prompts = read_jsonl(run.need("training/prompts.jsonl"))
    records = read_json(run.dir / "serving" / "servers.json")
    rows = []
    for system in systems:
        record = records[system]
        if record["engine"] != "vllm" or system not in LOCAL:
            why = record["engine"] if record["engine"] != "vllm" else "a model of its own, not the student's"
            rows.append({"system": system, "prompts": 0, "equal": 0, "difference": f"not comparable: {why}"})
            continue
        served = [tokens_at_server(record, prompt) for prompt in prompts]
        differing = [(p, s) for p, s in zip(prompts, served, strict=True) if p["prompt_ids"] != s]
        note = describe_difference(differing[0][0]["prompt_ids"], differing[0][1]) if differing else ""
        rows.append(
            {"system": system, "prompts": len(prompts), "equal": len(prompts) - len(differing), "difference": note}
        )
    return pd.DataFrame(rows).set_index("system")


def tokens_at_server(record: dict, prompt: dict) -> list[int]:
    """Token ids that a vLLM server makes of a prompt (`messages` or `prompt`), through its /tokenize."""
    if "messages" in prompt:
        asked = {"messages": prompt["messages"], "add_generation_prompt": True}
    else:
        asked = {"prompt": prompt["prompt"], "add_special_tokens": True}
    request = urllib.request.Request(
        record["base_url"].removesuffix("/v1") + "/tokenize",
        data=json.dumps({"model": record["model"], **asked}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)["tokens"]


def describe_difference(trained: list[int], served: list[int]) -> str:
    """Where two lists of token ids part."""
    place = next(
        (i for i, (a, b) in enumerate(zip(trained, served, strict=False)) if a != b), min(len(trained), len(served))
    )
    return f"from token {place}: trained {trained[place : place + 4]} of {len(trained)}, served {served[place : place + 4]} of {len(served)}"


def _request(role, form: Format, documents, question: str) -> Request:
    if role.completion:
        return Request(prompt=form.prompt(documents, question), max_tokens=REPLY_TOKENS)
    return Request(messages=tuple(form.messages(documents, question)), max_tokens=REPLY_TOKENS)


def _examples(run) -> list[dict]:
    """RAFT rows that show their oracle (all rows where none does, as with `p_oracle` 0), those not trained on first."""
    rows = read_jsonl(run.need("dataset/raft.jsonl"))
    rows = [row for row in rows if row["kind"] == "oracle"] or rows
    return sorted(rows, key=lambda row: row["split"] == "train")


def _documents(row: dict) -> list[str]:
    return row["context"]["sentences"][0]


def ask_one(run, systems: list[str]) -> pd.DataFrame:
    """One question that no system was trained on (if the splits left one), with its documents and without.

    Returns:
        Columns system, documents (number shown), reply, answer, refused; the question and the teacher's answer as attributes.
    """
    row, form = _examples(run)[0], Format.load(run.need("dataset/format.json"))
    found = []
    for system in systems:
        asker = connect(served_role(run, system), run)
        shown = [_documents(row), []]
        replies = asker.ask(
            [_request(asker.role, form, documents, row["question"]) for documents in shown], label="probe"
        )
        for documents, reply in zip(shown, replies, strict=True):
            parsed = parse_reply(reply.text, form.refusal)
            found.append(
                {
                    "system": system,
                    "documents": len(documents),
                    "reply": reply.text,
                    "answer": parsed.answer,
                    "refused": parsed.refused,
                }
            )
    table = pd.DataFrame(found)
    table.attrs = {"question": row["question"], "answer": row["answer"]}
    return table


def silent(asked: pd.DataFrame) -> list[str]:
    """Systems that said nothing to the question with its documents; closed book, silence is as good as a refusal.

    Args:
        asked: What `ask_one` returns.
    """
    shown = asked["documents"] == asked["documents"].max()
    return asked.loc[shown & (asked["reply"].str.strip() == ""), "system"].tolist()


def time_replies(run, systems: list[str]) -> pd.DataFrame:
    """Latency and throughput of short replies, one and several in flight.

    Every prompt is another, so that no reply is helped by an earlier one; a resumed probe whose replies were all stored shows
    the stored latencies and no throughput.

    Returns:
        Columns system, in_flight, n, median_latency_s, p95_latency_s, replies_per_s and tokens_per_s of replies (nan when
        nothing was asked anew).
    """
    form, prompts = Format.load(run.need("dataset/format.json")), _prompts(_examples(run)[1:] or _examples(run))
    table = []
    for system in systems:
        start_at = 0
        for in_flight, n in N_TIMED.items():
            chosen = prompts[start_at : start_at + n]
            start_at += n
            if not chosen:
                continue
            asker = connect(served_role(run, system), run, max_in_flight=in_flight)
            start = time.monotonic()
            replies = asker.ask(
                [_request(asker.role, form, documents, question) for documents, question in chosen],
                label=f"{in_flight} in flight",
            )
            seconds, fresh = time.monotonic() - start, not any(reply.cached for reply in replies)
            latencies, made = [reply.latency_s for reply in replies], sum(reply.completion_tokens for reply in replies)
            table.append(
                {
                    "system": system,
                    "in_flight": in_flight,
                    "n": len(replies),
                    "median_latency_s": round(statistics.median(latencies), 3),
                    "p95_latency_s": round(sorted(latencies)[math.ceil(0.95 * len(latencies)) - 1], 3),
                    "replies_per_s": round(len(replies) / seconds, 1) if fresh else float("nan"),
                    "tokens_per_s": round(made / seconds, 1) if fresh else float("nan"),
                }
            )
    return pd.DataFrame(table)


def _prompts(rows: list[dict]) -> list[tuple[list[str], str]]:
    """Distinct (documents, question): every row once, then again with its documents turned, so that no two begin alike."""
    most = max((len(_documents(row)) for row in rows), default=0)
    return [
        (_documents(row)[turn:] + _documents(row)[:turn], row["question"])
        for turn in range(most)
        for row in rows
        if turn < len(_documents(row))
    ]
