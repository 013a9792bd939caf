"""Lines that notices, letters and minutes have beside their sentences: the next meeting, who issued it and when, a title with its date."""

import re
from collections.abc import Sequence

from lib.llm.offline.clauses import parse_clause
from lib.llm.offline.names import PERSON, ROLE, is_person
from lib.llm.offline.text import Unit, plain
from lib.llm.offline.values import MONTH, Value, find_values

_EVENT = (
    r"(?:meeting|session|assembly|regatta|deadline|closing date|concert|market|fair|festival|rehearsal|inspection|delivery|collection|exhibition|opening|"
    r"hearing|lecture|workshop|course|class|training|drill|race|match|walk|tour|sale|auction|service|performance|show|election|visit|excursion|party|parade|review|day)"
)
_NEXT = re.compile(rf"((?:(?:Next|Last|First|Final|Annual|Summer|Winter|Spring|Autumn|Open|General|Committee|Public) )?(?:[A-Za-z][a-z]+ ){{0,2}}?{_EVENT})(?: (?:is|will be) (?:held )?(?:on )?|: (?:on )?|, (?=\d|[MTWFS][a-z]+day))(.+)$", re.IGNORECASE)  # fmt: skip
_DATE = rf"(?:\d{{1,2}} (?:of )?{MONTH}(?:,? \d{{4}})?|{MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}|{MONTH} \d{{4}}|\d{{4}}-\d\d-\d\d|\d{{1,2}}[./]\d{{1,2}}[./]\d{{4}})"
_DID = (
    r"(?:(?:Minutes|Notes|Report|Notice|Text|List) (?:was |were )?(?=[a-z]))?((?i:Issued|Signed|Written|Prepared|Compiled|Approved|Adopted|Published|Edited|Translated|Drawn up|"
    r"Posted|Revised|Updated|Recorded|Taken|Checked|Reported))"
)
_BY = re.compile(rf"{_DID} (?:by|in the name of) (?:the ([a-z][a-z -]+?) )?({PERSON})(?:,? \(?(?:the )?([a-z][a-z' -]+?)\)?)?(?:,? (?:on |in )?({_DATE}))?\.?$")
_BY_ANY = re.compile(rf"{_DID} (?:by|in the name of) ")
_BY_BODY = re.compile(rf"{_DID} by (the (?:[a-z][a-z-]+ ){{0,3}}(?:board|council|committee|trustees|assembly|meeting|members|court|government|parliament|ministry|commission|management|general meeting))(?: of [^,.]+?)?(?:,? (?:on |in )?({_DATE}))\.?$")
_DATED = re.compile(rf"((?:[A-Z]|[a-z])[^:;.?!|]*?)(?:,? on|,| of| –| -| from|:) ({_DATE})$")
_WRITING = re.compile(r"\b(?:guide|minutes|report|list|notice|letter|newsletter|rules|timetable|catalogue|programme|plan|handbook|manual|survey|register|log|diary|review|tariff|statement|bulletin|circular|regulations|agreement|contract|edition|version|record|protocol|terms|policy|notes|summary)\b", re.IGNORECASE)  # fmt: skip
_COMMON = frozenset("""next last first final annual monthly weekly yearly quarterly daily open general public closing summer winter spring autumn harvest committee board members
    guided school village town harbour boat price house service safety opening evening morning night user visitor fire staff club garden street release""".split())  # fmt: skip
_HELD = re.compile(rf"\b{_EVENT}\b(?: (?:of|at|in|for) [^,]+)?$", re.IGNORECASE)
_OF_WHOM = re.compile(rf"(?:Minutes|Notes|Record) of (?:the )?(?:(?:\w+ )?meeting of (?:the )?)?(.+?)(?:,| on| of)? (?:{_DATE}|meeting.*)$|Minutes of (?:the )?(.+)$")
_BODY = re.compile(r"\b(?:Association|Club|Society|Council|Committee|Board|Trust|Union|School|Group|Choir|Guild|Cooperative|Band)$")


def notice_facts(passage: str, units: Sequence[Unit]) -> list[tuple[Unit, tuple]]:
    """Pieces, each with a draft (kind, value, questions, score), from lines that are no sentences."""
    titles = next((u.headings[:1] for u in units if u.headings), ())
    found: list[tuple[Unit, tuple]] = []
    lines = passage.split("\n")
    said = [u.text for u in units if u.kind in ("sentence", "item") and u.text not in lines and _BY_ANY.match(u.plain)]
    for number, line in enumerate([*lines, *said]):
        text = re.sub(r"^(?:#{1,6}\s+|[-*•]\s+)", "", line.strip())
        words = plain(text)
        if not 3 <= len(words.split()) <= 20 or "|" in text:
            continue
        drafts = _by(words, titles) or _next(words, titles)
        if not drafts and (line.startswith("#") or number == 0 or any(words in u.headings for u in units)):
            drafts = _titled(words)
        unit = Unit("sentence", text, words, titles if titles != (words,) else ())
        found.extend((unit, draft) for draft in drafts)
    return found


def _titled(words: str) -> list[tuple]:
    """ "Regatta on 10 August 2025": a title with the date of what it names."""
    match = _DATED.match(words)
    if not match or parse_clause(words) or len(find_values(words)) != 1:
        return []
    name, date = match.group(1).strip(), match.group(2)
    if not 1 <= len(name.split()) <= 9 or "," in name or name.split()[0].lower() in ("on", "in", "at", "from", "the", "how", "what", "until", "since"):
        return []
    thing = f"the {_lower(name)}"
    if _WRITING.search(name) and not _HELD.search(name):
        if re.search(r"\bfrom$", words[match.end(1) : match.start(2)].strip()):
            return [("date", date, [f"From when is {thing} valid", f"What is the starting date of {thing}"], 0.7)]
        be = "are" if re.search(r"\b(?:minutes|rules|terms|notes|regulations)\b", name, re.IGNORECASE) else "is"
        return [("date", date, [f"What is the date of {thing}", f"What date {'do' if be == 'are' else 'does'} {thing} bear", f"Of what date {be} {thing}"], 0.7)]
    if _HELD.search(name):
        held = [f"On what date is {thing} held"] if date[:1].isdigit() else []
        return [("date", date, [f"What is the date of {thing}"], 0.8), ("date", date, [f"When does {thing} take place", *held], 0.8)]
    return []


def _next(words: str, titles: Sequence[str]) -> list[tuple]:
    """ "Next meeting: Tuesday 12 November 2024, 19:00, hall B": its day, its hour and its place."""
    match = _NEXT.match(words)
    if not match or parse_clause(words) and ":" not in words or re.search(r"\b(?:is|will|the|a|an)\b", match.group(1), re.IGNORECASE):
        return []
    rest = match.group(2).rstrip(".")
    dates = [v for v in find_values(rest) if v.kind == "date"]
    times = [v for v in find_values(rest) if v.kind == "time"]
    if len(dates) > 1 or len(times) > 1 or not dates + times or dates and dates[0].start > 3 or len(rest.split()) > 14:
        return []
    of = next((next(g for g in m.groups() if g) for t in titles if (m := _OF_WHOM.match(t))), "")
    of = of or next((re.sub(r"^The ", "", t) for t in titles if _BODY.search(t) and len(t.split()) <= 7 and not re.search(r"[:,–\d?!]", t)), "")
    name = match.group(1)
    whose = f" of the {of}" if of and not re.search(r"\bof\b", name) else ""
    thing = f"the {_lower(name)}{whose}"
    return [*_day(thing, dates, bool(times)), *_hour(thing, times), *_where(thing, rest, [*dates, *times])]


def _day(thing: str, dates: list[Value], has_hour: bool = False) -> list[tuple]:
    """With an hour beside it, the day is asked for as a day: "when" is both."""
    day = "On what date" if dates and any(c.isdigit() for c in dates[0].text) else "On which day"
    if re.search(r"(?:deadline|date)\b", thing):
        return [("date", v.text, [f"When is {thing}", f"What is {thing}" if "date" in thing else f"What date is {thing}"], 1.0) for v in dates]
    if has_hour:
        return [("date", v.text, [f"{day} is {thing}"], 1.0) for v in dates]
    asked = ([f"{day} is {thing}", f"When is {thing}"], [f"When does {thing} take place", f"When is {thing} held"])
    return [("date", v.text, wordings, 1.0) for v in dates for wordings in asked]  # one by one: each is known by its own words


def _hour(thing: str, times: list[Value]) -> list[tuple]:
    spans = [v for v in times if re.search(r"–|-| to ", v.text)]
    if re.search(r"(?:deadline|date)\b", thing) or spans:
        return [("time", v.text, [f"At what time is {thing}"], 0.9) for v in times]
    return [("time", v.text, [f"At what time is {thing}", f"At what time does {thing} begin", f"What time is {thing}"], 0.9) for v in times]


def _where(thing: str, rest: str, values: list[Value]) -> list[tuple]:
    place = re.match(r",? ?((?:in|at) [^,;:.]{3,40})$", rest[max(v.end for v in values) :])
    return [("place", place.group(1), [f"Where is {thing} held", f"Where does {thing} take place"], 0.9)] if place and not re.search(r"\d:\d|\d [ap]m", place.group(1)) else []


def _by(words: str, titles: Sequence[str]) -> list[tuple]:
    """ "Issued by Ada Nord, harbour master, 3 February 2025": who did, in what post, and when."""
    match, body = _BY.match(words), _BY_BODY.match(words)
    if not body and (not match or not is_person(match.group(3))):
        return []
    did, before, person, after, date = match.groups() if match else (body.group(1), "", body.group(2), "", body.group(3))
    did, post = did.lower(), (after or before or "").strip()
    drafts = []
    if post and re.search(rf"\b{ROLE}$", post):
        drafts.append(("definition", post, [f"What post does {person} hold", f"Which post is held by {person}"], 0.8))
        drafts.append(("person", person, [f"Who is the {post}", f"What is the name of the {post}"], 0.8))
    title = re.sub(rf"(?:,| of| on| –)? {_DATE}$", "", titles[0]) if titles else ""
    if not title or len(title.split()) > 9 or parse_clause(title) or title[-1] in "?!" or "," in title:
        return drafts
    thing = f"the {_lower(re.sub(r'^(?:The|An?) ', '', title))}"
    be = "were" if re.match(r"the (?:\w+ )?(?:minutes|rules|terms|notes|regulations)\b", thing) else "was"
    drafts.append(("person", person, [f"Who {did} {thing}" if " " not in did and did != "taken" and did != "drawn up" and did != "written" else f"By whom {be} {thing} {did}", f"By whom {be} {thing} {did}"], 1.0))
    if date:
        drafts.append(("date", date, [f"When {be} {thing} {did}", *([f"On what date {be} {thing} {did}"] if date[:1].isdigit() else [])], 1.0))
    return drafts


def _lower(name: str) -> str:
    """A name as it stands in a sentence: a word of the list loses its capital, any other may be a name."""
    name = name.capitalize() if name.isupper() else name
    first = name.split()[0].lower()
    return name[:1].lower() + name[1:] if first in _COMMON or re.fullmatch(_EVENT, first) or _WRITING.fullmatch(first) else name
