"""What the notebook shows of a dataset: histograms, samples, and a row rendered with its oracle and quotes marked."""

import html
from collections.abc import Sequence
from pathlib import Path

from lib.gen.records import API, Answer, Chunk, Example
from lib.llm.raft import ANSWER_TAG, BEGIN_QUOTE, END_QUOTE, parse_reply, squeeze
from lib.run import COLOURS, read_json

MAX_WORD = 40  # characters that a table's column may take for one word


def show_table(table):
    """A DataFrame as a table to read: text to the left, nothing cut off, no row numbers, three decimals, nothing where no number is."""
    heads = [{"selector": "th", "props": "text-align: left"}, {"selector": "th, td", "props": "vertical-align: top"}]
    words = [name for name in table.columns if not str(table[name].dtype).lower().startswith(("int", "float"))]
    # A call or an address has no blank to break at: left whole, it takes its width from every other column.
    solid = [name for name in words if any(len(word) > MAX_WORD for text in table[name] for word in str(text).split())]
    styled = table.style.hide(axis="index").set_table_styles(heads).set_properties(subset=words, **{"text-align": "left"})
    styled = styled.set_properties(subset=solid, **{"overflow-wrap": "anywhere", "min-width": "12em"})
    numbers = [name for name in table.columns if name not in words]
    return styled.format(escape="html").format(precision=3, na_rep="", subset=numbers)


def plot_chunk_lengths(chunks: Sequence[Chunk], limit: int, unit: str = "characters"):
    """Histogram of chunk lengths in `unit` (characters or tokens), with the limit asked for."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.2, 2.8))
    lengths = [chunk.n_tokens if unit == "tokens" else chunk.n_chars for chunk in chunks]
    axes.hist(lengths, bins=30, color=COLOURS["embedder"])
    axes.margins(y=0.2)  # room for what the line says, above the bars
    axes.axvline(limit, color=COLOURS["ink"], linestyle="--", linewidth=1)
    over = ", API records stay whole" if max(lengths) > limit and any(chunk.type == API for chunk in chunks) else ""
    axes.text(limit, axes.get_ylim()[1], f" longest asked for{over}", va="top", fontsize=9)
    median = sorted(lengths)[len(lengths) // 2]
    axes.set(title=f"{len(lengths)} chunks, median {median} {unit}", xlabel=unit, ylabel="chunks")
    return figure


def plot_row_tokens(lengths: Sequence[int], limit: int | None, unit: str):
    """Histogram of the lengths of training rows, with the student's longest context where it is known.

    Args:
        lengths: Tokens of every row, label included.
        limit: The student's context in tokens, or None.
        unit: What was counted: tokens of which tokenizer, or an estimate.
    """
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7.2, 2.8))
    axes.hist(lengths, bins=30, color=COLOURS["student"])
    title = f"{len(lengths)} rows, longest {max(lengths)}"
    if limit:
        title += f", {sum(length > limit for length in lengths)} over the student's context of {limit}"
    if limit and limit < 2 * max(lengths):  # a line far to the right would squeeze the histogram
        axes.axvline(limit, color=COLOURS["refusal"], linestyle="--", linewidth=1)
        axes.text(limit, axes.get_ylim()[1], f"student's context {limit} ", va="top", ha="right", fontsize=9)
    axes.set(title=title, xlabel=unit, ylabel="rows")
    return figure


def context_limit(student_model: str) -> int | None:
    """The longest context of a student that lies in a local folder, tokens; None where it is not known."""
    path = Path(student_model) / "config.json"
    return read_json(path).get("max_position_embeddings") if path.is_file() else None


def answers_table(answers: Sequence[Answer], chunks: dict[str, Chunk], n: int = 3):
    """Answers of `n` documents spread over the dataset, from the middle of each: question, answer, quote, source."""
    import pandas as pd

    held: dict[str, list[Answer]] = {}
    for answer in answers:
        held.setdefault(chunks[answer.question.chunk_id].source, []).append(answer)
    sources = list(held)
    picked = [(source, held[source][len(held[source]) // 2]) for source in sources[:: max(1, len(sources) // n)][:n]]
    rows = [
        {"question": a.question.question, "answer": a.answer, "quote": squeeze("".join(a.quotes[:1]))[:200], "source": source}
        for source, a in picked
    ]  # fmt: skip
    return pd.DataFrame(rows)


def drops_table(drops: Sequence, n: int = 8):
    """A sample of what was dropped, one of every reason before a second of any: stage, reason, text, detail."""
    import pandas as pd

    seen: dict[tuple, int] = {}
    ranked = []
    for drop in drops:
        seen[drop.stage, drop.reason] = seen.get((drop.stage, drop.reason), 0) + 1
        ranked.append((seen[drop.stage, drop.reason], drop))
    picked = [drop for _, drop in sorted(ranked, key=lambda pair: pair[0])][:n]
    columns = ("stage", "reason", "source", "text", "detail")
    return pd.DataFrame(
        [{name: squeeze(getattr(drop, name))[:120] for name in columns} for drop in picked], columns=columns
    )


def render_example(example: Example):
    """A RAFT row as HTML: the chunks shown, the oracle framed, the quotes marked, the label below."""
    from IPython.display import HTML

    quotes = parse_reply(example.cot_answer).quotes
    parts = []
    for chunk in example.context:
        is_oracle = chunk.chunk_id == example.oracle.chunk_id
        colour = COLOURS["oracle" if is_oracle else "distractor"]
        kind = (
            "oracle"
            if is_oracle
            else "distractor, retrieved"
            if chunk.chunk_id in example.hard_ids
            else "distractor, random"
        )
        where = " · ".join(filter(None, (chunk.source, chunk.section, f"page {chunk.page}" if chunk.page else "")))
        text = _mark(chunk.text, quotes) if is_oracle else html.escape(chunk.text)
        parts.append(
            f'<div style="border-left:4px solid {colour};padding:.3em .8em;margin:.4em 0">'
            f'<div style="color:{colour};font-size:85%"><b>{kind}</b> · {html.escape(where)}</div>'
            f'<div style="white-space:pre-wrap">{text}</div></div>'
        )
    label = html.escape(example.cot_answer)
    for tag, colour in ((BEGIN_QUOTE, "grey"), (END_QUOTE, "grey"), (ANSWER_TAG, "oracle")):
        label = label.replace(html.escape(tag), f'<span style="color:{COLOURS[colour]}">{html.escape(tag)}</span>')
    said = "".join(f"<p>{html.escape(turn)}</p>" for turn in example.question.history)
    asked = f"{said}<p><b>{html.escape(example.question.question)}</b></p>"
    return HTML(
        f'<div style="max-width:52em">{"".join(parts)}{asked}<div style="white-space:pre-wrap">{label}</div></div>'
    )


def _mark(text: str, quotes: Sequence[str]) -> str:
    """Escape a chunk's text and mark its quotes; where line breaks differ, the text is shown with its whitespace squeezed."""
    if not all(quote in text for quote in quotes):
        text = squeeze(text)
        quotes = [squeeze(quote) for quote in quotes]
    text = html.escape(text)
    for quote in quotes:
        quoted = html.escape(quote)
        text = text.replace(quoted, f'<mark style="background:#FDE68A">{quoted}</mark>', 1)
    return text
