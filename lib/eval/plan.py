"""What 4_eval would ask and how long it may take: `python -m lib.eval.plan PARAMS.json` prints it as JSON. Asks nothing, spends nothing."""

import json
import sys
from pathlib import Path

from lib.eval.contexts import CONTEXTS, ORACLE, PLACES
from lib.eval.fence import OPINIONS
from lib.eval.other_run import OTHER_RUN, find_answers, other_run
from lib.llm.connection import find_role, is_set
from lib.llm.predict import predict
from lib.llm.provider import foreseen_role
from lib.llm.search import RETRIEVERS
from lib.llm.tuning_prices import tuning_price
from lib.run import BadInput
from lib.run.passages import most_passages
from lib.run.questions import find_file, read_file
from lib.run.tokens import CHARS_A_TOKEN

N_CONTROLS = 2  # no_oracle and replaced
TRAINED_HERE = ("student", "baseline")  # at no endpoint of their own unless engine is endpoint
STOOD_IN = ("judge", "teacher")  # judges that the offline endpoint plays where nobody set them
REPLY_TOKENS, JUDGE_TOKENS = 120, (420, 60)  # a usual RAFT answer; a verdict's prompt and reply


def plan(p: dict) -> list[dict]:
    """The plan's lines.

    Args:
        p: Parameters by name.

    Returns:
        Rows `item, value, unit, note`; counts are upper bounds, since refusals, empty replies and known replies cost no call.

    Raises:
        BadInput: A parameter that cannot work.
    """
    check_parameters(p)
    n, note = _count_questions(p)
    systems, widths = list(p.get("systems") or ["student", "baseline"]), sorted(set(p["top_k"]))
    asked_here = [system for system in systems if not system.startswith(OTHER_RUN)]
    training = most_passages(p, 5)
    controls = [training] * (N_CONTROLS if p.get("controls", True) else 0)
    further = context_widths(p.get("contexts", []), p.get("context_distractors") or [max(1, training - 1)])
    more = sum(len(read_file("more_eval_sets", Path(path))) for path in p.get("more_eval_sets", []))
    shown, repeats = [0, *widths, *controls, *further], p.get("repeats", 1)
    cases = (n * len(shown) + more * (1 + len(widths))) * repeats
    passages = (n * sum(shown) + more * sum(widths)) * repeats
    unjudged = n * min(len(controls), 1) * repeats  # replaced values need no verdict
    judges, each = p.get("judges", ["judge"]), (cases - unjudged) * len(systems)
    opinions = _opinion_calls(p, n, cases * len(systems), len(widths), len(systems))
    verdicts, judged = each * len(judges), [each + opinions * (judge == judges[0]) for judge in judges]
    prompts = int(passages * p.get("chunk_chars", 1000) / CHARS_A_TOKEN + cases * 40)
    tokens = len(asked_here) * (prompts + cases * REPLY_TOKENS)
    said = f"{', '.join(asked_here)}: closed book, top-k {', '.join(map(str, widths))}" + (", two controls" if controls else "")
    said += f", {len(further)} controlled contexts" if further else ""
    rows = [
        {"item": "questions", "value": n + more, "unit": "", "note": note},
        {"item": "answers asked", "value": cases * len(asked_here), "unit": "calls", "note": said},
        {"item": "answer tokens", "value": tokens, "unit": "tokens", "note": "prompts and replies of all systems"},
        {"item": "verdicts asked", "value": verdicts, "unit": "calls", "note": "at most: a refusal, or no answer, needs none"},
        {"item": "judge tokens", "value": sum(judged) * sum(JUDGE_TOKENS), "unit": "tokens", "note": "prompts and replies"},
    ]  # fmt: skip
    if opinions:
        note = f"{', '.join(p['opinions'])}, of the first judge"
        rows.append({"item": "further opinions asked", "value": opinions, "unit": "calls", "note": note})
    engine = {"max_in_flight": p.get("max_in_flight", 64), "prices": p.get("prices", "")}
    for system in asked_here:
        calls = (cases, prompts, cases * REPLY_TOKENS)
        if p.get("backend", "local") != "local" and _is_hosted(system):
            rows += _hosted(p, system, *calls, **engine)
        elif (system not in TRAINED_HERE or p.get("engine") == "endpoint") and find_role(system):
            rows += predict(system, *calls, **engine)
    for judge, calls in zip(judges, judged, strict=True):
        rows += predict(judge, calls, *(calls * n_tokens for n_tokens in JUDGE_TOKENS), **engine)
    return rows


def context_widths(contexts: list[str], n_distractors: list[int]) -> list[int]:
    """Passages shown in each asking of a question under the controlled contexts."""
    found = [1] if ORACLE in contexts else []
    for context in contexts:
        if context != ORACLE:
            found += [n + 1 for n in n_distractors for _ in range(n + 1 if context == PLACES else 1)]
    return found


def _is_hosted(system: str) -> bool:
    """Whether a system lives where the student was tuned; the baseline's own variables go before."""
    return system == "student" or (system == "baseline" and find_role(system) is None)


def _hosted(p: dict, system: str, *calls: int, **engine) -> list[dict]:
    role = foreseen_role(p["backend"], system, p["student_model"])
    money, *others = predict(system, *calls, role=role, **engine)
    listed = tuning_price(p["backend"], p["student_model"]) if system == "student" else None
    hourly = f"; and {listed.hosting_usd_per_hour:g} USD an hour deployed" if listed and listed.hosting_usd_per_hour else ""
    return [money | {"note": money["note"] + hourly}, *others]


def _opinion_calls(p: dict, n: int, answers: int, n_widths: int, n_systems: int) -> int:
    wanted = p.get("opinions", [])
    pairs = 2 * n * (1 + n_widths) * (n_systems - 1)
    return answers * (("scores" in wanted) + ("refusal" in wanted)) + pairs * ("pairwise" in wanted)


def check(p: dict) -> None:
    """Raise BadInput for what cannot work, before anything is spent: a parameter, or another run that has no answers to compare with."""
    check_parameters(p)
    for system in p.get("systems", []):
        if folder := other_run(system, Path("runs")):
            find_answers(folder, max_tokens=p.get("max_reply_tokens", 512), temperature=p.get("answer_temperature", 0.0))


def check_parameters(p: dict) -> None:
    """Raise BadInput for a parameter that cannot work."""
    if p.get("retriever", "hybrid") not in RETRIEVERS:
        raise BadInput(f"retriever: expected one of {', '.join(RETRIEVERS)}; found {p['retriever']!r}")
    widths = p.get("top_k")
    if not widths or any(type(k) is not int or k < 1 for k in widths):
        raise BadInput(
            f"top_k: expected a list of whole numbers from 1 on, such as [3, 5, 7]; found {widths!r} (closed book is always asked)"
        )
    systems = p.get("systems", ["student", "baseline"])
    if not systems or len(set(systems)) != len(systems):
        raise BadInput(f"systems: expected different names, such as ['student', 'baseline']; found {systems!r}")
    if p.get("max_reply_tokens", 512) < 1:
        raise BadInput(f"max_reply_tokens: expected at least 1; found {p['max_reply_tokens']}")
    for name, known in (("contexts", tuple(CONTEXTS)), ("opinions", OPINIONS)):
        if unknown := [value for value in p.get(name, []) if value not in known]:
            raise BadInput(f"{name}: expected some of {', '.join(known)}; found {unknown[0]!r}")
    for name, least in (("context_distractors", 1), ("perplexity_tokens", 2)):  # a window's first token is not foretold
        if any(type(value) is not int or value < least for value in p.get(name, [])):
            raise BadInput(f"{name}: expected a list of whole numbers from {least} on, such as [4, 19]; found {p[name]!r}")
    judges = p.get("judges", ["judge"])
    if not judges or len(set(judges)) != len(judges):
        raise BadInput(f"judges: expected different names, the first of which counts, such as ['judge']; found {judges!r}")
    _check_names(systems, judges)
    repeats, temperature = p.get("repeats", 1), p.get("answer_temperature", 0.0)
    if repeats < 1 or temperature < 0:
        raise BadInput(f"repeats: expected 1 or more, and a temperature of 0 or more; found {repeats} and {temperature}")
    if repeats > 1 and not temperature:
        raise BadInput("repeats: greedy decoding gives the same reply each time; set answer_temperature above 0, or repeats to 1")
    if not 0 <= p.get("label_sheet", 100) <= 1000:
        raise BadInput(f"label_sheet: expected 0 to 1000 answers, best 50 to 200; found {p['label_sheet']}")
    for name in ("human_labels", *p.get("more_eval_sets", [])):
        path = p.get("human_labels", "") if name == "human_labels" else name
        if path and not Path(path).is_file():
            raise BadInput(f"{name if path is not name else 'more_eval_sets'}: no such file: {path}")


def _check_names(systems: list[str], judges: list[str]) -> None:
    """Whether something answers to every name: a name mistyped is found out after the others have been asked otherwise."""
    asked = [system for system in systems if system not in TRAINED_HERE and not system.startswith(OTHER_RUN)]
    for parameter, names, known in (
        ("systems", asked, f"{', '.join(TRAINED_HERE)} or {OTHER_RUN}NAME"),
        ("judges", [judge for judge in judges if judge not in STOOD_IN], " or ".join(STOOD_IN)),
    ):
        if unset := [name for name in names if not is_set(name)]:
            raise BadInput(
                f"{parameter}: expected {known}, or a role that is set; found {unset[0]!r}: mend the name, or set "
                f"{unset[0].upper()}_OPENAI_BASE_URL and {unset[0].upper()}_OPENAI_DEPLOYMENT, or {unset[0].upper()}_LOCAL_MODEL"
            )


def _count_questions(p: dict) -> tuple[int, str]:
    documents = Path(p.get("documents", "data/documents"))
    path = find_file(p.get("eval_set", ""), str(documents))
    if path is None and (n := p.get("foretold", {}).get("eval questions")):
        return n, "as 1_gen foretells them: generated questions, held out"
    if path is None:
        chars = sum(f.stat().st_size for f in documents.rglob("*") if f.is_file()) if documents.exists() else 0
        n = int(chars / p.get("chunk_chars", 1000) * p.get("questions_per_chunk", 5) * p.get("p_test", 0.1))
        guess = "a guess" if documents.exists() else "one supposed until 1_gen has fetched the pages"
        return max(n, 1), f"{guess}: no eval set is given, so generated questions of held-out documents are asked"
    return len(read_file("eval_set", path)), str(path)


if __name__ == "__main__":
    try:
        ask = check if sys.argv[2:] == ["check"] else plan
        print(json.dumps(ask(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), ensure_ascii=False))
    except BadInput as error:
        sys.exit(f"{error}")
