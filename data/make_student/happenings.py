"""Draws what happened and what is allowed: sentences of minutes and of house rules, and the questions they answer.

Every wording is a format string; of each list the last one is held out for measuring.
"""

import random

from make_student.lexicon import ACTORS, ADJECTIVES, NOUNS, ROLES, UNITS, VERBS
from make_student.values import (
    draw_date,
    draw_number,
    draw_person,
    draw_place,
    draw_reason,
    draw_thing,
    draw_time,
    draw_value,
    plural,
)

EVENT_SAYS = """{who} {past} {obj} {where} on {when}
On {when}, {who} {past} {obj} {where}
{where}, {who} {past} {obj} on {when}
{obj}, {past} {where} on {when}, came from {who}
it was on {when} that {who} {past} {obj} {where}
{obj} {was} {past} by {who} {where} on {when}"""
EVENT_ASKS = {
    "who": """who {past} {bare}
by whom {was} {bare} {past}
who {past} {obj} {where}
who is the one who {past} {bare}
which person {past} {bare}
who took care that {bare} {was} {past}
whom do we thank that {bare} {was} {past}
somebody {past} {bare}, but who
who has {past} {bare}
who did it: {bare} {was} {past}
on {when}, who {past} {bare}
who was behind it when {bare} {was} {past}
name of the one who {past} {bare}
who was it that {past} {bare} {where}""",
    "when": """when did {who} {base} {bare}
when {was} {bare} {past}
on which day did {who} {base} {bare}
when did it happen that {who} {past} {bare}
what was the date on which {bare} {was} {past}
how long ago {was} {bare} {past}
since when {was} {bare} {past}
which day {was} {bare} {past} {where}
when exactly did {who} {base} {bare}
date when {bare} {was} {past}
at what point in time did {who} {base} {bare}
when was it that {who} {past} {bare}
on what date {was} {bare} {past} by {who}""",
    "what": """what did {who} {base} {where}
what was {past} by {who}
what has {who} {past}
which thing did {who} {base} on {when}
what is it that {who} {past}
what did {who} do {where}
what did {who} do on {when}
what has {who} been busy with on {when}
tell me what {who} {past}
what did {who} {base} on {when}""",
    "where": """where did {who} {base} {bare}
where {was} {bare} {past}
at what place did {who} {base} {bare}
where exactly did {who} {base} {bare}
where was {who} when {bare} {was} {past}
where did it happen that {bare} {was} {past}
in what part of the site {was} {bare} {past}
what was the place where {who} {past} {bare}
where on earth did {who} {base} {bare}
in which place {was} {bare} {past}""",
    "how many": """how many {bare} did {who} {base}
how many {bare} were {past}
how many {bare} has {who} {past}
what is the number of {bare} that {who} {past}
{bare}: how many did {who} {base}
how large is the number of {bare} {past} by {who}
{who} {past} {bare}, how many
in all, how many {bare} were {past}
what number of {bare} {was} {past}""",
}

RULES = {
    "fine": ("""{actors} who {base} a {thing} pay {value}
if {actors} {base} a {thing}, they owe {value}
all {actors} are charged {value} when they {base} a {thing}
{value} must be paid by {actors} who {base} a {thing}
a charge of {value} is due when {actors} {base} a {thing}
{actors} {base} a {thing} at their own cost of {value}
for {actors} who {base} a {thing} the charge is {value}""", """how much do {actors} pay who {base} a {thing}
what is the charge if {actors} {base} a {thing}
what do {actors} have to pay when they {base} a {thing}
what does it cost if {actors} {base} a {thing}
is there a fine for {actors} who {base} a {thing}, and how much
how expensive does it get when {actors} {base} a {thing}
what happens to the wallet of {actors} who {base} a {thing}
I want to {base} a {thing}, what will that set me back
how much money is asked of {actors} who {base} a {thing}
what sum is due when a {thing} is {past} by {actors}
what is taken from {actors} for a {thing} that they {base}
what do I owe if I {base} a {thing}"""),
    "limit": ("""{actors} may {base} up to {value} {things}
no more than {value} {things} may be {past} by {actors}
at most {value} {things} can be {past} by {actors}
{actors} are limited to {value} {things} that they {base}
{value} {things} is the most that {actors} may {base}
not more than {value} {things} at a time: {actors} may not {base} more
the limit for {actors} is {value} {things} {past}""", """how many {things} may {actors} {base}
how many {things} can be {past} by {actors}
up to how many {things} are {actors} allowed to {base}
what is the most {things} that {actors} may {base}
is there a limit to the {things} that {actors} {base}, and what is it
what is the largest number of {things} {actors} can {base}
I would like to {base} some {things}, how many at most
how many {things} am I allowed to {base}
at how many {things} is it enough when {actors} {base} them
what number of {things} must not be exceeded by {actors}
how many {things} at a time may {actors} {base}
what is the limit of {things} {past} by {actors}"""),
    "deadline": ("""{actors} must {base} the {thing} {prep} {value}
the {thing} must be {past} by {actors} {prep} {value}
the {thing} has to be {past} {prep} {value}, and {actors} see to it
{actors} are asked to {base} the {thing} {prep} {value}
{prep} {value} the {thing} is to be {past} by {actors}
please {base} the {thing} {prep} {value}; this is for {actors}
{prep} {value}, {actors} have to {base} the {thing}""", """by when must {actors} {base} the {thing}
when must the {thing} be {past}
how long do {actors} have to {base} the {thing}
what is the deadline for {actors} to {base} the {thing}
how much time is there to {base} the {thing}
when is the last moment to {base} the {thing}
when is it too late to {base} the {thing}
I still have to {base} the {thing}, how much time is left
at the latest, when do {actors} {base} the {thing}
what time limit is set to {base} the {thing}
how soon does the {thing} have to be {past}
until when can {actors} {base} the {thing}"""),
    "allowed": ("""{actors} {can} {base} {things} in {place}
in {place} {actors} {can} {base} {things}
as to {place}, {actors} {can} {base} {things} there
when in {place}, {actors} {can} {base} {things}
whatever else is said of {place}, {actors} {can} {base} {things} in it
{things} {can} be {past} in {place} by {actors}""", """may {actors} {base} {things} in {place}
are {actors} allowed to {base} {things} in {place}
can {actors} {base} {things} in {place}
is it all right for {actors} to {base} {things} in {place}
do the rules let {actors} {base} {things} in {place}
could {actors} just {base} {things} in {place}
would anybody mind if {actors} {base} {things} in {place}
is it forbidden or not that {actors} {base} {things} in {place}
{things} in {place}: may {actors} {base} them
am I allowed to {base} {things} in {place}
is it possible for {actors} to {base} {things} in {place}"""),
    "why": ("""{actors} cannot {base} the {thing} because {value}
the {thing} is not {past}, as {value}
because {value}, the {thing} can not be {past} at present
{actors} were told not to {base} the {thing}, for {value}
the reason why {actors} do not {base} the {thing} is that {value}
{value}, and so {actors} do not {base} the {thing}
since {value}, {actors} do not {base} the {thing}""", """why can't {actors} {base} the {thing}
why is the {thing} not {past}
why is it that {actors} don't {base} the {thing}
what keeps {actors} from being able to {base} the {thing}
what is the reason that the {thing} is not {past}
how come {actors} do not {base} the {thing}
what is in the way when {actors} want to {base} the {thing}
what is the problem with the {thing} that {actors} cannot {base}
what stops {actors} who want to {base} the {thing}
because of what can the {thing} not be {past}
for what reason do {actors} not {base} the {thing}"""),
    "how": ("""{actors} {base} the {thing} {value}
the {thing} is {past} {value}
{value} is how {actors} {base} the {thing}
{actors} are asked to {base} the {thing} {value}
please {base} the {thing} {value} and not otherwise
{value}, {actors} {base} the {thing}
the {thing} may only be {past} {value}""", """how do {actors} {base} the {thing}
how is the {thing} {past}
what is the way to {base} the {thing}
by what means is the {thing} {past}
what do {actors} use to {base} the {thing}
what must I do it with if I want to {base} the {thing}
how should one {base} the {thing}
how can I {base} the {thing}
how does it work when {actors} {base} the {thing}
what is needed to {base} the {thing}
in what way is the {thing} {past}"""),
    "place": ("""{actors} {base} the {thing} in {value}
the {thing} is {past} by {actors} in {value}
{value} is where {actors} {base} the {thing}
go to {value} to {base} the {thing}; this goes for {actors}
the place for {actors} to {base} the {thing} is {value}
{actors} who want to {base} the {thing} go to {value}
in {value} {actors} may {base} the {thing}""", """where do {actors} {base} the {thing}
where is the {thing} {past}
where can one {base} the {thing}
where do I go to {base} the {thing}
what is the right place to {base} the {thing}
where should {actors} {base} the {thing}
to which room do {actors} go to {base} the {thing}
where must I be to {base} the {thing}
where will {actors} find a spot to {base} the {thing}
at what place is the {thing} {past} by {actors}
in which place do {actors} {base} the {thing}"""),
    "ask": ("""{actors} who want to {base} a {thing} ask {value}
{value} decides whether {actors} may {base} a {thing}
{value} has the last word when {actors} want to {base} a {thing}
before {actors} {base} a {thing}, {value} must agree
speak to {value} first if you want to {base} a {thing}; this goes for {actors}
leave to {base} a {thing} is given to {actors} by {value}
a {thing} is {past} only after {value} agrees""", """whom do {actors} ask who want to {base} a {thing}
who decides whether {actors} may {base} a {thing}
who gives {actors} leave to {base} a {thing}
who do I turn to if I want to {base} a {thing}
whose word counts when {actors} {base} a {thing}
who says yes or no when {actors} want to {base} a {thing}
with whom must {actors} speak before they {base} a {thing}
who can allow me to {base} a {thing}
who is the one to see about a {thing} that {actors} want to {base}
whom must I talk to first when I {base} a {thing}
who has to agree before a {thing} is {past}"""),
}


def draw_event(rng: random.Random, held_out: bool, people: list[str], things: list[str]):
    """One thing that happened: its sentences, the questions it answers as (label, wordings, answer), and (who, verb, thing)."""
    who, (base, past), thing = rng.choice(people), rng.choice(VERBS), rng.choice(things)
    count = draw_number(rng) if rng.random() < 0.4 else ""
    place, when = draw_place(rng, held_out), draw_date(rng)
    where = rng.choice(("in", "at", "near", "for")) + " " + place
    obj, bare = (f"{count} {plural(thing)}", plural(thing)) if count else (f"the {thing}", f"the {thing}")
    words = {"who": who, "base": base, "past": past, "obj": obj, "bare": bare, "where": where, "when": when, "was": "were" if count else "was"}
    answers = {"who": who, "when": when, "what": obj}
    if not where.startswith("for"):
        answers["where"] = place
    if count:
        answers["how many"] = count
    asks = [(label, _fill(EVENT_ASKS[label], words), answer) for label, answer in answers.items()]
    return _fill(EVENT_SAYS, words), asks, (who, base, bare)


def draw_rule(rng: random.Random, held_out: bool):
    """One rule of the house: its sentences, its questions, their answer, and (actors, verb, thing)."""
    actors, (base, past) = rng.choice(ACTORS), rng.choice(VERBS)
    if rng.random() < 0.4:
        actors = f"{rng.choice(ADJECTIVES)} {actors}"
    thing, kind, prep, can, place = draw_thing(rng, held_out), rng.choice(list(RULES)), "", "", ""
    if kind == "fine":
        value = draw_value("money", rng, held_out)
    elif kind == "limit":
        value = draw_number(rng)
    elif kind == "deadline":
        value = rng.choice((draw_date(rng), draw_time(rng), draw_value("span", rng, held_out)))
        prep = "within" if value.split()[-1] in UNITS["span"] else "before"
    elif kind == "allowed":
        value, place = rng.choice(("yes", "no")), draw_place(rng, held_out)
        can = "may" if value == "yes" else rng.choice(("may not", "must not", "cannot"))
    elif kind == "why":
        value = draw_reason(rng, held_out)
    elif kind == "how":
        value = rng.choice((f"with the {draw_thing(rng, held_out)}", f"by {rng.choice(('email', 'phone', 'letter', 'post', 'hand'))}",
                            f"through the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}", f"with a {rng.choice(NOUNS)} and a {rng.choice(NOUNS)}"))
    elif kind == "place":
        value = draw_place(rng, held_out)
    else:
        value = rng.choice((f"the {rng.choice(ROLES)}", draw_person(rng, held_out)))
    words = {"actors": actors, "base": base, "past": past, "thing": thing, "things": plural(thing), "value": value, "prep": prep, "can": can, "place": place}
    says, asks = RULES[kind]
    return _fill(says, words), _fill(asks, words), value, (actors, base, thing)


def _fill(wordings: str, words: dict[str, str]) -> list[str]:
    return [line.format(**words) for line in wordings.split("\n")]
