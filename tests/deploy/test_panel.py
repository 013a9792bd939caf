"""The notebook's chat in a real kernel: a line comes from the page, the widget holds the answer."""

import ast
import subprocess
import sys

import pytest

from lib.deploy.health import is_healthy
from lib.run import write_json, write_jsonl
from lib.run.machine import free_port

from .fakes import ANSWERING, write_run
from .test_chat import CHUNKS

OPEN = """from pathlib import Path
from lib.deploy.chat import FinishedRun
from lib.deploy.panel import chat_panel
panel = chat_panel(FinishedRun(Path({folder!r})))
panel"""
STATE = "line, shown = panel.children[0].children[0], panel.children[1]; print(repr((line.value, line.disabled, shown.value)))"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run whose student is an endpoint that answers."""
    folder, port = tmp_path / "runs" / "toy", free_port()
    write_run(folder)
    write_jsonl(folder / "dataset" / "chunks.jsonl", CHUNKS)
    url = f"http://127.0.0.1:{port}/v1"
    write_json(folder / "run.json", {"stand_ins": [], "parameters": {"1_gen": {"n_distractors": 1}, "3_deploy": {"top_k": [2], "retriever": "bm25"}}, "stages": {}})
    write_json(folder / "serving" / "servers.json", {"student": {"engine": "endpoint", "base_url": url, "model": "m", "pid": None}})
    monkeypatch.setenv("STUDENT_OPENAI_BASE_URL", url)
    monkeypatch.setenv("STUDENT_OPENAI_DEPLOYMENT", "m")
    monkeypatch.delenv("RAFT_OWNER_PID", raising=False)
    server = subprocess.Popen([sys.executable, "-c", ANSWERING, str(port), "0"])
    while not is_healthy(url):
        assert server.poll() is None
    yield folder, server
    server.kill()
    server.wait()


@pytest.mark.smoke
def test_a_line_sent_by_the_page_is_answered_in_the_widget_and_a_dead_server_is_said_there(folder):
    import nbformat  # here: every default run collects this file, and it takes seconds to load
    from nbclient import NotebookClient

    folder, server = folder
    cells = [nbformat.v4.new_code_cell(source) for source in (OPEN.format(folder=str(folder)), STATE, STATE, STATE)]
    client = NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=120, resources={"metadata": {"path": "."}})

    def state(i):
        client.execute_cell(cells[i], i)
        return ast.literal_eval(cells[i]["outputs"][0]["text"])

    def enter(text):
        by_name = {(s["state"]["_model_name"], s["state"].get("placeholder")): key for key, s in widgets.items() if "_model_name" in s["state"]}
        comm = next(key for (name, hint), key in by_name.items() if name == "TextModel" and hint.startswith("Ask about"))
        message = {"comm_id": comm, "data": {"method": "update", "state": {"value": text}, "buffer_paths": []}}
        client.kc.shell_channel.send(client.kc.session.msg("comm_msg", message))

    with client.setup_kernel():
        client.execute_cell(cells[0], 0)
        assert "application/vnd.jupyter.widget-view+json" in cells[0]["outputs"][-1]["data"]
        widgets = {key: {"state": value} for key, value in client.widget_state.items()}
        assert state(1) == ("", False, "")
        enter("What does a boat pay?")
        line, disabled, shown = state(2)
        assert (line, disabled) == ("", False)
        assert "▸ What does a boat pay?" in shown
        assert "<mark>A boat pays 12 crowns.</mark> &lt;b&gt;Cash&lt;/b&gt; only." in shown
        server.kill()
        server.wait()
        enter("And a <ship>?")
        line, disabled, shown = state(3)
        assert (line, disabled) == ("And a <ship>?", False)  # to be sent again
        assert "▸ And a &lt;ship&gt;?" in shown
        assert "cannot be reached" in shown
        assert "What does a boat pay?" in shown
