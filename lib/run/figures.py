"""One look for every figure: colours by role, a PNG in the run's folder, alt text for those who cannot see it."""

import base64
import html
import io
from pathlib import Path

# Okabe-Ito, told apart with every common colour blindness.
COLOURS = {
    "student": "#0072B2", "baseline": "#E69F00", "teacher": "#009E73", "judge": "#CC79A7", "embedder": "#56B4E9",
    "oracle": "#009E73", "distractor": "#9A9A9A", "refusal": "#D55E00", "grey": "#6B7280", "ink": "#1F2937",
}  # fmt: skip

STYLE = {
    "figure.figsize": (7.2, 3.8), "figure.dpi": 120, "savefig.dpi": 150, "savefig.bbox": "tight",
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "axes.titlesize": 12,
    "axes.titleweight": "bold", "axes.grid": True, "axes.grid.axis": "y", "grid.color": "#E5E7EB", "axes.axisbelow": True,
    "axes.edgecolor": "#9CA3AF", "axes.labelcolor": "#1F2937", "text.color": "#1F2937", "font.size": 10,
    "legend.frameon": False,
}  # fmt: skip


def apply_style() -> None:
    """Set matplotlib's defaults to the project's look."""
    import matplotlib  # here, since servers and trainers import lib.run too and draw nothing

    matplotlib.rcParams.update(STYLE)


def show_figure(figure, path: str | Path, alt: str):
    """Save a figure as PNG and return it as an HTML image with alt text, for a notebook cell to show.

    Args:
        figure: A matplotlib Figure; it is closed.
        path: PNG file to write.
        alt: What the figure shows, in words.
    """
    from IPython.display import HTML
    from matplotlib import pyplot

    buffer = io.BytesIO()
    # No date or version in the file: the same figure is the same bytes.
    figure.savefig(buffer, format="png", metadata={"Software": None})
    pyplot.close(figure)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(buffer.getvalue())
    data = base64.b64encode(buffer.getvalue()).decode()
    return HTML(f'<img src="data:image/png;base64,{data}" alt="{html.escape(alt)}" style="max-width:100%">')
