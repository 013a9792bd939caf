"""Executes one notebook with papermill and exports the executed one, the failed one too, as HTML.

In: `<name>.ipynb` → out: `runs/<run>/notebooks/<name>.ipynb` and `.html`. Which notebooks run is decided elsewhere.
"""

import contextlib
import json
import logging
import os
import re
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from lib.run.log import CellLog, RunLog

ERROR_LINES = 12
INTERRUPT_S = 40.0  # a cell that a Ctrl-C interrupts has so long to end; who asks a model lets replies under way arrive
ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
FRAME = re.compile(r"^File (\S+?\.py):(\d+),? in (\w+)", re.MULTILINE)


class CellFailed(Exception):
    """A cell of a notebook failed.

    Attributes:
        notebook: Its name, `2_finetune`.
        place: Which cell.
        lines: The end of the error, a few lines.
    """

    def __init__(self, notebook: str, place: str, lines: list[str]):
        super().__init__(f"{notebook} failed in {place}: {lines[-1] if lines else 'no message'}")
        self.notebook, self.place, self.lines = notebook, place, lines


def execute_notebook(notebook: str, parameters: dict, *, folder: Path, run_dir: Path, log: RunLog) -> float:
    """Run a notebook from top to bottom.

    Args:
        notebook: Its name without `.ipynb`.
        parameters: Values injected after its parameters cell.
        folder: Where the notebook lies; its kernel's working directory.
        run_dir: Folder of the run.
        log: Told every cell.

    Returns:
        Seconds it took.

    Raises:
        CellFailed: A cell raised, or the kernel died. The half-executed notebook is kept.
        KeyboardInterrupt: Ctrl-C, once its cell has ended or `INTERRUPT_S` are over; a second one ends it at once. More exactly: what
            this process's handler of SIGINT does.
    """
    import papermill  # here, because it takes a second
    from jupyter_client.manager import AsyncKernelManager
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    for chatty in ("papermill", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    source = folder / f"{notebook}.ipynb"
    executed = run_dir / "notebooks" / f"{notebook}.ipynb"
    executed.parent.mkdir(parents=True, exist_ok=True)
    cells = json.loads(source.read_text(encoding="utf-8"))["cells"]
    telling = CellLog(log, [cell.get("id", f"cell-{i}") for i, cell in enumerate(cells) if cell["cell_type"] == "code"])
    started, failure, kernels = time.monotonic(), None, []

    class Manager(AsyncKernelManager):
        def __init__(self, **more):
            super().__init__(**more)
            kernels.append(self)

    def interrupt() -> bool:
        if telling.cell:
            with contextlib.suppress(ProcessLookupError):
                os.kill(kernels[-1].provisioner.pid, signal.SIGINT)
        return bool(telling.cell)

    with interrupting(interrupt) as is_asked:

        def start(cell, **more) -> None:
            if is_asked():  # it came between two cells, or the last one took no notice
                signal.raise_signal(signal.SIGINT)
            telling.start(cell, **more)

        try:
            papermill.execute_notebook(
                source, executed, parameters=parameters, kernel_name="python3", cwd=folder, progress_bar=False,
                stdout_file=telling, on_cell_execute=start, on_cell_executed=telling.done, start_timeout=120,
                extra_arguments=["--IPKernelApp.log_level=50"], kernel_manager_class=Manager,
            )  # fmt: skip
        except PapermillExecutionError as error:
            failure = CellFailed(notebook, telling.place, error_lines(error.ename, error.evalue, error.traceback))
        except DeadKernelError:
            reason = "The notebook's process died. A process that asks for more memory than there is dies like this."
            failure = CellFailed(notebook, telling.place, [reason])
        export_html(executed)
        if is_asked():
            signal.raise_signal(signal.SIGINT)
    if failure:
        raise failure
    return time.monotonic() - started


@contextlib.contextmanager
def interrupting(interrupt: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Hand the first Ctrl-C on, and let the next one, or one of our own after `INTERRUPT_S`, do what it did before.

    Args:
        interrupt: Interrupts what is going on; False where nothing is yet, so that the first Ctrl-C ends it all.

    Yields:
        Whether there was a Ctrl-C.
    """
    before, asked = signal.getsignal(signal.SIGINT), []
    later = threading.Timer(INTERRUPT_S, signal.pthread_kill, (threading.get_ident(), signal.SIGINT))
    later.daemon = True

    def hand_on(number: int, frame) -> None:
        asked.append(number)
        signal.signal(signal.SIGINT, before)
        if interrupt():
            later.start()
        else:
            signal.raise_signal(signal.SIGINT)

    if before != signal.SIG_IGN:
        signal.signal(signal.SIGINT, hand_on)
    try:
        yield lambda: bool(asked)
    finally:
        later.cancel()
        if signal.getsignal(signal.SIGINT) is hand_on:
            signal.signal(signal.SIGINT, before)


def export_html(executed: Path) -> Path | None:
    """Write an executed notebook as HTML beside it; None when there is none or it is no complete file."""
    from nbconvert import HTMLExporter

    if not executed.is_file():
        return None
    page = executed.with_suffix(".html")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        body, _ = HTMLExporter().from_filename(str(executed))
    page.write_text(body, encoding="utf-8")
    return page


def error_lines(name: str, message: str, traceback: list[str]) -> list[str]:
    """The end of an error, for people: where in the code it was raised, its type, and the last lines of its message."""
    plain = ANSI.sub("", "\n".join(traceback))
    frames = FRAME.findall(plain)
    lines = [line.rstrip() for line in ANSI.sub("", message).splitlines() if line.strip()]
    last = lines[-ERROR_LINES:] or ["(no message)"]
    if len(lines) > ERROR_LINES:
        last[0] = "…"
    where = [f"raised in {Path(frames[-1][0]).name}, line {frames[-1][1]} ({frames[-1][2]})"] if frames else []
    return where + [f"{name}: {last[0]}", *last[1:]]
