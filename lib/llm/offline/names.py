"""Names of people and of the posts they hold, told by their shape and by a list of words."""

import re

_NOT_PERSON = frozenset(
    """trust university harbour harbor bay house school island street road museum park company inc ltd mv ms hall river lake mount ferry north south east west
    port quay institute college society association department board committee council church centre center office station club league group bank press
    city town county state states kingdom republic union act card ticket system network model api service project foundation laboratory laboratories
    manual handbook guide catalogue timetable brochure leaflet notice certificate licence form letter report plan policy january february march april may june july august september october november december monday tuesday wednesday thursday friday saturday sunday""".split()
)


ROLE = (
    r"(?:manager|director|master|engineer|chair|chairman|chairwoman|chairperson|president|secretary|treasurer|keeper|warden|clerk|curator|cook|chef|editor|founder|chancellor|"
    r"provost|officer|captain|skipper|coordinator|co-ordinator|head|mayor|teacher|doctor|author|professor|minister|trustee|archivist|librarian|foreman|superintendent|"
    r"supervisor|inventor|designer|architect|owner|leader|carpenter|porter|accountant|bookkeeper|nurse|inspector|commissioner|governor|principal|dean|mate|pilot|steward|"
    r"baker|gardener|volunteer organiser|assistant|deputy|CEO|CTO|CFO)"
)


PERSON = r"(?:(?:Dr|Mr|Mrs|Ms|Prof|Capt|Captain|Professor|Sir)\.?\s)?[A-ZÀ-Þ][\w'’-]+(?:\s[A-Z]\.)?(?:\s(?:de|van|von|Mc|Mac|O['’])?\s?[A-ZÀ-Þ][\w'’-]+){1,2}"


_PERSON = re.compile(rf"{PERSON}$")


def is_person(text: str) -> bool:
    """Whether a text looks like a person's name: two or three capitalised words, none of which belongs to places or bodies."""
    text = re.sub(r"^(?:Ms|Mr|Mrs|Dr)\.?\s(?=\S+\s)", "", text)  # "MS" is a ship's
    words = text.replace(".", "").lower().split()
    capitals = [w.isupper() and len(w) > 1 for w in text.replace(".", "").split()]
    if any(capitals) and not all(capitals):
        return False  # "PubMed QA"
    return bool(_PERSON.match(text)) and not any(w in _NOT_PERSON for w in words) and not any(c.isdigit() for c in text)
