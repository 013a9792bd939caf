"""The chat in a notebook: a line to type in, the reply as it comes, the passages under it. Asks nothing until a person does."""

import os
from html import escape

from lib.deploy.chat import open_talk
from lib.deploy.health import is_alive
from lib.deploy.show import as_html
from lib.llm import EndpointError
from lib.run import BadInput, read_json


def chat_panel(run, system: str = "student"):
    """A chat with a served system, as an ipywidgets box; where nobody is there to type, or it is not up, a line that says how to chat.

    Args:
        run: The open run, whose servers are up, if not in turn.
        system: Whom to talk to.
    """
    from IPython.display import Markdown

    if os.environ.get("RAFT_OWNER_PID"):
        return Markdown(f"Made headless: to talk to the {system}, `.venv/bin/python -m lib.deploy.chat --run {run.dir.name}`.")
    record = read_json(run.dir / "serving" / "servers.json").get(system, {})
    if record.get("pid") and not is_alive(record):
        return Markdown(f"The server of the {system} has made room for others: to talk to it, `.venv/bin/python -m lib.deploy.chat --run {run.dir.name}`, which starts it again.")
    return build_panel(open_talk(run, system))


def build_panel(talk):
    """The box of a conversation."""
    import ipywidgets as widgets

    line = widgets.Text(placeholder="Ask about the documents, then press Enter", continuous_update=False, layout=widgets.Layout(width="100%"))
    forget = widgets.Button(description="New conversation", layout=widgets.Layout(width="auto"))
    shown, past = widgets.HTML(), []

    def submit(_) -> None:
        question, text = line.value.strip(), ""
        if not question:
            return
        line.disabled = True
        head = f"<p><b>▸ {escape(question)}</b></p>"
        try:
            for piece in talk.ask(question):
                text += piece
                shown.value = "".join(past) + head + f"<pre style='white-space:pre-wrap'>{escape(text)}</pre>"
            past.append(head + f"<pre style='white-space:pre-wrap'>{escape(text)}</pre>" + as_html(talk.turns[-1]))
            shown.value, line.value = "".join(past), ""
        except (EndpointError, BadInput, RuntimeError) as error:
            shown.value = "".join(past) + head + f"<p style='color:#b00'>{escape(str(error))}</p>"
        finally:
            line.disabled = False

    def clear(_) -> None:
        talk.turns.clear()
        past.clear()
        shown.value = ""

    line.observe(submit, names="value")
    forget.on_click(clear)
    return widgets.VBox([widgets.HBox([line, forget]), shown])
