"""Comparing text the way the checks need it: whitespace, case and typography aside, in any script."""

import re
import unicodedata
from itertools import pairwise

from lib.llm.raft import ANSWER_TAG, BEGIN_QUOTE, END_QUOTE
from lib.llm.words import FILLER, split_words, stem, words

_ASKING = frozenset("who whom whose what when where why how which".split())
_TURNS = frozenset("before after since until not no without over under above below into out off from to than by".split())
_THOUGHT = re.compile(r"\A.*?</(think|thinking|reasoning)>\s*", re.DOTALL | re.IGNORECASE)  # some servers send the closing tag alone
_SOFT = frozenset("please exactly precisely actually currently specifically".split())


def key(text: str) -> str:
    """What makes two questions the same question."""
    return " ".join(split_words(text))


def fingerprint(question: str) -> tuple:
    """What two questions share that ask the same thing in nearly the same words; being alike so is an equivalence.

    The content words without their endings, in any order and however often, and the words that ask. Function words, case,
    typography and a few words that change nothing ("please", "exactly") do not count. One other word or number does, and so
    does what stands after a word such as `from`, `before` or `not`.
    """
    found = words(question)
    asking = frozenset(w for w in found if w in _ASKING)
    content = frozenset(stem(w) for w in found if w not in FILLER and w not in _SOFT)
    telling = [w for w in found if w not in FILLER or w in _TURNS]
    turns = frozenset(pair for pair in pairwise(telling) if pair[0] in _TURNS)
    # "Who represents A?" is not "Whom does A represent?": where people are asked for, the order counts.
    ordered = tuple(w for w in map(stem, found) if w in content) if asking & {"who", "whom", "whose"} else ()
    return asking, content or tuple(found), turns, ordered


def without_thoughts(reply: str) -> str:
    """A reply without what its model thinks aloud before it: no part of an answer, a label or a verdict."""
    return _THOUGHT.sub("", reply, count=1)


def protect(text: str) -> str:
    """Take the meaning from tags of the prompt format that stand in a document, so that no document can end or answer a prompt."""
    for tag in (BEGIN_QUOTE, END_QUOTE):
        text = text.replace(tag, f"[{tag.strip('#')}]")
    text = text.replace(ANSWER_TAG, "[ANSWER]:")
    return re.sub(r"<(/?)(DOCUMENT|QUESTION|REFERENCE|CANDIDATE)>", r"[\1\2]", text, flags=re.IGNORECASE)


def clean(text: str) -> str:
    """Make extracted text fit to be stored: one kind of newline and space, no control characters, at most one empty line."""
    text = unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
    text = re.sub(r"\r\n|[\r\f\v\x1c-\x1e\x85\u2028\u2029]", "\n", text)
    text = re.sub(r"[\t\u00a0\u2007\u202f]", " ", text)
    text = re.sub(r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\ufeff]", "", text)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", protect(text)).strip("\n")
