"""Invents one document: subjects of one kind with their attributes, told as prose, lists, tables, minutes or rules.

In: a `random.Random` and the side of the held-out line. Out: a `World`, whose units know the questions they answer and
whose `missing` holds questions that its text does not answer.
"""

import dataclasses
import random
import re

from make_student.frames import FILLERS, read_kinds
from make_student.happenings import draw_event, draw_rule
from make_student.lexicon import ACTORS, ADJECTIVES, NOUNS, ROLES, VERBS, draw_word
from make_student.values import (
    VALUE_KINDS,
    draw_head,
    draw_name,
    draw_person,
    draw_subject,
    draw_thing,
    draw_value,
    plural,
)

TABLES = {side: read_kinds(side) for side in (False, True)}
# words that a sentence opens with in a capital and that have none within one
OPENERS = set("The A An It In On At For From To Of By With Every Each All No Some Most Many Children Visitors If When While After Before Since Until As You We "
              "They Our Your Their His Her This That These Those There Here Only Anyone Whoever People Nobody Please Between During Without Both Two Three Four".split())


@dataclasses.dataclass
class Unit:
    """One line or sentence of a document; `facts` are (label, wordings, answer); `needs` must be visible beside it."""
    text: str
    facts: list = dataclasses.field(default_factory=list)
    needs: "Unit | None" = None
    end: str = " "
    span: tuple[int, int] = (0, 0)


def sentence(text: str) -> str:
    return text[0].upper() + text[1:] + ("" if text[-1] in ".?!" else ".")


def dress(text: str, rng: random.Random, held_out: bool) -> str:
    """Now and then wrap a statement in words that do not matter, as real sentences are."""
    style = rng.random()
    if style < 0.72 or text[-1] in ".?!":
        return sentence(text)
    words = (rng.choice(NOUNS), rng.choice(ADJECTIVES), rng.choice(ACTORS), draw_name(rng, held_out), draw_thing(rng, held_out))
    if style < 0.86:
        lead = rng.choice(("as agreed", "since last year", "for the {1} {0}", "as {3} said", "please note", "thanks to the {2}",
                           "near the {0}", "in {3}", "from now on", "with the {4}", "after the {0}", "for {2}", "as before"))
        return sentence(f"{lead.format(*words)}{':' if lead == 'please note' else ','} {text}")
    tail = rng.choice((", as in the year before", ", even in the {1} {0}", ", unless the {0} is {1}", ", as the {2} asked", " (see the {0})",
                       ", beside the {4}", ", not far from {3}", " for the time being", ", and the {2} know it", ", says {3}", " (new)"))
    return sentence(text + tail.format(*words))


def put(frame: str, subject: str, value: str) -> str:
    """Fill a wording; the two slots are single capitals that stand as words of their own."""
    text = re.sub(r"\b[SV]\b(?!\.)", lambda slot: subject if slot.group() == "S" else value, frame)
    return text.replace("first the ", "first ").replace("last the ", "last ")


def loose_row(rng: random.Random, held_out: bool) -> tuple[str, str, list[str], list[str]]:
    """An attribute made up on the spot, so that a reader cannot rely on a list of known ones."""
    name = rng.choice((rng.choice(NOUNS), rng.choice(NOUNS), draw_word(rng, held_out),
                       f"{rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}", f"{rng.choice(NOUNS)} {rng.choice(NOUNS)}"))
    if rng.random() < 0.4:
        many = plural(name)
        base, past = rng.choice(VERBS)
        says = [f"S has V {many}", f"there are V {many} in S", f"V {many} were {past} for S", f"S {past} V {many}"]
        asks = [f"how many {many} does S have", f"how many {many} are there in S", f"how many {many} did S {base}"]
        pick = rng.randrange(3)
        says, asks = ([says[-1]], asks[-1:]) if held_out else ([says[pick]], asks[min(pick, 1):min(pick, 1) + 1])
        return many, "count", says, asks
    value = rng.choice(VALUE_KINDS)
    says = [f"the {name} of S is V", f"S has the {name} V", f"for S the {name} is V", f"the {name} for S was set to V",
            f"V is the {name} of S"]
    asks = [f"what is the {name} of S", f"which {name} does S have", f"what is the {name} for S",
            f"tell me the {name} of S"]
    return name, value, says[-1:] if held_out else says[:-1], asks[-1:] if held_out else asks[:-1]


class World:
    """A handful of subjects of one kind with their attributes, written out as one document."""

    def __init__(self, rng: random.Random, held_out: bool):
        self.rng, self.held_out, self.units, self.missing = rng, held_out, [], []
        style = rng.random()
        if style < 0.14:
            self.tell_events()
        elif style < 0.24:
            self.tell_rules()
        else:
            self.tell_things(rng.choice(list(TABLES[held_out])))

    def pick(self, wordings: list[str]) -> list[str]:
        return wordings[-1:] if self.held_out else wordings[:-1]

    def add(self, text: str, facts=(), needs: Unit | None = None, end: str = " ") -> Unit:
        self.units.append(Unit(text, list(facts), needs, end))
        return self.units[-1]

    def filler(self) -> None:
        rng = self.rng
        if rng.random() < 0.4:
            self.add(rng.choice(FILLERS))
        else:
            words = (rng.choice(NOUNS), rng.choice(ADJECTIVES), rng.choice(ACTORS), rng.choice(VERBS)[1],
                     draw_name(rng, self.held_out), draw_thing(rng, self.held_out))
            self.add(sentence(rng.choice((
                "{4} and the {2} {3} a {5} beside the {0}", "the {1} {0} is used by {2} only",
                "many {2} asked about the {5}", "a {5} and the {1} {0} were {3} by {2}",
                "{4} thanked the {2}", "the {5} is not part of the {0}", "as before, {2} look after the {1} {0}"))
                .format(*words)))

    def heading(self, text: str) -> Unit:
        style = self.rng.random()
        text = text[0].upper() + text[1:]
        if style < 0.55:
            text = "#" * self.rng.randint(1, 3) + " " + text
        elif style < 0.65:
            text = f"**{text}**"
        return self.add(text, end=self.rng.choice(("\n", "\n\n")))

    def tell_events(self) -> None:
        rng = self.rng
        people = [rng.choice((draw_person(rng, self.held_out), f"the {rng.choice(ROLES)}", f"the {rng.choice(ACTORS)}"))
                  for _ in range(rng.randint(2, 4))]
        things = [draw_thing(rng, self.held_out) for _ in range(rng.randint(3, 6))]
        self.heading(rng.choice(("Minutes", "Report", "News", "Diary", f"Notes of {draw_name(rng, self.held_out)}")))
        seen = set()
        for _ in range(rng.randint(6, 12)):
            says, asks, key = draw_event(rng, self.held_out, people, things)
            if key[2] in seen:
                continue
            seen.add(key[2])
            facts = [(label, self.pick(wordings), answer) for label, wordings, answer in asks]
            # "what did X lend" is only safe when X did one thing
            facts = [f for f in facts if f[0] != "what"] if any(key[0] in u.text for u in self.units) else facts
            if rng.random() < 0.15:
                self.missing += [f[1] for f in facts if f[0] != "what"]
                continue
            bullet = rng.random() < 0.2
            self.add(dress(rng.choice(self.pick(says)), rng, self.held_out), facts, end="\n" if bullet else " ")
            if rng.random() < 0.2:
                self.filler()
        owners = [f for u in self.units for f in u.facts if f[0] == "what"]
        for fact in owners:  # a person named again later makes "what did they do" ambiguous
            who = next((p for p in people if any(p in w for w in fact[1])), None)
            if who and sum(who.lower() in u.text.lower() for u in self.units) > 1:
                for unit in self.units:
                    unit.facts = [f for f in unit.facts if f is not fact]

    def tell_rules(self) -> None:
        rng, seen = self.rng, set()
        self.heading(rng.choice(("House rules", "Terms of use", "Rules", "Good to know", "Information")))
        for number in range(rng.randint(5, 11)):
            says, asks, value, key = draw_rule(rng, self.held_out)
            if key in seen:
                continue
            seen.add(key)
            if rng.random() < 0.2:
                self.missing.append(self.pick(asks))
                continue
            lead = rng.choice(("", "", "- ", f"{number + 1}. "))
            if lead:
                self.add(lead.strip(), end=" ")
            self.add(dress(rng.choice(self.pick(says)), rng, self.held_out), [("rule", self.pick(asks), value)], end="\n" if lead else " ")
            if rng.random() < 0.15:
                self.filler()

    def tell_things(self, kind: str) -> None:
        rng = self.rng
        rows = rng.sample(TABLES[self.held_out][kind], rng.randint(3, 6))
        rows += [loose_row(rng, self.held_out) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
        head = draw_head(kind, rng)
        subjects = []
        for _ in range(rng.randint(3, 7)):
            name = draw_subject(kind, rng, self.held_out, head if rng.random() < 0.6 else draw_head(kind, rng))
            if not any(name in other or other in name for other in subjects):
                subjects.append(name)
        self.subjects = list(subjects)
        absent = [subjects.pop()] if len(subjects) > 2 else []
        style = rng.choice(("prose", "prose", "prose", "mixed", "mixed", "sections", "list", "pairs", "table"))
        if rng.random() < 0.6:
            self.heading(rng.choice((f"{head}s", f"our {head}s", f"{rows[0][0]} and more", draw_name(rng, False), "overview")))
        known = [(s, row) for s in subjects for row in rows]
        if style == "table":
            self.tell_table(subjects, rows[:rng.randint(1, 4)])
            known = [(s, row) for s, row in known if row not in rows[:4]]
        else:
            told = [pair for pair in known if rng.random() < 0.75]
            known = [pair for pair in known if pair not in told]
            if style == "mixed":
                rng.shuffle(told)
                for subject, row in told:
                    self.say(subject, row)
                    if rng.random() < 0.12:
                        self.filler()
            else:
                for subject in subjects:
                    self.tell_one(subject, [row for s, row in told if s == subject], style)
        known += [(s, row) for s in absent for row in rows]
        self.missing += [self.asks(row, s) for s, row in known]

    def fact(self, subject: str, row, value: str):
        return row[0], self.asks(row, subject), value

    def asks(self, row, subject: str) -> list[str]:
        """Questions for an attribute; a subject may be called by its proper name alone where that names no other."""
        names = subject.removeprefix("the ").split()
        mark = names[-1] if names[-1][0].isupper() else names[0]
        if mark[0].isupper() and self.rng.random() < 0.2 and sum(mark in name for name in self.subjects) == 1:
            subject = mark
        return [put(ask, subject, "") for ask in row[3]]

    def say(self, subject: str, row, it: str = "", needs: Unit | None = None) -> Unit:
        value = draw_value(row[1], self.rng, self.held_out)
        frames = [f for f in row[2] if f.startswith("S ")] if it else row[2]
        if not frames:
            it, needs, frames = "", None, row[2]
        text = put(self.rng.choice(frames), it or subject, value)
        return self.add(dress(text, self.rng, self.held_out), [self.fact(subject, row, value)], needs)

    def tell_one(self, subject: str, rows: list, style: str) -> None:
        rng = self.rng
        if not rows:
            return
        if style == "prose":
            first = self.say(subject, rows[0])
            for row in rows[1:]:
                frames = [f for f in row[2] if f.startswith("S ")]
                last = self.units[-1]
                if frames and last.facts and last.text.count(" and ") == 0 and rng.random() < 0.25:
                    value = draw_value(row[1], rng, self.held_out)
                    last.text = last.text[:-1] + " and " + put(rng.choice(frames), "", value).strip() + "."
                    last.facts.append(self.fact(subject, row, value))
                elif rng.random() < 0.3 and style == "prose" and not subject[0].isupper():
                    self.say(subject, row, it=rng.choice(("it", f"the {subject.split()[-1]}")), needs=first)
                else:
                    self.say(subject, row)
            self.units[-1].end = rng.choice((" ", "\n", "\n\n"))
            return
        top = self.heading(subject.removeprefix("the ")) if style == "sections" else None
        if style == "pairs" or style == "sections":
            sep = rng.choice((": ", ": ", " - ", " | "))
            mark = rng.choice(("", "- ", "* ")) if sep != " | " else ""
            if top is None:
                top = self.add(sentence(subject).rstrip(".") + rng.choice((":", "")), end="\n")
            for row in rows:
                value = draw_value(row[1], rng, self.held_out)
                if mark:
                    self.add(mark.strip())
                text = row[0][0].upper() + row[0][1:] + sep + value
                self.add(f"| {text} |" if sep == " | " else text, [self.fact(subject, row, value)], top, "\n")
        else:
            for row in rows:
                self.add("-")
                self.say(subject, row).end = "\n"

    def tell_table(self, subjects: list[str], rows: list) -> None:
        rng = self.rng
        names = [row[0][0].upper() + row[0][1:] for row in rows]
        top = self.add("| " + " | ".join([rng.choice(("Name", "", "Item", "What")), *names]) + " |", end="\n")
        self.add("|" + "---|" * (len(rows) + 1), end="\n")
        for subject in subjects:
            values = [draw_value(row[1], rng, self.held_out) for row in rows]
            text = "| " + " | ".join([subject.removeprefix("the "), *values]) + " |"
            self.add(text, [self.fact(subject, row, v) for row, v in zip(rows, values)], top, "\n")

    def join(self, share: float, longest: int = 180) -> None:
        """Make one line of two for a share of the neighbouring sentences, so that a line says several things of which a question wants one."""
        needed, units = {id(unit.needs) for unit in self.units}, []
        for unit in self.units:
            last = units[-1] if units else unit
            apart = last is unit or last.end != " " or not (last.facts and unit.facts) or {last.text[-1], unit.text[-1]} != {"."}
            if apart or unit.needs or last.needs or id(unit) in needed or len(last.text) + len(unit.text) > longest or self.rng.random() >= share:
                units.append(unit)
                continue
            text, facts = unit.text, unit.facts
            if text.split()[0] in OPENERS:
                text = text[0].lower() + text[1:]
                facts = [(label, asks, text[:len(answer)] if unit.text.startswith(answer) else answer) for label, asks, answer in facts]
            last.text = last.text[:-1] + self.rng.choice(("; ", "; ", ", and ", ", while ", ", but ", " and ")) + text
            last.facts, last.end = [*last.facts, *facts], unit.end
        self.units = units

    def text(self) -> str:
        """Write the document and note where each unit lies in it."""
        text = ""
        for unit in self.units:
            unit.span = (len(text), len(text) + len(unit.text))
            text += unit.text + unit.end
        return text
