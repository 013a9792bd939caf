from dataclasses import replace

import pandas as pd

from lib.gen.figures import MAX_WORD, plot_chunk_lengths, show_table
from lib.gen.funnel import build_funnel, plot_funnel
from lib.gen.records import API, Drop

from .corpus import make_corpus


def test_a_long_call_may_break_so_that_it_takes_no_width_from_other_columns():
    call = "service.users().settings().filters().get(userId='me')"
    page = show_table(pd.DataFrame({"question": ["Which call gets a filter?"], "answer": [call]})).to_html()
    assert len(call) > MAX_WORD and page.count("overflow-wrap: anywhere") == 1


def test_a_share_of_nothing_is_an_empty_cell():
    assert "nan" not in show_table(pd.DataFrame({"kind": ["oracle"], "share": [float("nan")]})).to_html()


def test_the_figure_says_that_api_records_are_longer_than_asked_for_and_why():
    chunks, _ = make_corpus(8)
    shown = [
        [text.get_text() for text in plot_chunk_lengths(held, 10).axes[0].texts]
        for held in (chunks, [replace(chunk, type=API) for chunk in chunks])
    ]
    assert ["API records" in texts[0] for texts in shown] == [False, True]


def test_the_last_step_keeps_what_makes_rows_and_the_eval_set_and_no_bar_is_under_the_legend():
    drops = [Drop(stage, "why", stage, "a.txt") for stage in ("contamination", "eval", "corpus")]
    steps = build_funnel(documents=1, chunks=9, asked=9, questions=9, answers=9, drops=drops)
    assert (steps[-1].name, steps[-1].kept, len(steps[-1].dropped)) == ("kept", 7, 2)
    figure = plot_funnel(steps)
    figure.draw_without_rendering()
    [axes] = figure.axes
    assert axes.get_legend().get_window_extent().y0 >= axes.get_window_extent().y1
