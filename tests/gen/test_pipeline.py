"""Documents to files with a fake teacher: what must hold across stages."""

import json
import random
from collections import Counter

import pytest

from lib.gen import card, chunk, contamination, formats, funnel, heldout, mix, plan, prompt, recipes, split
from lib.gen.forecast import TALK_TOKENS, VERDICT_TOKENS
from lib.gen.load import load_documents
from lib.gen.pairs import generate_pairs
from lib.gen.quota import Ask
from lib.llm.raft import REFUSAL, parse_reply
from lib.run import BadInput
from lib.run.notebook import rng_for

from .corpus import NAMES, THINGS, make_corpus

N_PASSAGES = 60
SHARES = {
    "n_distractors": 2, "max_distractors": 0, "p_oracle": 0.8, "p_refusal": 0.1, "p_hard": 0.5, "both_contexts": False,
    "no_oracle_label": "answer",
}  # fmt: skip
PARAMETERS = {
    "documents": "", "recipe": "raft", "eval_set": "", "chunker": "recursive", "chunk_chars": 300, "p_overlap": 0.1, "seed": 1,
    "questions_per_chunk": 3, "p_valid": 0.1, "p_test": 0.2, "dataset_format": "chat", "system_prompt": "default",
    "student_model": "org/model", "max_in_flight": 8, "budget_usd": 0.0, **SHARES,
    "eval_columns": [], "eval_from": "documents", "eval_sha256": "", "refusals": [], "split_unit": "auto", "completion_stop": "",
    "contamination_check": "auto", "contamination_ngram": 5, "contamination_overlap": 0.8, "contamination_similarity": 0.95,
    "dataset_files": ["jsonl"], "push_to_hub": "", "push_private": True,
    "question_budget": 0, "target_rows": 0, "question_style": "default", "question_difficulty": "", "question_language": "",
    "text_column": "text", "crawl_delay_s": 1.0, "crawl_max_pages": 1000, "crawl_max_mb": 5.0, "crawl_agent": "raft-notebooks",
    "crawl_private": [], "crawl_refresh": False, "chunk_tokens": 256, "min_chunk_chars": 40, "p_breakpoint": 0.1,
    "near_duplicates": "group",
    "structured_output": "auto", "curate": False, "prompts_dir": "", "conversations": "", "p_summaries": 0.5,
}  # fmt: skip


@pytest.fixture
def documents(documents):
    """With one file that cannot be read."""
    (documents / "broken.pdf").write_bytes(b"%PDF no more")
    return documents


def generate(documents, teacher, seed=1):
    """Every file of the dataset as text, and the funnel."""
    loaded = load_documents(documents)
    chunks, dropped = chunk.cut_chunks(
        loaded.documents, chunker="recursive", chunk_chars=300, p_overlap=0.1, count_tokens=len
    )
    chunks, split_by = split.assign_splits(chunks, p_valid=0.1, p_test=0.2, rng=random.Random(seed))
    made = generate_pairs([Ask(c, 3) for c in chunks], teacher)
    asked, kept = made.questions, made.answers
    eval_questions, corpus, dropped_eval = heldout.build_eval_set(kept, chunks, random.Random(seed))
    thresholds = {"ngram": 5, "overlap": 0.8, "similarity": 0.95}
    compared = contamination.remove_contaminated(kept, chunks, eval_questions, **thresholds)
    examples = mix.build_examples(compared.kept, corpus, rng=random.Random(seed), **SHARES)
    drops = [*loaded.dropped, *dropped, *made.dropped, *dropped_eval, *compared.dropped]
    steps = funnel.build_funnel(
        documents=len(loaded.documents), chunks=len(chunks), asked=len(chunks), questions=len(asked), answers=len(kept), drops=drops
    )  # fmt: skip
    form = formats.build_format("chat", prompt.system_prompt("default"))
    files = {
        "chunks": formats.chunk_rows(corpus),
        "questions": formats.question_rows(asked),
        "raft": [formats.raft_row(e) for e in examples],
        "train": list(formats.training_rows(examples, "train", form)),
        "valid": list(formats.training_rows(examples, "valid", form)),
        "eval": [q.row() for q in eval_questions],
        "rejected": formats.rejected_rows(drops),
    }
    about = {"eval_sha256": "0" * 64, "eval_origin": "generated", "teacher": "fake-teacher", "split_by": split_by}
    about["contamination"] = compared.sentence()
    text = card.build_card(
        parameters=PARAMETERS | {"documents": "documents"}, steps=steps, examples=examples, eval_questions=eval_questions, **about
    )  # fmt: skip
    return {"card": text} | {name: json.dumps(rows, ensure_ascii=False) for name, rows in files.items()}, steps, files


def worse(request, text):
    """Spoil some replies for good, others until they are asked again."""
    said = str(request.messages[1]["content"])
    if "Keld" in said and request.response_format:
        return "no idea"
    if "Moss" in said and "<ANSWER>" in text:
        return REFUSAL
    if "Nab" in said and "<ANSWER>" in text:
        return text.replace("<ANSWER>:", "Answer:")
    if "Pell" in said and "<ANSWER>" in text and len(request.messages) == 2:
        return text.replace("##end_quote##", "")
    return text


def test_the_same_inputs_and_seed_give_the_same_bytes_in_whatever_order_replies_come(documents, teacher):
    first, _, _ = generate(documents, teacher(worse))
    for seed in (5, 6):
        assert generate(documents, teacher(worse, random.Random(seed)))[0] == first
    assert generate(documents, teacher(worse), seed=2)[0] != first


def test_the_funnel_adds_up_and_everything_dropped_has_a_stage_and_a_reason(documents, teacher):
    _, steps, files = generate(documents, teacher(worse))
    by_name = {step.name: step for step in steps}
    assert by_name["documents"].came == 16
    assert by_name["chunks with a question"].came == by_name["chunks"].kept
    assert by_name["answers"].came == by_name["questions"].kept
    assert by_name["answers"].kept < by_name["answers"].came
    assert all(row["stage"] and row["reason"] and row["source"] for row in files["rejected"])
    table = funnel.funnel_table(steps)
    totals, reasons = table[table["stage"] != ""], table[table["stage"] == ""]
    assert totals["dropped"].sum() == reasons["dropped"].sum() == sum(len(step.dropped) for step in steps)


def test_no_reply_that_failed_verification_reaches_a_row(documents, teacher):
    _, _, files = generate(documents, teacher(worse))
    oracle_rows = [row for row in files["raft"] if row["kind"] == "oracle"]
    assert any("Pell" in row["oracle_context"] for row in oracle_rows)
    for row in oracle_rows:
        parsed = parse_reply(row["cot_answer"])
        assert parsed.has_tag
        assert not parsed.refused
        assert all(" ".join(q.split()) in " ".join(row["oracle_context"].split()) for q in parsed.quotes)


def test_nothing_of_the_test_split_is_in_a_training_row(documents, teacher):
    _, _, files = generate(documents, teacher())
    side = {row["chunk_id"]: row["split"] for row in files["chunks"]}
    assert {side[i] for row in files["raft"] if row["split"] == "train" for i in row["context_chunk_ids"]} == {"train"}
    assert {row["question"] for row in files["eval"]}.isdisjoint(row["question"] for row in files["raft"])
    assert {row["split"] for row in files["eval"]} == {"test"}


def test_training_rows_are_the_raft_rows_in_the_form_that_students_are_asked(documents, teacher):
    _, _, files = generate(documents, teacher())
    rows = [row for row in files["raft"] if row["split"] == "train"]
    for row, trained in zip(rows, files["train"], strict=True):
        roles = [m["role"] for m in trained["messages"]]
        assert roles == ["system", "user", "assistant"]
        assert trained["messages"][1]["content"] == row["instruction"]
        assert trained["messages"][2]["content"] == row["cot_answer"]


def test_completion_rows_hold_the_prompt_that_students_are_sent(teacher, documents):
    chunks, made = make_corpus(12)
    examples = mix.build_examples(made, chunks, rng=random.Random(1), **SHARES)
    form = formats.build_format("completion", "Be brief.")
    for example, row in zip(examples, formats.training_rows(examples, "train", form), strict=True):
        assert row["prompt"] == form.prompt([c.text for c in example.context], example.question.question)
        assert row["completion"].startswith(example.cot_answer)


def test_the_card_names_counts_hash_teacher_and_parameters(documents, teacher):
    files, _, parts = generate(documents, teacher())
    text = files["card"]
    for part in (
        f"{len(parts['train'])} rows to train on",
        "0" * 64,
        "fake-teacher",
        "| `p_oracle` | `0.8` |",
        "| train | oracle |",
    ):
        assert part in text


def test_a_card_without_questions_to_evaluate_names_no_origin_of_any(documents, teacher):
    _, steps, _ = generate(documents, teacher())
    about = {"eval_sha256": "0" * 64, "eval_origin": "generated questions", "teacher": "t", "split_by": "document", "contamination": "none"}
    parameters = PARAMETERS | {"documents": "documents", "recipe": "summaries"}
    text = card.build_card(parameters=parameters, steps=steps, examples=[], eval_questions=[], **about)
    assert "- Eval set: none." in text and "generated questions" not in text


def test_the_plan_counts_calls_without_asking_anyone(documents, teacher):
    rows = {row["item"]: row for row in plan.plan(PARAMETERS | {"documents": str(documents)})}
    fake = teacher()
    generate(documents, fake)
    kinds = Counter(bool(request.response_format) for request in fake.asked)
    assert rows["chunks"]["value"] == kinds[True]
    assert rows["teacher calls"]["value"] >= kinds[True] + kinds[False]
    assert "broken.pdf" in rows["documents"]["note"]


def test_the_plan_of_summaries_and_conversations_draws_and_counts_what_the_run_does(tmp_path):
    """The same sections and conversations go into the mix, and the same of them to validation, as in a run of that seed."""
    rng, talks = random.Random(0), tmp_path / "talks.jsonl"
    (tmp_path / "books").mkdir()
    for i in range(30):
        prose = " ".join(f"The {rng.choice(NAMES)} {rng.choice(THINGS)} was {rng.randint(1, 999)} years old." for _ in range(20 + i))
        (tmp_path / "books" / f"{i}.txt").write_text(prose)
    turns = [[{"from": "human", "value": f"Why {i} {n}?"} for n in range(1 + i % 4)] for i in range(12)]
    talks.write_text("\n".join(json.dumps({"conversations": said}) for said in turns))
    p = PARAMETERS | {"recipe": "summaries", "documents": str(tmp_path / "books"), "conversations": str(talks), "chunk_chars": 4000}
    told = {row["item"]: row["value"] for row in plan.plan(p)}
    chunks, _ = recipes.cut(p, recipes.load(p, tmp_path).documents, chunk.token_counter(p["student_model"]))
    chunks, _ = recipes.choose_passages(p, chunks, rng_for(1, "passages"))
    chunks, _ = split.assign_splits(chunks, p_valid=0.1, p_test=0.0, rng=rng_for(1, "split"))
    asks = recipes.plan_asks(p, chunks, rng_for(1, "questions"))
    assert len(chunks) == 24 and told["teacher calls"] == sum(ask.n for ask in asks)
    assert told["training rows"] == sum(ask.n for ask in asks if ask.chunk.split == "train")
    assert told["validation rows"] == sum(ask.n for ask in asks if ask.chunk.split == "valid") > 0
    longest = max(ask.chunk.n_tokens + TALK_TOKENS * ask.n for ask in asks if ask.chunk.split == "train")
    assert longest <= told["longest row"] <= longest + 50 and told["usual row"] < told["longest row"]


def test_the_plan_of_an_eval_set_of_rows_holds_a_share_of_the_training_questions_out(documents):
    rows = {row["item"]: row["value"] for row in plan.plan(PARAMETERS | {"documents": str(documents), "eval_from": "rows", "p_refusal": 0.0})}
    assert rows["eval questions"] == round(0.2 * (rows["eval questions"] + rows["training rows"])) > 0


def test_the_plan_of_curation_prices_verdicts_as_replies(documents, monkeypatch):
    for name, value in {"OPENAI_BASE_URL": "http://h/v1", "OPENAI_DEPLOYMENT": "m", "PRICE_USD_PER_MTOKENS": "0 1000"}.items():
        monkeypatch.setenv(f"JUDGE_{name}", value)
    rows = {row["item"]: row["value"] for row in plan.plan(PARAMETERS | {"documents": str(documents), "curate": True})}
    assert rows["judge cost"] == pytest.approx(rows["judge calls"] * VERDICT_TOKENS / 1000)
    assert rows["judge tokens"] > 2 * rows["judge calls"] * VERDICT_TOKENS


def test_the_plan_of_closed_book_pairs_shows_no_passage(documents):
    rows = {row["item"]: row["value"] for row in plan.plan(PARAMETERS | {"documents": str(documents), "recipe": "qa"})}
    raft = {row["item"]: row["value"] for row in plan.plan(PARAMETERS | {"documents": str(documents)})}
    assert rows["longest row"] == rows["usual row"] < raft["usual row"] <= raft["longest row"]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"recipe": "soup"}, "recipe: expected one of raft, qa, conversations, summaries"),
        ({"p_test": 0.0}, "p_test: expected more than 0 where no eval set is given"),
        ({"questions_per_chunk": 0}, "questions_per_chunk: expected 1 or more"),
        ({"dataset_format": "xml"}, "dataset_format: expected 'chat' or 'completion'"),
        ({"system_prompt": "absent.txt"}, "system_prompt: expected 'default', 'none' or a text file"),
        ({"documents": "absent"}, "documents: expected a file"),
        ({"eval_set": "absent.csv"}, "eval_set: expected a file"),
        ({"n_distractors": 500}, "need at least 502 training chunks"),
        ({"p_oracle": -1.0}, "p_oracle: expected a share"),
        ({"max_distractors": 1}, "max_distractors: expected 0, or n_distractors"),
        ({"no_oracle_label": "silence"}, "no_oracle_label: expected one of answer, cot, refusal"),
        ({"refusals": ["No.", "No."]}, "refusals: expected different sentences"),
        ({"refusals": ["absent.txt"]}, "refusals: expected a text file"),
        ({"eval_from": "luck"}, "eval_from: expected one of documents, rows"),
        ({"eval_columns": ["prompt"]}, "eval_columns: expected name=column"),
        ({"split_unit": "page"}, "split_unit: expected one of auto, document, run"),
        ({"contamination_check": "nose"}, "contamination_check: expected one of auto, ngram, embedding"),
        ({"contamination_overlap": 0.0}, "contamination_overlap: expected more than 0"),
        ({"contamination_ngram": 0}, "contamination_ngram: expected 1 word or more"),
        ({"dataset_files": ["xls"]}, "dataset_files: expected a list of jsonl, parquet, arrow, hf"),
        ({"completion_stop": "<STOP>"}, "completion_stop: a chat ends with its template's stop token"),
        ({"documents": ""}, "documents: expected a file, a folder or the address of a sitemap; found an empty text"),
        ({"n_distractors": 1000}, "n_distractors: 1000 distractors need at least 1002 training chunks .* set n_distractors to"),
        ({"p_oracle": 1.5}, r"p_oracle: expected a share in \[0, 1\], found 1.5"),
        ({"questions_per_chunk": 0}, "questions_per_chunk: expected 1 or more"),
        ({"max_in_flight": 0}, "max_in_flight: expected 1 or more"),
        ({"budget_usd": -1.0}, "budget_usd: expected 0 or more"),
        ({"refusals": [5]}, "refusals: expected sentences or text files, found 5, a int"),
        ({"eval_sha256": "zz"}, "eval_sha256: expected 64 digits from 0 to f, found 'zz'"),
        ({"prices": "none.yaml"}, "prices: expected a YAML file"),
        ({"push_to_hub": "mine"}, "push_to_hub: expected owner/name"),
        ({"push_to_hub": "me/mine"}, "push_to_hub: expected the hub's token"),
    ],
)
def test_the_plan_refuses_what_the_notebook_would_refuse(documents, bad, message):
    with pytest.raises(BadInput, match=message):
        plan.plan(PARAMETERS | {"documents": str(documents)} | bad)


def test_a_system_prompt_may_be_absent_the_default_or_a_file(tmp_path):
    (tmp_path / "own.txt").write_text("Be brief.\n", encoding="utf-8")
    assert prompt.system_prompt("none") == ""
    assert REFUSAL in prompt.system_prompt("default")
    assert prompt.system_prompt(str(tmp_path / "own.txt")) == "Be brief."
