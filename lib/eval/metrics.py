"""What can be measured without a judge: exact match, token F1, ROUGE, BLEU, whether quotes are verbatim and from the right passage."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache

from lib.llm.raft import squeeze
from lib.llm.words import words


class _Marks(dict):
    """For `str.translate`: None for punctuation, the character itself for all else, each looked up once."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.category(chr(code)).startswith("P") else code
        return self[code]


_MARKS = _Marks()
_ARTICLE = re.compile(r"\b(a|an|the)\b")


def normalise(text: str) -> str:
    """SQuAD's normalisation: lower case, no punctuation (of any script), no English articles, single spaces."""
    text = unicodedata.normalize("NFKC", text).lower().translate(_MARKS)
    return squeeze(_ARTICLE.sub(" ", text))


def exact_match(answer: str, reference: str) -> float:
    """1.0 where both are the same after normalisation, else 0.0; an empty answer matches nothing."""
    return float(normalise(answer) == normalise(reference) != "")


def f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall over the words of both, counted with repetition."""
    found, wanted = words(normalise(answer)), words(normalise(reference))
    shared = sum((Counter(found) & Counter(wanted)).values())
    return 2 * shared / (len(found) + len(wanted)) if shared else 0.0


def rouge(answer: str, reference: str) -> dict[str, float]:
    """ROUGE-1, -2 and -L F-measures as `rouge1, rouge2, rougeL`; tokens are words of any script, not only a–z."""
    return {name: score.fmeasure for name, score in _scorer().score(reference, answer).items()}


def bleu(answer: str, reference: str) -> float:
    """Sentence BLEU in [0, 1] by sacrebleu, exponential smoothing, no longer n-grams than the text has; words of any script."""
    found, wanted = words(answer), words(reference)
    if not found or not wanted:
        return 0.0
    # Not above 1: two equal texts come out a hair higher.
    return min(1.0, _bleu().sentence_score(" ".join(found), [" ".join(wanted)]).score / 100)


@cache
def _bleu():
    from sacrebleu.metrics import BLEU  # here: planning needs none of it

    return BLEU(tokenize="none", effective_order=True)


class _Words:
    @staticmethod
    def tokenize(text: str) -> list[str]:
        return words(text)


@cache
def _scorer():
    from rouge_score.rouge_scorer import RougeScorer  # here: it imports nltk, which takes a second

    return RougeScorer(["rouge1", "rouge2", "rougeL"], tokenizer=_Words())


def load() -> None:
    """Import what ROUGE and BLEU are computed with, which takes seconds: worth doing while answers are waited for."""
    _scorer(), _bleu()


def verbatim_quotes(quotes: Sequence[str], passages: Sequence[str]) -> int:
    """How many quotes stand word for word in a passage that was shown; only whitespace may differ."""
    shown = [squeeze(passage) for passage in passages]
    return sum(any(squeeze(quote) in passage for passage in shown) for quote in quotes if quote.strip())
