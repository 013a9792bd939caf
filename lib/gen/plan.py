"""What 1_gen would do with these parameters, without spending anything: `python -m lib.gen.plan PARAMS.json`.

Documents are read and cut; calls and tokens of the teacher are estimated from the chunks.
"""

import json
import re
import sys
from pathlib import Path

from lib.gen import recipes, sources
from lib.gen.chunk import token_counter
from lib.gen.contamination import check_thresholds
from lib.gen.evalset import ORIGINS, parse_columns, read_eval_set
from lib.gen.forecast import ANSWER_TOKENS, QUESTION_TOKENS, TALK_TOKENS, forecast, row_tokens
from lib.gen.formats import build_format, check_files, read_refusals
from lib.gen.mix import check_corpus, check_shares, count_kinds
from lib.gen.pairs import TURNS, needed_answers
from lib.gen.prompt import check_prompts
from lib.gen.push import check_push
from lib.gen.quota import check_shares as check_wishes
from lib.gen.split import UNITS, assign_splits
from lib.gen.structured import check_setting
from lib.llm.predict import predict
from lib.llm.usage import read_prices
from lib.run import BadInput
from lib.run.notebook import rng_for


def plan(p: dict) -> list[dict]:
    """Predict the stage.

    Args:
        p: Parameters of 1_gen by name.

    Returns:
        Rows of item, value, unit and note.

    Raises:
        BadInput: What the notebook would refuse.
    """
    check_parameters(p)
    form = build_format(p["dataset_format"], recipes.row_system_prompt(p))
    eval_path = recipes.own_eval_set(p)
    n_eval = len(read_eval_set(eval_path, p["eval_columns"])) if eval_path else None
    loaded, pages = recipes.preview(p)
    if loaded is None:
        return pages
    count = token_counter(p["student_model"])
    is_semantic = p["chunker"] == "semantic"  # a plan embeds nothing
    chunks, _ = recipes.cut(p | {"chunker": "recursive"} if is_semantic else p, loaded.documents, count)
    chunks, _ = recipes.choose_passages(p, chunks, rng_for(p["seed"], "passages"))
    by_rows = p["eval_from"] == "rows" and not eval_path
    parts = {"p_valid": p["p_valid"], "p_test": 0.0 if by_rows else recipes.held_out(p), "split_unit": p["split_unit"]}
    chunks, split_by = assign_splits(chunks, **parts, rng=rng_for(p["seed"], "split"))
    shares = recipes.mix_shares(p)
    if p["recipe"] in recipes.ASKED:
        check_corpus(chunks, **shares)
    asks = recipes.plan_asks(p, [chunk for chunk in chunks if chunk.split != "test" or not eval_path], rng_for(p["seed"], "questions"))
    n_wanted = needed_answers(p["target_rows"], **shares)
    told = {"recipe": p["recipe"], "curate": p["curate"], "folder": p["prompts_dir"]}
    cost = forecast(asks, n_wanted=n_wanted, **told)
    held = max(0, min(max(1, int(p["p_test"] * cost.n_train + 0.5)), cost.n_train - 1)) if by_rows and p["recipe"] in recipes.ASKED else 0
    wanted = {name: shares[name] for name in ("p_oracle", "p_refusal", "both_contexts")}
    n_train, n_valid = (sum(count_kinds(n, **wanted).values()) for n in (cost.n_train - held, cost.n_valid))
    shown = (shares["n_distractors"] + 1, max(shares["n_distractors"], shares["max_distractors"]) + 1)
    usual, longest = (count(form.system_prompt) + n for n in row_tokens(asks, chunks, recipe=p["recipe"], n_shown=shown))
    a_reply = f"{QUESTION_TOKENS + ANSWER_TOKENS} a question" if p["recipe"] in recipes.ASKED else f"{TALK_TOKENS} a turn or summary"
    n_waves = len(TURNS) if p["recipe"] in recipes.ASKED else max(ask.n for ask in asks)

    def row(item: str, value: object, unit: str, note: str = "") -> dict:
        return {"item": item, "value": value, "unit": unit, "note": note}

    unread = (
        f"{len(loaded.dropped)} could not be read: {loaded.dropped[0].source} ({loaded.dropped[0].reason})"
        if loaded.dropped
        else ""
    )
    unread = "; ".join(filter(None, [unread, loaded.warnings().get("encoding")]))
    engine = {"max_in_flight": p["max_in_flight"], "prices": p.get("prices", "")}
    most = f"{p['chunk_tokens']} tokens" if p["chunker"] == "tokens" else f"{p['chunk_chars']} characters"
    how = "estimate: cut like chunker recursive; " if is_semantic else ""
    judge_tokens = (cost.judge_prompt_tokens, cost.judge_reply_tokens)
    judge = [
        row("judge calls", cost.judge_calls, "calls", "curation, one a pair"),
        row("judge tokens", sum(judge_tokens), "tokens", "estimate: prompts and replies"),
        *predict("judge", cost.judge_calls, *judge_tokens, **engine),
    ]
    return [
        *pages,
        row("documents", len(loaded.documents), "documents", unread),
        row("chunks", len(chunks), "chunks", f"{how}at most {most}; split by {split_by}"),
        row("teacher calls", cost.calls, "calls", cost.note),
        row("teacher prompt tokens", cost.prompt_tokens, "tokens", "estimate: four characters a token"),
        row("teacher reply tokens", cost.reply_tokens, "tokens", f"estimate: {a_reply}"),
        *predict("teacher", cost.calls, cost.prompt_tokens, cost.reply_tokens, n_waves=n_waves, **engine),
        *(judge if p["curate"] else []),
        row("training rows", n_train, "rows", "at most: every question written, answered and kept"),
        row("validation rows", n_valid, "rows", "at most"),
        row("usual row", usual, "tokens a row", "estimate"),
        row("longest row", longest, "tokens a row", "estimate: the longest chunk in every place"),
        row("eval questions", _eval_questions(p, n_eval, cost, held), "questions", str(eval_path or "about: held-out generated questions")),
        row("next stages", "", "", recipes.NEXT[p["recipe"]]),
    ]  # fmt: skip


def _eval_questions(p: dict, n_eval: int | None, cost, held: int) -> int:
    if p["recipe"] not in recipes.ASKED:
        return 0
    return n_eval if n_eval is not None else held or cost.n_answers - cost.n_train - cost.n_valid


def input_paths(p: dict) -> list[Path]:
    """The user's files that decide the dataset: documents, human turns, eval set, prompts of their own, the student's tokenizer."""
    tokenizer, prompt = Path(p["student_model"]) / "tokenizer.json", Path(p["system_prompt"])
    eval_path = recipes.own_eval_set(p)
    found = [
        Path(p["documents"]),
        *([eval_path] if eval_path else []),
        *(f for f in (tokenizer, prompt, *map(Path, p["refusals"])) if f.is_file()),
        *(Path(p[name]) for name in ("conversations", "prompts_dir") if p[name]),
    ]
    return [path for path in found if path.exists()]


def check_parameters(p: dict) -> None:
    """Refuse, before anything is read or spent, what cannot work.

    Raises:
        BadInput: Names the parameter, what was expected and what came.
    """
    recipes.check_recipe(p)
    sources.check(p)
    if p["questions_per_chunk"] < 1:
        raise BadInput(f"questions_per_chunk: expected 1 or more, found {p['questions_per_chunk']}")
    for name, least in (("question_budget", 0), ("target_rows", 0), ("max_in_flight", 1), ("budget_usd", 0)):
        if p[name] < least:
            raise BadInput(f"{name}: expected {least} or more, found {p[name]}")
    if p.get("prices"):
        read_prices(p["prices"])
    if p["eval_sha256"] and not re.fullmatch(r"[0-9a-fA-F]{64}", p["eval_sha256"]):
        raise BadInput(f"eval_sha256: expected 64 digits from 0 to f, found {p['eval_sha256']!r}")
    check_prompts(p["prompts_dir"])
    check_setting(p["structured_output"])
    for name in ("question_style", "question_difficulty"):
        check_wishes(name, p[name], p["prompts_dir"])
    recipes.build_form(p, read_refusals(p["refusals"]))
    check_shares(**recipes.mix_shares(p))
    check_files(p["dataset_files"])
    check_push(p["push_to_hub"])
    parse_columns(p["eval_columns"])
    check_thresholds(**{name: p[f"contamination_{name}"] for name in ("check", "ngram", "overlap", "similarity")})
    for name, value, known in (("eval_from", p["eval_from"], ORIGINS), ("split_unit", p["split_unit"], UNITS)):
        if value not in known:
            raise BadInput(f"{name}: expected one of {', '.join(known)}, found {value!r}")
    if p["recipe"] in recipes.ASKED and not recipes.own_eval_set(p) and not p["p_test"]:
        raise BadInput(
            "p_test: expected more than 0 where no eval set is given: the eval set is made of held-out questions"
        )


if __name__ == "__main__":
    ask = check_parameters if sys.argv[2:] == ["check"] else plan
    print(json.dumps(ask(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), ensure_ascii=False, indent=2))
