"""Whether a question can stand alone: its reader sees no passage, so it may not lean on one, nor on a pronoun without a name."""

import re

from lib.llm.words import facts, words

MAX_CHARS = 400
LEANS = "leans on a passage that its reader does not see"
NAMELESS = "does not name what it is about"
_NOUN = r"(?:passage|text|document|context|excerpt|paragraph|snippet|chunk|extract|article)"
_LEANS = re.compile(
    rf"\b(?:according to|based on|as (?:stated|described|mentioned|given|shown|per)(?: in| by)?|(?:mentioned|described|stated|given|listed|provided|shown|discussed) in)"
    rf"\s+(?:the|this|that|these)\s+(?:(?:above|given|provided|following|same|present)\s+)?(?:{_NOUN}s?|(?:provided |given |above )(?:information|details))\b"
    rf"|\b(?:in|from|of|by|does|do|did|is|are|can)\s+(?:this|the\s+(?:above|given|provided|following|present))\s+{_NOUN}s?\b"
    rf"|\b(?:in|from)\s+the\s+(?:passage|text|excerpt|snippet|chunk|context|document|paragraph|extract)\s*(?:(?:above|below|provided|given|shown)\s*)?(?:[?,.]|$)"
    rf"|\bthe\s+{_NOUN}s?\s+(?:above|below|provided|shown)\b|\b(?:mentioned|described|stated|listed|given|shown)\s+(?:above|below|earlier|here)\b"
    rf"|\bthe\s+(?:passage|text|excerpt|snippet|document|author|article|writer)\s+(?:say|state|mention|describe|give|list|claim|suggest|explain|provide|refer|contain|discuss|indicate|imply|implie)s?\b"
    rf"|\b(?:the|this)\s+(?:passage|excerpt|snippet|author|chunk)['’]s\b|\b(?:document|passage|chunk|excerpt)\s+#?\d+\b"
    r"|\b(?:laut|gemäß|nach)\s+(?:dem|diesem|der|dieser)\s+(?:text|dokument|abschnitt|passage)\b|\bim\s+(?:obigen\s+)?(?:text|abschnitt)\s*[?,.]"
    r"|\b(?:selon|d['’]après)\s+(?:le|ce|la|cette|l['’])\s*(?:texte|document|passage|extrait|auteur)\b|\bdans\s+(?:le|ce)\s+(?:texte|passage)\s*[?,.]"
    r"|\bsegún\s+(?:el|este|la)\s+(?:texto|documento|pasaje|fragmento)\b|\b(?:secondo|in base a)\s*(?:il|al|questo)\s+(?:testo|documento|brano)\b"
    r"|\b(?:segundo|de acordo com)\s+(?:o|este)\s+(?:texto|documento|trecho)\b|\bvolgens\s+(?:de|het|deze|dit)\s+(?:tekst|document|passage)\b"
    r"|согласно\s+(?:этому\s+)?(?:тексту|документу|отрывку)|в\s+(?:этом\s+)?(?:тексте|отрывке)|根据(?:本文|上文|上述|这段|这篇|该文|文章|文本|段落)|文中|(?:本文|この文章|上記の文)(?:によると|では)"
    r"|(?:وفقًا|وفقا)\s+ل(?:لنص|هذا)|في\s+(?:النص|المقطع)",
    re.IGNORECASE,
)
_PRONOUN = frozenset("it its he she they them his her their him this that these those".split())
_ASKING = frozenset("who whom whose what when where why how which many much long old now today then".split())


def find_problem(question: str, *, style: str = "default") -> str:
    """Why a question cannot be used, or an empty string.

    Args:
        question: As written.
        style: A search query may have two words; an instruction for an API leans on nothing.
    """
    least = 2 if style == "search" else 3
    found = words(question)
    if len(found) < least:
        return f"fewer than {'two' if least == 2 else 'three'} words"
    if len(question) > MAX_CHARS:
        return f"longer than {MAX_CHARS} characters"
    if _LEANS.search(question):
        return LEANS
    if _PRONOUN & set(found) and _is_nameless(question, found):
        return NAMELESS
    return ""


def _is_nameless(question: str, found: list[str]) -> bool:
    """A pronoun, one content word beside it at most, and no name: "When was it built?"."""
    told = [w for w in question.split()[1:] if w[:1].isupper() and w.strip("?.,!").lower() not in _PRONOUN | {"i"}]
    return not told and len(facts(" ".join(w for w in found if w not in _ASKING | _PRONOUN))) <= 1
