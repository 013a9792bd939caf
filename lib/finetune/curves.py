"""Figures and tables of a training: loss over steps, lengths of the rows, rows with what is in the loss."""

import html
from collections.abc import Sequence

from lib.finetune.rows import Row
from lib.run import COLOURS

PROMPT_CHARS = 700


def plot_loss(lines: Sequence[dict]):
    """Loss on the answers over steps, and on held-out rows at the end. `lines` are those of `training/log.jsonl`."""
    from matplotlib import pyplot

    train = [(line["step"], line["loss"]) for line in lines if "loss" in line]
    valid = [(line["step"], line["valid_loss"]) for line in lines if "valid_loss" in line]
    figure, axes = pyplot.subplots()
    steps, losses = zip(*train, strict=True)
    axes.plot(steps, losses, color=COLOURS["student"], alpha=0.3, linewidth=1, label="training rows, each step")
    axes.plot(steps, _smooth(losses), color=COLOURS["student"], linewidth=2, label="training rows, moving mean")
    if valid:
        axes.plot(
            *zip(*valid, strict=True),
            "o",
            color=COLOURS["refusal"],
            label=f"held-out rows at the end: {valid[-1][1]:.2f}",
        )
    axes.set(
        title="Loss on the answers", xlabel="optimiser step", ylabel="cross-entropy (nats per token)", ylim=(0, None)
    )
    axes.legend()
    return figure


def _smooth(values: Sequence[float]) -> list[float]:
    """Mean over a tenth of the values, centred; shorter at both ends."""
    reach = max(1, len(values) // 20)
    return [sum(part) / len(part) for i in range(len(values)) if (part := values[max(0, i - reach) : i + reach + 1])]


def plot_lengths(rows: Sequence[Row], max_length: int, context: int):
    """Histogram of tokens a row, prompts and answers apart, with the length trained at and the student's context."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots()
    total, answers = [len(row) for row in rows], [len(row.completion_ids) for row in rows]
    width = max(1, max_length // 40)
    bins = range(0, max(total) + 2 * width, width)
    axes.hist(total, bins=bins, color=COLOURS["grey"], alpha=0.7, label="whole row")
    axes.hist(answers, bins=bins, color=COLOURS["student"], alpha=0.7, label="answer (in the loss)")
    axes.axvline(max_length, color=COLOURS["refusal"], label=f"max_length {max_length}")
    if context <= 2 * max_length:
        axes.axvline(context, color=COLOURS["ink"], linestyle=":", label=f"student's context {context}")
    axes.set(title=f"Tokens a row (n = {len(rows)} rows)", xlabel="tokens", ylabel="rows")
    axes.legend()
    return figure


def show_rows(rows: Sequence[Row], tokenizer, n: int = 3):
    """Rows decoded from the very ids that are trained on: what is in the loss is highlighted, its stop token boxed.

    Args:
        rows: Every row; shown are the first, that with the shortest and that with the longest answer.
        tokenizer: The student's.
        n: How many at most.
    """
    from IPython.display import HTML

    by_answer = sorted(rows, key=lambda row: (len(row.completion_ids), row.row_id))
    chosen = list({row.row_id: row for row in [rows[0], by_answer[0], by_answer[-1], *rows[1:]]}.values())[:n]
    return HTML("".join(_row_html(row, tokenizer) for row in chosen))


def _row_html(row: Row, tokenizer) -> str:
    answer, stop = tokenizer.decode(row.completion_ids[:-1]), tokenizer.decode(row.completion_ids[-1:])
    shown, at = [], 0
    for start, end in row.earlier:
        shown += [_read(row.prompt_ids[at:start], tokenizer), _learnt(tokenizer.decode(row.prompt_ids[start:end]))]
        at = end
    n_learnt = len(row.completion_ids) + sum(end - start for start, end in row.earlier)
    return (
        '<div style="border:1px solid #E5E7EB;padding:.6em;margin:.4em 0;white-space:pre-wrap;font-size:90%">'
        f"<b>row {row.row_id}</b> · {len(row) - n_learnt} tokens to read, {n_learnt} in the loss\n"
        f"{''.join(shown)}{_read(row.prompt_ids[at:], tokenizer)}{_learnt(answer)}"
        f'<mark style="background:#1D4ED8;color:white;border-radius:3px;padding:0 .3em">{html.escape(stop)}</mark></div>'
    )


def _read(ids: Sequence[int], tokenizer) -> str:
    text = tokenizer.decode(ids)
    if len(text) > PROMPT_CHARS:
        text = f"{text[: PROMPT_CHARS // 2]} […] {text[-PROMPT_CHARS // 2 :]}"
    return f'<span style="color:#6B7280">{html.escape(text)}</span>'


def _learnt(text: str) -> str:
    return f'<mark style="background:#BFDBFE">{html.escape(text)}</mark>'
