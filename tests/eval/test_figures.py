"""The bars of the report can be read at the width that it shows them in, however many systems and top-k values there are."""

from itertools import combinations

import pandas as pd
import pytest

from lib.eval import figures
from lib.eval.stats import wilson

SYSTEMS = ("student", "baseline", "teacher", "run:an-earlier-one", "a-large-model-of-another-house-70b-instruct", "gpt-4o-mini")


def make_summary(systems, top_k, n=1500):
    """Made-up rows of `eval/summary.csv`; the last system refuses everything at the largest top_k."""
    rows = []
    for i, system in enumerate(systems):
        for k in top_k:
            none = (system, k) == (systems[-1], top_k[-1])
            correct, refusals = (0, n) if none else (n * (3 * i + k) // 29, n * (2 + i) // 40)
            row = {"system": system, "top_k": k, "n": n, "correct": correct, "refusals": refusals, "answered": n - refusals}
            for name, count, of in (("judge", correct, n), ("refusals", refusals, n), ("precision", correct, n - refusals)):
                row[f"{name}_low"], row[f"{name}_high"] = wilson(count, of)
            rows.append(row)
    return pd.DataFrame(rows)


def boxes(figure):
    """The laid-out figure's box, and those of the texts at its bars, its group names, its title and its legend, in pixels."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure).draw()
    (axes,) = figure.axes
    groups = [label for label in (*axes.get_xticklabels(), *axes.get_yticklabels()) if label.get_text() and "%" not in label.get_text()]
    title = [child for child in axes.get_children() if getattr(child, "get_text", str)() == axes.get_title(loc="left")]
    return figure.bbox, [part.get_window_extent() for part in (*axes.texts, *groups, *title, axes.get_legend())]


@pytest.mark.parametrize("top_k", [(0, 1), (0, 1, 3, 5), (0, 1, 3, 5, 7, 10)])
@pytest.mark.parametrize("n_systems", [2, 4, 6])
def test_every_bar_has_its_text_beside_no_other_at_a_size_that_can_be_read(top_k, n_systems):
    figure = figures.plot_rate(make_summary(SYSTEMS[:n_systems], top_k), "precision")
    whole, parts = boxes(figure)
    assert figure.get_figwidth() == figures.WIDTH, "a wider one would be shrunk to the report's column, letters and all"
    texts = figure.axes[0].texts
    assert len(texts) == n_systems * len(top_k)
    assert {text.get_text() for text in texts} >= {"none", "0/1425"}
    assert min(text.get_fontsize() for text in (*texts, *figure.axes[0].get_legend().get_texts())) >= 8
    assert not any(one.overlaps(other) for one, other in combinations(parts, 2))
    assert all(whole.x0 <= part.x0 and part.x1 <= whole.x1 + 2 for part in parts)
    assert len(parts) == len(texts) + len(top_k) + 2
    assert len({patch.get_facecolor() for patch in figure.axes[0].patches}) == n_systems


def test_bars_stand_upright_where_their_texts_fit_and_keep_their_order_where_they_lie():
    upright = figures.plot_rate(make_summary(SYSTEMS[:2], (0, 1, 3), 71), "judge_score").axes[0]
    assert [label.get_text() for label in upright.get_xticklabels()] == ["closed book", "top-k 1", "top-k 3"]
    lying = figures.plot_rate(make_summary(SYSTEMS[:4], (0, 1, 3, 5), 71), "judge_score").axes[0]
    assert [label.get_text() for label in lying.get_yticklabels()] == ["closed book", "top-k 1", "top-k 3", "top-k 5"]
    first, last = lying.patches[0], lying.patches[-1]
    assert lying.transData.transform((0, first.get_y()))[1] > lying.transData.transform((0, last.get_y()))[1]
    assert first.get_width() == pytest.approx(0 / 71)
    assert lying.patches[1].get_width() == pytest.approx((71 * 1 // 29) / 71)
