"""A plain English main clause taken apart: subject, verb group, rest; and put together again as a question."""

import re
from dataclasses import dataclass

from lib.llm.offline.casing import DETERMINERS, PREPOSITIONS, UNKNOWN, Casing, lower_start
from lib.llm.offline.sound import runs_on
from lib.llm.offline.verbs import AUXILIARY, BE, FINITE, NOUN_LIKE, PARTICIPLES, can_be_base
from lib.llm.offline.words import NUMBER_WORDS

_APPOSITION = re.compile(
    r"([A-Z][^,;:]{1,60}), ((?:also|or|an?|the|who|which|formerly|known|called|one of|then|now|usually|mostly|named|born|built|founded|opened|made)\b[^;:]{2,110}?), (\S+)"
)
_WORD = re.compile(r"\S+")
_NO_PART_OF_SUBJECT = frozenset(
    "it they he she we you i which who that whose where when if there its their his her this these be please".split()
)
PRONOUNS = frozenset(
    """it they he she we you i this that these those there here what which who such one ones others another both all some many most none neither
    either each its their his her our your my everybody everyone anybody anyone nobody nothing something someone""".split()
)
_POSSESSIVE = frozenset("its their his her our your my this that these those".split())
_SUBORDINATE = frozenset(
    "if when while because although though unless as once whereas where whether since until after before that which who whose whom and but or so however".split()
)
_ADVERBS = frozenset(
    """also now still only always never usually often then currently originally normally generally mainly mostly later first not already today typically sometimes soon
    below above here thus hence therefore thereby moreover furthermore instead likewise meanwhile please again even""".split()
)
_COUNTING = NUMBER_WORDS.keys() | {"some", "many", "most", "several", "few", "both", "all"}
_MODALS = AUXILIARY - BE - frozenset(("has", "have", "had"))
SAME_PAST = frozenset("cost cut put set hit let shut".split())
_OPEN_SUBJECTS = frozenset(("whoever", "whatever", "whichever"))  # "Whoever is late" is a subject, "Whoever" is none
VAGUE = frozenset(
    """company building place thing rest following same other others result reason number amount price fee part one two way time year day idea change
    latter former document section page table figure list answer question example case person people man woman system name work""".split()
)


@dataclass(frozen=True)
class Clause:
    """`subject` + `auxiliaries` + `verb` + `rest`, as in "The gate | was | opened | in 1932 by Ada Nord"."""

    subject: str
    auxiliaries: tuple[str, ...]
    verb: str
    base: str
    tense: str  # base, third, past, participle or be
    rest: str

    @property
    def is_copula(self) -> bool:
        """Whether the verb is a form of "to be" alone."""
        return self.tense == "be"

    @property
    def is_passive(self) -> bool:
        """Whether this is a passive: a form of "to be" and a participle."""
        return (
            self.tense == "participle"
            and bool(self.auxiliaries)
            and bool(set(self.auxiliaries[-2:]) & BE)
            and not self.verb.endswith("ing")
        )

    def ask(self, rest: str = "") -> str:
        """The clause as the tail of a question, with `rest` for its rest: "was the gate opened by Ada Nord"."""
        if self.is_copula:
            parts = [self.verb, self.subject, rest]
        elif self.auxiliaries:
            parts = [self.auxiliaries[0], self.subject, *self.auxiliaries[1:], self.verb, rest]
        else:
            do = {"past": "did", "third": "does", "base": "do"}[self.tense]
            parts = [do, self.subject, self.base, rest]
        return " ".join(part for part in parts if part)

    @property
    def group(self) -> str:
        """Auxiliaries and verb as they stand."""
        return " ".join((*self.auxiliaries, self.verb))


def parse_clause(sentence: str, known: Casing = UNKNOWN) -> Clause | None:
    """The main clause of a plain sentence, or None where the rules are not sure of it.

    Args:
        sentence: One plain sentence.
        known: How the passage writes its words, to tell names from words that only open a sentence.
    """
    text = _without_apposition(re.sub(r"(?:\s*\[\d+\])+|\s\([^()]{1,60}\)", "", sentence).strip().rstrip(".!。 "))
    words = [(m.group(), m.start()) for m in _WORD.finditer(text)]
    if not 3 <= len(words) <= 60 or text.endswith("?"):
        return None
    at = _verb_index([w for w, _ in words])
    if at is None:
        return None
    subject = text[: words[at][1]].strip()
    group, i = [], at
    while i < len(words) and (
        _bare(words[i][0]) in AUXILIARY | {"be", "been", "being"}
        or (group and _bare(words[i][0]) in _ADVERBS | {"not"})
    ):
        group.append(_bare(words[i][0]))
        i += 1
    return _assemble(subject, group, [w for w, _ in words], i, text, words, known)


def _without_apposition(text: str) -> str:
    """ "A foilboard, also known as a hydrofoil board, is …" → "A foilboard is …"."""
    match = _APPOSITION.match(text)
    if (
        match
        and (_bare(match.group(3)) in AUXILIARY or _bare(match.group(3)) in FINITE)
        and len(match.group(1).split()) <= 7
    ):
        return f"{match.group(1)} {text[match.start(3) :]}"
    return text


def _assemble(subject, group, tokens, i, text, words, known) -> Clause | None:
    if (
        "never" in group
        or tokens[i - 1 :]
        and i < len(tokens)
        and _bare(tokens[i]) in ("not", "never", "no", "nothing", "nobody")
    ):
        return None  # a negated clause would make a question that its own sentence denies
    negated = "not" in group
    auxiliaries = tuple(w for w in group if w not in _ADVERBS and w != "not")
    adverbs = {w for w in group if w in _ADVERBS}
    word = _bare(tokens[i]) if i < len(tokens) else ""
    clean_end = i < len(tokens) and tokens[i][-1] not in ",;:"
    while len(subject.split()) > 2 and subject.split()[-1] in ("also", "now", "still", "then", "therefore"):
        subject = subject.rpartition(" ")[0]
    subject = lower_start(subject, known)
    rest_from = lambda k: text[words[k][1] :].strip() if k < len(words) else ""  # noqa: E731
    if not auxiliaries:
        base, tense = FINITE[word]
        if word in SAME_PAST and not tokens[i - 1].endswith("s") and not tokens[0].endswith("s"):
            tense = "past"
        return Clause(subject, (), word, base, tense, rest_from(i + 1))
    last = auxiliaries[-1]
    if negated:
        if word in PARTICIPLES and last in BE:
            return Clause(
                subject,
                (auxiliaries[0], "not", *auxiliaries[1:]),
                word,
                PARTICIPLES[word],
                "participle",
                rest_from(i + 1),
            )
        return None
    if (
        last in BE
        and word in PARTICIPLES
        and (clean_end or tokens[i] == tokens[-1])
        or last in ("has", "have", "had")
        and word in PARTICIPLES
    ):
        return Clause(subject, auxiliaries, word, PARTICIPLES[word], "participle", rest_from(i + 1))
    if last in BE and word.endswith("ing") and len(word) > 5 and clean_end:
        return Clause(subject, auxiliaries, word, word, "participle", rest_from(i + 1))
    if last in ("is", "are", "was", "were") and len(auxiliaries) == 1:
        if adverbs - {"also", "now", "still", "currently", "only", "today"}:
            return None
        return Clause(subject, (), last, "be", "be", rest_from(i))
    if last in ("has", "have", "had") and len(auxiliaries) == 1:
        tense = {"has": "third", "have": "base", "had": "past"}[last]
        return Clause(subject, (), last, "have", tense, rest_from(i))
    if last == "be":
        return Clause(subject, auxiliaries[:-1], "be", "be", "base", rest_from(i))
    if last in AUXILIARY - BE and FINITE.get(word, ("", ""))[1] == "base" or last in _MODALS and tokens[i:] and tokens[i] == word and can_be_base(word) and word not in DETERMINERS | PREPOSITIONS | _SUBORDINATE | _ADVERBS:
        return Clause(subject, auxiliaries, word, word, "base", rest_from(i + 1))
    return None


def _bare(word: str) -> str:
    return word.strip("\"'“”‘’(),;:").lower()


def _verb_index(tokens: list[str]) -> int | None:
    """Index of the first word of the main verb group, or None."""
    candidate = None
    for i, token in enumerate(tokens):
        word = _bare(token)
        if (
            i
            and word in AUXILIARY
            and (token.islower() or word != "may")
            and not (word in ("will", "may", "can", "must") and token != token.lower())
        ):
            if candidate is not None and FINITE[_bare(tokens[candidate])][1] != "past":
                break
            return i if _is_subject(tokens[:i]) else None
        if candidate is None and i and word in FINITE and token[0].islower() and _looks_finite(tokens, i) and not (i == 1 and _bare(tokens[0]) in _OPEN_SUBJECTS):
            candidate = i
            if not _is_subject(tokens[:i]):
                return None
        # A participle after a noun ("bookings cancelled later are refunded") gives way to an auxiliary in the same stretch.
        if candidate is not None and (
            token[-1] in ",;:" or word in ("and", "but", "or", "which", "who", "that", "because", "when", "where")
        ):
            break
        of_follows = i + 1 < len(tokens) and _bare(tokens[i + 1]) == "of"
        if i and (
            word in _SUBORDINATE - {"and", "or", "as", "since", "until", "after", "before"}
            and not of_follows
            or token[-1] in ";:"
        ):
            break
    return candidate


def _looks_finite(tokens: list[str], i: int) -> bool:
    word, before = _bare(tokens[i]), _bare(tokens[i - 1])
    following = _bare(tokens[i + 1]) if i + 1 < len(tokens) else ""
    tense = FINITE[word][1]
    if (
        before in DETERMINERS | PREPOSITIONS
        or tokens[i - 1][-1] in ",;:"
        or following == "by"
        and not (
            i + 2 < len(tokens) and _bare(tokens[i + 2]).endswith("ing")
        )  # "works by turning", not "mended by hand"
        or before.endswith(("'s", "s'", "’s"))
    ):
        return False
    numeric = following[:1].isdigit() or following[:1] in "£$€" or following in NUMBER_WORDS
    if word in SAME_PAST and numeric:
        return True
    if tense == "base":  # only after a plural that opens the clause
        first = _bare(tokens[0])
        is_plural = (
            first.endswith("s")
            and not first.endswith("ss")
            or first in ("children", "people", "men", "women", "visitors")
        )
        opens_plural = is_plural and (
            _bare(tokens[1]) in ("over", "under", "in", "on", "of", "at", "with", "from", "to", "for", "aged")
            or before == first
        )
        counted = first in _COUNTING and _bare(tokens[1]) == "of" and before.endswith("s") and not before.endswith("ss")
        if counted and i <= 8:
            return following not in ("of", "is", "are", "and", "or", "")
        after_plural = before.endswith("s") and not before.endswith("ss") and (i <= 3 or numeric)
        return (after_plural or opens_plural and i <= 7) and following not in ("of", "is", "are", "and", "or", "")
    if word in NOUN_LIKE:
        return (
            numeric
            or following in DETERMINERS
            or following in ("at", "in", "on", "from", "to", "with", "under")
            and i <= 8
            or following in ("for", "until", "by", "between", "every", "once", "twice", "within", "after", "before", "through")
            and i <= 6
            and not any(w in AUXILIARY or w not in NOUN_LIKE and FINITE.get(w, ("", ""))[1] in ("third", "past") for w in map(_bare, re.split(r"[,;]| and | but ", " ".join(tokens[i + 1 :]))[0].split()))
        )
    return True


def _is_subject(tokens: list[str]) -> bool:
    """Whether these words can be a subject that stands alone: a name or a noun phrase, not a pronoun, not an opening adverbial."""
    text = " ".join(tokens)
    first, last = _bare(tokens[0]), _bare(tokens[-1])
    second = _bare(tokens[1]) if len(tokens) > 1 else ""
    stands_for_noun = first in PRONOUNS and (
        first not in DETERMINERS or first in _POSSESSIVE or not second or second == "of" and "the" not in tokens
    )
    if (
        not 1 <= len(tokens) <= 12
        or stands_for_noun
        or first in PREPOSITIONS
        or first in _SUBORDINATE
        or first in _ADVERBS
    ):
        return False
    if re.match(r"\d+\s(?:years?|months?|weeks?|days?|hours?|minutes?)\s(?:after|before|later)", text):
        return False
    if first in ("no", "new", "included", "enclosed", "required", "not") or text.lower() == "last" or last in ("one", "ones"):
        return False
    if re.search(r"[,;:()]", text) or last in PREPOSITIONS | DETERMINERS | _SUBORDINATE or first.endswith("ly"):
        return False
    if (
        {_bare(t) for t in tokens[1:]} & _NO_PART_OF_SUBJECT
        or runs_on(tokens)
        or tokens[1:]
        and first == "the"
        and second == "following"
    ):
        return False
    if len(tokens) > 2 and _bare(tokens[-2]) == "to" and last in FINITE:
        return False
    if len(tokens) == 1 and first in _OPEN_SUBJECTS or re.match(r"(?:every|each)\s[a-z]+\s(?:the|an?|our|all)\s", text.lower()):
        return False
    if second in DETERMINERS and FINITE.get(first, ("", ""))[1] == "base":
        return False  # "Press the button and …" tells somebody to do so
    if first in ("the", "a", "an") and len(tokens) == 2 and last in VAGUE:
        return False
    return any(c.isalpha() for c in text) and (len(tokens) > 1 or tokens[0][0].isupper())
