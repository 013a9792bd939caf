"""Words of a text, in any script, and what it says with them: content words and numbers, and whether it could give an answer away.

Searching, checking and measuring read text with the same eyes.
"""

import re
import unicodedata
from functools import lru_cache

# Numbers keep an inner point, comma, colon or slash (1,250.5  09:40  2021/22); scripts written without spaces give one
# word per character, so that two Chinese or Thai texts can overlap in part.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"\d+(?:[.,:/]\d+)*|[{_UNSPACED}]|[^\W\d_{_UNSPACED}]+")
_SMALL_WORDS = "zero one two three four five six seven eight nine ten eleven twelve"
_SMALL = {word: str(number) for number, word in enumerate(_SMALL_WORDS.split())}
_ENDING = re.compile(r"(?:ings?|edly|ed|es|ly|s)$")
_FILLER_WORDS = """
    a an the of to in on at by for from with and or but not no is are was were be been being it its this that these those as he
    she they them their his her we our you your i my me do does did has have had will would can could should may might must there
    here then than so such into onto over under about up out if when which who whom whose what where why how also only just
"""
FILLER = frozenset(_FILLER_WORDS.split())
N_REMEMBERED = 20_000  # answers whose words are kept: a few hundred bytes each


def split_words(text: str) -> list[str]:
    """Words and numbers in order, without case, width or punctuation; accents stay."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def words(text: str) -> list[str]:
    """`split_words` in one spelling: `twelve` and `12`, `1,200` and `1200`, `09:40` and `9:40` are one."""
    return [_plain(word) for word in split_words(text)]


def _plain(word: str) -> str:
    if word[0].isdigit():
        word = re.sub(r",(?=\d{3}(?!\d))", "", word)
        return re.sub(r"^0+(?=\d)", "", word)
    return _SMALL.get(word, word)


def stem(word: str) -> str:
    """Cut a common English ending, so that `opens` meets `open`."""
    short = _ENDING.sub("", word)
    return short if len(short) >= 3 else word


def facts(text: str) -> set[str]:
    """The words and numbers that carry the content: function words aside, endings cut."""
    found = words(text)
    kept = {stem(w) for w in found if w not in FILLER}
    return kept or set(found)


def is_number(word: str) -> bool:
    """Whether a word of `words` or `facts` is a number."""
    return word[:1].isdigit()


def holds_answer(passage_facts: set[str], answer: str) -> bool:
    """Whether a passage could give the answer away: all of its numbers and four fifths of its other content words are there.

    Stricter than looking for the answer as a substring: a passage that says the same in another order counts too.
    """
    numbers, rest = _wanted(answer)
    return bool(numbers or rest) and numbers <= passage_facts and len(rest & passage_facts) >= 0.8 * len(rest)


@lru_cache(N_REMEMBERED)
def _wanted(answer: str) -> tuple[frozenset[str], frozenset[str]]:
    """Numbers and other content words of an answer, which is held against passage after passage."""
    wanted = facts(answer)
    numbers = frozenset(w for w in wanted if is_number(w))
    return numbers, frozenset(wanted - numbers)
