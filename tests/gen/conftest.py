"""A teacher by rules."""

import json
import random
import re
from types import SimpleNamespace

import pytest

from .corpus import make_corpus


class FakeTeacher:
    """Asks about the first sentences of a passage and answers with their last words. `mend` may change any reply."""

    role = SimpleNamespace(model="fake-teacher", stand_in=True)

    def __init__(self, mend=lambda request, text: text, rng: random.Random | None = None):
        self.mend, self.rng, self.asked = mend, rng, []

    def ask(self, requests, label=""):
        """Replies in order, made in any order."""
        order = list(range(len(requests)))
        if self.rng:
            self.rng.shuffle(order)
        replies = {i: self._reply(requests[i]) for i in order}
        return [replies[i] for i in range(len(requests))]

    def _reply(self, request):
        self.asked.append(request)
        passage, task = re.search(
            r"<DOCUMENT>(.*?)</DOCUMENT>\n(.*)", request.messages[1]["content"], re.DOTALL
        ).groups()
        sentences = [s for s in re.split(r"(?<=\.)\s+|\n", passage) if len(s.split()) > 4][:4]
        if request.response_format:
            text = json.dumps({"questions": [f"What holds for {s[:-1]}?" for s in sentences]})
        else:
            said = task.removeprefix("What holds for ").removesuffix("?") + "."
            text = f"The documents say: ##begin_quote##{said}##end_quote## So it is.\n<ANSWER>: {' '.join(said.split()[-2:])}"
        text = self.mend(request, text)
        return SimpleNamespace(text=text, finish_reason="stop", error=None)


@pytest.fixture
def teacher():
    """The fake teacher's class, to be made as a test needs it."""
    return FakeTeacher


@pytest.fixture
def documents(tmp_path, request):
    """A folder of papers with a fact a passage: `N_PASSAGES` of the test's module."""
    folder = tmp_path / "documents"
    folder.mkdir()
    by_source = {}
    for piece in make_corpus(request.module.N_PASSAGES)[0]:
        by_source.setdefault(piece.source, []).append(piece.text)
    for source, texts in by_source.items():
        (folder / source).write_text(f"# Paper {source}\n\n" + "\n\n".join(texts), encoding="utf-8")
    return folder
