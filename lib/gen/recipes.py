"""The recipes of 1_gen, and where they part: what is asked, how rows are made, which later stages apply.

`raft`: rows with distractors, to be answered from documents. `qa`: questions and answers, to be known by heart. `conversations`:
a person's turns answered by the teacher. `summaries`: long sections summed up, mixed with conversations where there are any.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from lib.gen import mix, quota, sources
from lib.gen.chains import run_chains
from lib.gen.conversations import CONVERSATION, conversation_chain, keep_whole, read_conversations, turns_of
from lib.gen.formats import build_format, training_row
from lib.gen.load import Loaded
from lib.gen.pairs import Pairs, generate_pairs
from lib.gen.prompt import read_prompt, system_prompt
from lib.gen.quota import Ask
from lib.gen.records import Answer, Chunk, Document, Drop, Example, teacher_failed
from lib.gen.rows import OWN_FILES, closed_book_row, own_files, talk_examples, talk_row
from lib.gen.summaries import SUMMARY, deal_instructions, long_sections, summary_chain
from lib.llm.raft import Format
from lib.run import BadInput, write_jsonl
from lib.run.questions import find_file

RECIPES = ("raft", "qa", "conversations", "summaries")
ASKED = ("raft", "qa")  # recipes that ask questions about documents, and so can be evaluated
NEXT = {
    "raft": "2_finetune, 3_deploy and 4_eval apply.",
    "qa": "2_finetune, 3_deploy and 4_eval apply; the student learns to answer without documents, so the closed-book column of 4_eval (top_k 0) is the one to read.",
    "conversations": "2_finetune applies. 3_deploy and 4_eval do not: there are no documents to ask about, so run with --only 1,2.",
    "summaries": "2_finetune applies. 3_deploy and 4_eval do not: there are no questions to ask, so run with --only 1,2.",
}


def check_recipe(p: dict) -> None:
    """Refuse a recipe that cannot be followed.

    Raises:
        BadInput: An unknown recipe, one without its file, or a share outside [0, 1].
    """
    if p["recipe"] not in RECIPES:
        raise BadInput(f"recipe: expected one of {', '.join(RECIPES)}, found {p['recipe']!r}")
    if p["recipe"] == "conversations" and not p["conversations"]:
        raise BadInput("conversations: recipe 'conversations' needs a file of human turns, found an empty text")
    if p["conversations"] and not Path(p["conversations"]).is_file():
        raise BadInput(f"conversations: expected a file, found nothing at {p['conversations']}")
    if not 0 < p["p_summaries"] <= 1:
        raise BadInput(f"p_summaries: expected a share in (0, 1], found {p['p_summaries']}")


def own_eval_set(p: dict) -> Path | None:
    """The user's eval set, where the recipe can be evaluated."""
    return find_file(p["eval_set"], p["documents"]) if p["recipe"] in ASKED else None


def mix_shares(p: dict) -> dict:
    """The mix's parameters; `qa` shows every question its own passage alone in `raft.jsonl`, and none in the rows it trains on."""
    shares = {name: p[name] for name in mix.PARAMETERS}
    if p["recipe"] == "raft":
        return shares
    alone = {
        "n_distractors": 0,
        "max_distractors": 0,
        "p_hard": 0.0,
        "p_oracle": 1.0,
        "p_refusal": 0.0,
        "both_contexts": False,
    }
    return shares | {name: value for name, value in alone.items() if name in shares}


def held_out(p: dict) -> float:
    """Share of the documents kept for the eval set: none where the recipe has no eval set."""
    return p["p_test"] if p["recipe"] in ASKED else 0.0


def row_system_prompt(p: dict) -> str:
    """What every row is told; the default depends on the recipe, and talk has none."""
    if p["system_prompt"] == "default" and p["recipe"] != "raft":
        return read_prompt("system_qa", p["prompts_dir"]) if p["recipe"] == "qa" else ""
    return system_prompt(p["system_prompt"], p["prompts_dir"])


def build_form(p: dict, refusals: Sequence[str]) -> Format:
    """How the recipe's rows are written, and students asked: a completion of talk stands behind `[INST] … [/INST]` (`talk_row`)."""
    stop = {"completion_stop": p["completion_stop"]}
    form = build_format(p["dataset_format"], row_system_prompt(p), refusals=refusals, **stop)
    return form if p["recipe"] in ASKED else replace(form, completion_prompt="{system}[INST] {instruction} [/INST]")


def load(p: dict, run_dir: Path) -> Loaded:
    """What the recipe reads: documents, conversations, or both."""
    return _with_talks(p, Loaded((), ()) if p["recipe"] == "conversations" else sources.load_sources(p, run_dir))


def preview(p: dict) -> tuple[Loaded | None, list[dict]]:
    """The same for a plan, as far as it can be known without fetching pages; and rows that say so."""
    loaded, rows = (Loaded((), ()), []) if p["recipe"] == "conversations" else sources.preview(p)
    return loaded and _with_talks(p, loaded), rows


def _with_talks(p: dict, loaded: Loaded) -> Loaded:
    if p["recipe"] in ASKED or not p["conversations"]:
        return loaded
    talks, dropped = read_conversations(p["conversations"])
    return replace(loaded, documents=(*loaded.documents, *talks), dropped=(*loaded.dropped, *dropped))


def cut(p: dict, documents: Sequence[Document], count_tokens, embedder=None) -> tuple[list[Chunk], list[Drop]]:
    """Chunks of the documents, and conversations whole; and what was dropped."""
    talks = [document for document in documents if document.type == CONVERSATION]
    others = [document for document in documents if document.type != CONVERSATION]
    chunks, dropped = sources.cut_sources(p, others, count_tokens, embedder) if others else ([], [])
    return [*chunks, *keep_whole(talks, count_tokens)], list(dropped)


def choose_passages(p: dict, chunks: Sequence[Chunk], rng: random.Random) -> tuple[list[Chunk], list[Drop]]:
    """What the recipe asks about: all chunks; or long sections, and conversations in their share.

    Args:
        p: Parameters by name.
        chunks: In order.
        rng: Decides which sections and conversations go into a mix of `p_summaries`, before anything is asked.

    Returns:
        Chunks in order, and what was left out: drops of stage `chunk`, since the chunks returned are all that is counted after it.
    """
    if p["recipe"] != "summaries":
        return list(chunks), []
    talks = [chunk for chunk in chunks if chunk.type == CONVERSATION]
    sections, short = long_sections([chunk for chunk in chunks if chunk.type != CONVERSATION])
    if not sections:
        raise BadInput(
            "documents: no section is long enough to sum up; raise chunk_chars (a chapter has 10,000 and more)"
        )
    if not talks:
        return sections, short
    n_sections, n_talks = balance(len(sections), len(talks), p["p_summaries"])
    chosen = []
    for held, n in ((sections, n_sections), (talks, n_talks)):
        kept = set(rng.sample(range(len(held)), n))
        chosen += [chunk for i, chunk in enumerate(held) if i in kept]
        short += [
            Drop("chunk", "more than its share of the mix", chunk.chunk_id, chunk.source, chunk.text[:200])
            for i, chunk in enumerate(held)
            if i not in kept
        ]
    return chosen, short


def balance(n_first: int, n_second: int, p_first: float) -> tuple[int, int]:
    """The most of two kinds that can be had when the first is to have the share `p_first` of both."""
    if p_first >= 1:
        return n_first, 0
    total = int(min(n_first / p_first, n_second / (1 - p_first)) + 1e-9)
    first = min(n_first, mix.share(p_first, total))
    return first, min(n_second, total - first)


def plan_asks(p: dict, chunks: Sequence[Chunk], rng: random.Random) -> list[Ask]:
    """What each chunk is asked: questions, the replies to its turns, or one summary."""
    if p["recipe"] in ASKED:
        wishes = ("questions_per_chunk", "question_budget", "question_style", "question_difficulty")
        return quota.plan_asks(chunks, rng=rng, **{name: p[name] for name in wishes})
    return [
        Ask(chunk, len(turns_of(chunk)), CONVERSATION) if chunk.type == CONVERSATION else Ask(chunk, 1, SUMMARY)
        for chunk in chunks
    ]


def generate(
    p: dict, asks: Sequence[Ask], teacher, *, taken, structured: bool, rng: random.Random, n_wanted: int = 0
) -> Pairs:
    """Ask for everything that the recipe's rows are made of.

    Args:
        p: Parameters by name.
        asks: What each chunk is asked (`plan_asks`).
        teacher: An asker of `lib.llm`.
        taken: Questions of the eval set.
        structured: Whether the teacher takes a JSON schema.
        rng: Deals instructions for summaries, and the order in which a target is filled.
        n_wanted: Verified answers after which to stop; 0 for all.
    """
    folder = p["prompts_dir"]
    if p["recipe"] in ASKED:
        wish = {"recipe": p["recipe"], "language": p["question_language"], "folder": folder, "taken": taken}
        return generate_pairs(asks, teacher, structured=structured, n_wanted=n_wanted, rng=rng, **wish)
    chunks = [ask.chunk for ask in asks]
    instructions = deal_instructions(len(chunks), rng, folder)
    chains = [
        conversation_chain(chunk, teacher.role.model, folder=folder)
        if chunk.type == CONVERSATION
        else summary_chain(chunk, instruction, teacher.role.model, folder=folder)
        for chunk, instruction in zip(chunks, instructions, strict=True)
    ]
    made = [pair for result in run_chains(teacher, chains, ("replies",)) for pair in result]
    answers = tuple(held for _, held in made if isinstance(held, Answer))
    dropped = tuple(held for _, held in made if isinstance(held, Drop))
    if not answers:
        raise teacher_failed(f"no usable reply to {len(chunks)} {p['recipe']}", dropped)
    return Pairs(tuple(question for question, _ in made), answers, dropped, len(chunks))


def build_examples(p: dict, answers: Sequence[Answer], chunks: Sequence[Chunk], **mixing) -> list[Example]:
    """Rows before they are written: the RAFT mix, or a row for every turn and summary."""
    if p["recipe"] in ASKED:
        return mix.build_examples(answers, chunks, **mixing)
    return talk_examples(answers, {chunk.chunk_id: chunk for chunk in chunks})


def row_maker(recipe: str) -> Callable[[Example, Format], dict]:
    """What writes a line of `train.jsonl` and `valid.jsonl`."""
    return {"raft": training_row, "qa": closed_book_row}.get(recipe, talk_row)


def write_own_files(recipe: str, folder: Path, examples: Sequence[Example]) -> dict[str, int]:
    """Write what only this recipe has, and remove what another one left.

    Returns:
        Rows by name of the file, without its suffix.
    """
    found = own_files(recipe, examples)
    for name in OWN_FILES:
        if name not in found:
            (folder / name).unlink(missing_ok=True)
    for name, rows in found.items():
        write_jsonl(folder / name, rows)
    return {name.removesuffix(".jsonl"): len(rows) for name, rows in found.items()}
