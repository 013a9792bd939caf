"""Frames of questions: the plain one that the rules write, what people say instead, and the way back."""

import re

from lib.llm.offline.words import strip_lead

# kind of value; the plain frame; what may be said instead. "*" stands for every kind.
_FRAMES = (
    ("place", r"Where (?:is|are) (?P<x>.+?) (?:kept|stored|located|situated|placed|displayed|housed|found)", ("Where can I find {x}", "Where will I find {x}", "Where would I look for {x}")),
    ("place", r"In what place (?:is|are) (?P<x>.+?) (?:kept|stored|located|situated|placed|displayed|housed|found)", ("Where can I find {x}", "Where will I find {x}", "Where would I look for {x}")),
    ("place", r"(?:Where|In what place) (?P<r>(?:is|are|was|were|does|do|did|can|may|must|will|has|have) .+)", ("Whereabouts {r}", "At which place {r}", "In which place {r}")),
    ("time", r"(?:When|At what time) (?P<r>.+)", ("At what hour {r}", "At which hour {r}", "What time {r}")),
    ("date", r"In which year (?P<r>.+)", ("In what year {r}", "What year {r}")),
    ("date", r"On (?:what|which) (?P<d>date|day) (?P<r>.+)", ("On what day {r}", "On which {d} {r}")),
    ("measure", r"How long does (?P<x>.+?) take", ("How much time does {x} take", "How long will {x} take", "How much time will {x} take")),
    ("measure", r"How often (?P<r>.+)", ("How frequently {r}", "At what intervals {r}")),
    ("measure", r"Within what time of (?P<r>.+)", ("How soon after {r}",)),
    ("measure", r"Within what time (?P<r>.+)", ("How soon {r}", "How quickly {r}")),
    ("measure", r"How long before (?P<r>.+)", ("How much time before {r}", "How far ahead of {r}")),
    ("money", r"(?:How much|What) does (?P<x>.+?) cost(?P<t>(?: .+)?)", ("What is the price of {x}{t}", "How much do I pay for {x}{t}", "What will {x} set me back{t}", "How much will I be charged for {x}{t}", "What do you charge for {x}{t}")),
    ("money", r"How much is the price for (?P<x>.+)", ("What does {x} cost", "How much do I pay for {x}", "What will {x} set me back")),
    ("money", r"How much (?P<r>(?:is|are|was|were|does|do|did|has|have|had|will|must|may|can|should) .+)", ("What sum {r}", "What amount {r}", "What amount of money {r}")),
    ("money", r"At what price (?P<r>.+)", ("For how much {r}", "At what cost {r}")),
    ("count", r"How many (?P<r>.+)", ("What number of {r}", "Exactly how many {r}", "How many {r} in all")),
    ("person", r"Who is the (?P<r>[a-z].+)", ("Who serves as the {r}", "Who works as the {r}", "Which person is the {r}", "Who has the job of {r}", "Who fills the post of {r}")),
    ("person", r"Who holds the post of (?P<r>[a-z].+)", ("Who serves as {r}", "Who has the job of {r}", "Who fills the post of {r}")),
    ("person", r"What is the name of the (?P<r>[a-z].+)", ("What is the {r} called", "Who serves as the {r}")),
    ("person", r"Who (?P<r>(?!is |are |was |were |or |must |may |can |has |have |will |do|did)[a-z]+ .+)", ("Which person {r}", "Who was it that {r}")),
    ("person", r"To whom (?P<r>(?:do|does|is|are|can|may|must|should) .+)", ("Who {r} to",)),
    ("reason", r"(?:Why|For what reason) (?P<r>.+)", ("For what reason {r}", "Why {r}")),
    ("reason", r"What is the reason that (?P<r>.+)", ("How come {r}", "Why is it that {r}")),
    ("definition", r"(?:What (?:is|are) |What kind of thing (?:is|are) |How can )(?P<x>.+?)(?: be described)?", ("What is meant by {x}", "What do people mean by {x}", "How would you describe {x}")),
    ("name", r"What does (?P<x>\S+) stand for", ("What is {x} short for", "What do the letters {x} mean")),
    ("name", r"What (?:is|was) (?P<x>.+?) called", ("Under what name is {x} known", "What name does {x} have")),
    ("cell", r"What is given under (?P<a>.+?) for (?P<x>.+)", ("What are the {a} of {x}", "What are the {a} for {x}", "Which {a} are there for {x}")),
    ("cell", r"What (?:is|are) the API call of (?P<x>.+)", ("How do I call {x}", "Which call do I use for {x}", "How is {x} called in code")),
    ("cell", r"What (?:is|are) the functionality of (?P<x>.+)", ("What can I do with {x}", "What is {x} good for", "What can {x} be used for")),
    ("cell", r"What (?:is|are) the API arguments of (?P<x>.+)", ("Which arguments does {x} take", "Which parameters does {x} accept")),
    ("cell", r"What (?:is|are) the (?:python )?(?:env|environment) requirements of (?P<x>.+)", ("What must be installed before I can use {x}", "What does {x} need to run")),
    ("cell", r"What (?:is|are) the performance of (?P<x>.+)", ("How well does {x} perform", "How good is {x}")),
    ("cell", r"What (?:is|are) the framework of (?P<x>.+)", ("Which framework does {x} use", "Which library is {x} built on")),
    ("cell", r"What (?:is|are) the domain of (?P<x>.+)", ("Which field does {x} belong to", "What field is {x} for")),
    ("cell", r"What is the (?P<a>[^()]+?) (?:of|for) (?P<x>.+)", ("Which {a} does {x} have", "Which {a} goes with {x}")),
)  # fmt: skip
_COMPILED = tuple((kind, re.compile(plain), others) for kind, plain, others in _FRAMES)
_BACK = (
    (r"where (?:can|will|would) (?:i|we) (?:find|look for) (.+)", r"where is \1"),
    (r"whereabouts (.+)", r"where \1"),
    (r"(?:at|in) which place (.+)", r"where \1"),
    (r"(?:at (?:what|which) hour|what time) (.+)", r"at what time \1"),
    (r"what year (.+)", r"in which year \1"),
    (r"how much time (does|will|before) (.+)", r"how long \1 \2"),
    (r"(?:how frequently|at what intervals) (.+)", r"how often \1"),
    (r"how soon after (.+)", r"within what time of \1"),
    (r"how (?:soon|quickly) (.+)", r"within what time \1"),
    (r"how far ahead of (.+)", r"how long before \1"),
    (r"how much (?:do|would) (?:i|we) pay for (.+)", r"how much does \1 cost"),
    (r"what (?:will|would) (.+?) set me back(.*)", r"how much does \1 cost\2"),
    (r"how much will i be charged for (.+)", r"how much does \1 cost"),
    (r"what do you charge for (.+)", r"how much does \1 cost"),
    (r"what is the price of (.+)", r"how much does \1 cost"),
    (r"what (?:sum|amount)(?: of money)? ((?:is|are|was|were|does|do|did|has|have|had|will|must|may|can|should) .+)", r"how much \1"),
    (r"what number of (.+)", r"how many \1"),
    (r"exactly how many (.+)", r"how many \1"),
    (r"how many (.+) in all", r"how many \1"),
    (r"(?:who (?:serves|works) as|which person is|who has the job of|who fills the post of) (.+)", r"who is \1"),
    (r"what is the (.+) called", r"what is the name of the \1"),
    (r"(?:which person|who was it that) (.+)", r"who \1"),
    (r"how come (.+)|why is it that (.+)", r"why \1\2"),
    (r"(?:what is meant by|what do people mean by|how would you describe) (.+)", r"what is \1"),
    (r"(?:what is (.+) short for|what do the letters (.+) mean)", r"what does \1\2 stand for"),
    (r"what name does (.+) have", r"what is \1 called"),
    (r"how do i call (.+)|which call do i use for (.+)|how is (.+) called in code", r"what is the API call of \1\2\3"),
    (r"what can i do with (.+)|what is (.+) good for|what can (.+) be used for", r"what is the functionality of \1\2\3"),
    (r"which (?:arguments|parameters) does (.+) (?:take|accept)", r"what are the API arguments of \1"),
    (r"what must be installed before i can use (.+)|what does (.+) need to run", r"what are the env requirements of \1\2"),
    (r"how well does (.+) perform|how good is (.+)", r"what is the performance of \1\2"),
    (r"which framework does (.+) use|which library is (.+) built on", r"what is the framework of \1\2"),
    (r"which field does (.+) belong to|what field is (.+) for", r"what is the domain of \1\2"),
    (r"which (.+) (?:goes with|are there for) (.+)", r"what is the \1 of \2"),
    (r"which (.+) does (.+) have", r"what is the \1 of \2"),
)  # fmt: skip
_WAYS_BACK = tuple((re.compile(said, re.IGNORECASE), plain) for said, plain in _BACK)
_LEADS = re.compile(
    r"^(?:any idea|have you any idea|do you happen to know|i wonder|i(?:'d| would) be glad to know|does anybody know)[,:]?\s+", re.IGNORECASE
)


def reframed(question: str, kind: str) -> list[str]:
    """The same question in the other frames that its kind of value has; nothing where its own frame is not known."""
    plain = question.rstrip("?")
    for of, frame, others in _COMPILED:
        if of in (kind, "*") and (match := frame.fullmatch(plain)):
            return [f"{other.format(**match.groupdict(''))}?" for other in others if not _clashes(other, match)]
    return []


def _clashes(other: str, match: re.Match) -> bool:
    """Whether a part would stand wrongly in a frame: a question mark inside it, or a bracket torn apart."""
    parts = match.groupdict("")
    return any("?" in part or part.count("(") != part.count(")") for part in parts.values()) or other.format(
        **parts
    ) == match.group()


def plainly(question: str) -> str:
    """A question of these frames in the plain one; any other one without its lead."""
    asked = strip_lead(_LEADS.sub("", question.strip())).rstrip("?! .")
    for said, plain in _WAYS_BACK:
        if match := said.fullmatch(asked):
            return f"{match.expand(plain)}?"
    return f"{asked}?"
