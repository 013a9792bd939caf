"""The judge: is a candidate answer right, given the reference? Prompt out, typed verdict in; what cannot be read is counted.

It never sees which system answered, nor the passages. Further opinions (scores, refusals, pairs) are lib.eval.opinions'.
"""

import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from lib.eval.fence import parse_choice, typed_request
from lib.eval.metrics import load
from lib.llm import Request

GATHER_S = 0.2  # answers of one wave arrive within so long; the judge, when idle, waits to take them in together
AHEAD = 64  # verdicts out, below which new answers are taken in at every reply
VERDICT = {"verdict": {"type": "string", "enum": ["YES", "NO"]}}


@dataclass(frozen=True)
class Verdict:
    """`right` is None where nothing was judged; the reason then says why."""

    right: bool | None
    reason: str


def build_request(question: str, reference: str, candidate: str) -> Request:
    """The request for one verdict."""
    parts = (("QUESTION", question), ("REFERENCE", reference), ("CANDIDATE", candidate))
    return typed_request("judge", "verdict", VERDICT, parts)


def parse_verdict(text: str) -> Verdict | None:
    """The verdict of a reply, or None: only a JSON object with `verdict` YES or NO counts, never a word found in a sentence."""
    found = parse_choice(text, ("YES", "NO"))
    return Verdict(found[0] == "YES", found[1]) if found else None


def settle(row: dict, question: dict) -> Verdict | None:
    """The verdict that needs no judge, or None where one is needed.

    Args:
        row: A row of answers.
        question: Its row of the eval set.
    """
    if not question["answerable"]:
        return Verdict(None, "no reference: the documents do not answer this question")
    if row["condition"] == "replaced":
        return Verdict(None, "control: which value the answer gives is counted instead")
    if row["error"]:
        return Verdict(None, f"no reply: {row['error']}")
    if row["refused"]:
        return Verdict(False, "refused, though the question has an answer")
    if not row["answer"].strip():
        return Verdict(False, "empty answer")
    return None


def judge_rows(rows: Sequence[dict], questions: dict[str, dict], asker) -> list[Verdict]:
    """Verdicts in the order of the rows.

    Args:
        rows: Rows of answers.
        questions: Rows of the eval set by id.
        asker: The judge.
    """
    verdicts = [settle(row, questions[row["question_id"]]) for row in rows]
    open_ = [i for i, verdict in enumerate(verdicts) if verdict is None]
    pairs = [(questions[rows[i]["question_id"]], rows[i]["answer"]) for i in open_]
    replies = asker.ask([build_request(q["question"], q["answer"], answer) for q, answer in pairs], label="verdicts")
    for i, reply in zip(open_, replies, strict=True):
        failed = Verdict(
            None,
            f"not judged: {reply.error}" if reply.error else f"not judged: unreadable verdict {reply.text[:200]!r}",
        )
        verdicts[i] = (None if reply.error else parse_verdict(reply.text)) or failed
    return verdicts


class Ahead:
    """Asks for verdicts while answers still come in, so that judge and systems work at the same time.

    Used with `with`: rows given to `take` are judged in the background, and every reply lands in the request store, where
    `judge_rows` finds it. Leaving the block waits for the rest; an error of the judge is raised there.

    Args:
        asker: The judge; nobody else may ask it until the block is left.
        questions: Rows of the eval sets by id.
    """

    def __init__(self, asker, questions: dict[str, dict]):
        self._asker, self._questions = asker, questions
        self._waiting: queue.SimpleQueue = queue.SimpleQueue()
        self._failure: BaseException | None = None
        self._left = self._last = 0  # verdicts that are out, and how many were when rows were last taken in
        self._thread = threading.Thread(target=self._work, name="judge-ahead", daemon=True)

    def __enter__(self) -> "Ahead":
        self._thread.start()
        threading.Thread(target=load, daemon=True).start()  # scoring needs it later, and no answer is there yet
        return self

    def __exit__(self, kind, error, _) -> None:
        if kind is not None:  # Ctrl-C too: nothing goes on being asked behind the user's back
            self._failure = error
            self._asker.close()
        self._waiting.put(None)
        if kind is None:
            self._thread.join()
            if self._failure:
                raise self._failure

    def take(self, row: dict) -> None:
        """Have this row of answers judged when the judge is free."""
        self._waiting.put(row)

    def _work(self) -> None:
        while (row := self._waiting.get()) is not None:
            if self._failure:
                continue
            time.sleep(GATHER_S)
            try:
                self._left = self._last = 0
                if first := [*self._requests([row]), *self._more()]:
                    self._asker.ask(first, label="verdicts", then=None if self._asker.role.batch else self._replied)
            except BaseException as error:  # kept for the thread that owns this one
                self._failure = error

    def _replied(self, *_) -> list[Request]:
        """What is to be asked after one more reply: rows that came in since, before the judge runs out of work."""
        self._left -= 1
        return self._more() if self._left <= max(self._last // 2, AHEAD) else []

    def _more(self) -> list[Request]:
        """Requests for all rows that wait, taken in together, since looking each up in the store by itself would be dear."""
        rows = []
        while not self._waiting.empty():
            row = self._waiting.get()
            if row is None:
                self._waiting.put(row)  # the end, which is for `_work` to see
                break
            rows.append(row)
        return self._requests(rows)

    def _requests(self, rows: Sequence[dict]) -> list[Request]:
        asked = [(self._questions[row["question_id"]], row) for row in rows]
        requests = [build_request(q["question"], q["answer"], row["answer"]) for q, row in asked if settle(row, q) is None]
        self._left += len(requests)
        self._last = self._left if requests else self._last
        return requests


def same_model_warnings(judges: dict, systems: dict, teacher=None) -> dict[str, str]:
    """Warnings where a judge is also the teacher or a contestant: it may favour answers like its own.

    Args:
        judges, systems: Roles by name.
        teacher: The teacher's role, if one is set.

    Returns:
        Warnings by a short name, for `run.record(warnings=…)`; stand-ins are named elsewhere.
    """
    found = {}
    for name, judge in judges.items():
        for system, role in systems.items():
            if (judge.base_url, judge.model) == (role.base_url, role.model):
                found[f"{name}_is_{system}"] = (
                    f"{judge.model} is {name} and contestant ({system}) at once: it may favour its own answers; "
                    f"set {name.upper()}_ variables to another model, or have a second one judge as well (judges)"
                )
        if teacher and not judge.stand_in and (judge.base_url, judge.model) == (teacher.base_url, teacher.model):
            found[name] = (
                f"{judge.model} is {name} and teacher at once: it may favour answers like its own, "
                "and the student was trained on just those"
            )
    return found
