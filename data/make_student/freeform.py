"""Exercises without fixed wordings: sentences put together at random, asked about in their own words.

In: a `random.Random`. Out: `Exercise`s. What transfers from these is not what a price list sounds like but the skill: find
the line that shares its words with the question, copy it whatever it is made of, and take from it the part that the question
word asks for. Lines of one passage share subjects and verbs, so that a single word in common is not enough.
"""

import dataclasses
import random
import re

from make_student.lexicon import ACTORS, ADJECTIVES, NOUNS, ROLES, VERBS, draw_word
from make_student.speech import speak
from make_student.values import draw_name, draw_person, draw_value, plural

# value type: how it is joined to a sentence | how it is asked for
SLOTS = {
    "money": ("for V;at V;at a price of V;costing V;worth V;and paid V", "how much;for how much;at what price;for what sum"),
    "date": ("on V;since V;until V;by V;before V", "when;on what date;on which day"),
    "year": ("in V;since V;until V", "when;in which year;in what year"),
    "time": ("at V;from V;until V;before V;after V", "when;at what time;at what hour"),
    "timespan": ("from V;between V", "when;between what times;during what hours"),
    "span": ("for V;within V;after V;every V;in V", "how long;for how long;within what time;how often;after how long"),
    "person": ("by V;with V;under V;for V", "who;by whom;with whom;for whom"),
    "place": ("in V;at V;near V;behind V;to V", "where;in which place;at what place;to where"),
    "town": ("in V;from V;to V;near V", "where;in which town;from where"),
    "weight": ("of V;weighing V;up to V", "how heavy;what weight;how much"),
    "length": ("of V;up to V;over V;within V", "how long;how far;what length;how wide"),
    "volume": ("of V;up to V;holding V", "how much;what volume;how large"),
    "temp": ("at V;below V;up to V", "at what temperature;how warm;how hot"),
    "code": ("under V;with the number V;as V", "under what number;which number;what code"),
    "org": ("by V;with V;from V", "who;by which company;from whom;which firm"),
    "days": ("on V;except on V", "when;on which days;what days"),
    "material": ("of V;with V;from V", "of what;with what;from what;which material"),
}
LINKS = "and;but;because;while;so that;although;when;if;since;as;which means that;unless".split(";")
LOOSE = "also;always;never;often;again;now;still;usually;only;first;then;together;later;soon;there;by hand;in the end;as a rule".split(";")
MODAL = "may;must;can;should;will;cannot;may not;has to".split(";")


def draw_noun_phrase(rng: random.Random, held_out: bool) -> str:
    """A subject or object: everyday words, names, or words that nobody has seen."""
    style = rng.random()
    word = draw_word(rng, held_out) if rng.random() < 0.3 else rng.choice(NOUNS)
    if style < 0.25:
        return f"the {rng.choice(ADJECTIVES)} {word}"
    if style < 0.4:
        return f"the {word}"
    if style < 0.52:
        return f"{draw_name(rng, held_out)} {rng.choice((word, rng.choice(NOUNS))).capitalize()}"
    if style < 0.64:
        return f"the {rng.choice(NOUNS)} {word}"
    if style < 0.72:
        return f"the {word} of {rng.choice(('the ' + rng.choice(NOUNS), draw_name(rng, held_out)))}"
    if style < 0.8:
        return f"{rng.choice(('a', 'every', 'any', 'each'))} {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    if style < 0.88:
        return rng.choice((f"{rng.choice(ADJECTIVES)} {rng.choice(ACTORS)}", f"the {rng.choice(ACTORS)}", plural(rng.choice(NOUNS))))
    if style < 0.94:
        return f"the {rng.choice(ROLES)}"
    return rng.choice((draw_name(rng, held_out), draw_person(rng, held_out)))


@dataclasses.dataclass
class Line:
    """A line of a passage; `parts` are (text, value type or "", value), in order; a question leaves one value out."""
    text: str
    parts: list


def draw_clause(rng: random.Random, held_out: bool, subjects: list[str], verbs: list[str]) -> list[tuple[str, str, str]]:
    """Subject, verb, perhaps an object, and one to three phrases with values, as parts."""
    parts = [(rng.choice(subjects), "subject", "")]
    verb = rng.choice(verbs)
    if rng.random() < 0.25:
        verb = f"{rng.choice(LOOSE)} {verb}"
    parts.append((verb, "", ""))
    if rng.random() < 0.55:
        parts.append((draw_noun_phrase(rng, held_out) if rng.random() < 0.6 else rng.choice(subjects), "object", ""))
    elif rng.random() < 0.3:
        number = draw_value("count", rng, held_out)
        parts.append((f"{number} {plural(rng.choice(NOUNS))}", "count", number))
    for kind in rng.sample(list(SLOTS), rng.choice((1, 1, 1, 2, 2, 3))):
        value = draw_value(kind, rng, held_out)
        parts.append((rng.choice(SLOTS[kind][0].split(";")).replace("V", value), kind, value))
    return [(text, kind, value or text) for text, kind, value in parts]


def draw_line(rng: random.Random, held_out: bool, subjects: list[str], verbs: list[str]) -> Line:
    """A sentence of one or two clauses, or a line of a list, a table or a price list."""
    if rng.random() < 0.28:
        kinds = rng.sample(list(SLOTS), rng.choice((1, 1, 2)))
        values = [(draw_value(kind, rng, held_out), kind) for kind in kinds]
        name = rng.choice(subjects).removeprefix("the ")
        label = f"{name}, {rng.choice((rng.choice(ADJECTIVES), rng.choice(verbs), rng.choice(NOUNS)))}" if rng.random() < 0.5 else name
        label = label[0].upper() + label[1:]
        shape = rng.random()
        if shape < 0.4:
            text = "| " + " | ".join([label, *(value for value, _ in values)]) + " |"
        elif shape < 0.6:
            text = f"{label} {'.' * rng.randint(4, 30)} {values[0][0]}"
        elif shape < 0.8:
            text = rng.choice(("- ", "* ", "")) + f"{label}: " + ", ".join(value for value, _ in values)
        else:
            text = f"{label} – " + ", ".join(value for value, _ in values)
        return Line(text, [(label, "", label), *((value, kind, value) for value, kind in values if value in text)])
    parts = draw_clause(rng, held_out, subjects, verbs)
    if rng.random() < 0.25:
        more = draw_clause(rng, held_out, subjects, verbs)
        parts += [(rng.choice((", ", " ")) .strip() + " " + rng.choice(LINKS), "", ""), *more] if rng.random() < 0.9 else []
    if rng.random() < 0.2:  # one phrase goes to the front
        last = parts.pop()
        parts = [(last[0] + ",", last[1], last[2]), *parts]
    text = " ".join(part[0] for part in parts).replace(" , ", ", ").replace(" ,", ",")
    text = text[0].upper() + text[1:] + rng.choice((".", ".", ".", ".", ";", "!"))
    return Line(text, parts)


def ask(line: Line, rng: random.Random) -> tuple[str, str] | None:
    """A question in the line's own words, some left out, and its answer; None when the line has nothing to ask for."""
    able = [i for i, (_, kind, _) in enumerate(line.parts) if kind]
    if not able or len(line.parts) < 2:
        return None
    place = rng.choice(able)
    _, kind, value = line.parts[place]
    value = value.rstrip(",")
    answer = value if value in line.text else value[0].upper() + value[1:]
    if answer not in line.text:
        return None
    near = [i for i in range(len(line.parts)) if i != place]
    if len(near) > 3:  # of a long line, what stands near what is asked for
        near = [i for i in near if abs(i - place) <= 3]
    kept = [i for i in near if line.parts[i][1] in ("", "subject", "object") or rng.random() < 0.4] or near
    words = " ".join(line.parts[i][0].rstrip(",") for i in kept).split()
    words = [word for word in words if rng.random() > (0.08 if word[0].isupper() or len(word) > 6 else 0.16)] or words
    if rng.random() < 0.08:
        rng.shuffle(words)
    if kind == "count":
        wanted = "how many " + line.parts[place][0].removeprefix(value).strip()
    elif kind in ("subject", "object"):
        wanted = rng.choice(("who", "what", "which one", "who or what"))
    else:
        wanted = rng.choice(SLOTS[kind][1].split(";"))
    helper = rng.choice(("", "", "is", "are", "was", "did", "does", "do", "can", "must", "has", "were"))
    content = " ".join(words)
    text = f"{content}: {wanted}" if rng.random() < 0.12 else " ".join(filter(None, (wanted, helper, content)))
    return text.strip(), answer


def draw_freeform(rng: random.Random, *, n_passages: int, low: int, high: int, n_asks: int, p_refuse: float, held_out: bool = False):
    """Passages of free lines and questions about them; some questions are about lines that were left out.

    Returns:
        (passages, asks), an ask being (question, quote, answer), the last two empty where no passage answers.
    """
    passages, shown, left_out = [], [], []
    while len(passages) < n_passages:
        subjects = [draw_noun_phrase(rng, held_out) for _ in range(rng.randint(2, 5))]
        verbs = [_verb(rng) for _ in range(rng.randint(2, 4))]
        for _ in range(min(rng.choice((1, 1, 2, 3)), n_passages - len(passages))):
            size, text, lines = rng.randint(low, high), "", []
            if rng.random() < 0.3:
                text = rng.choice(("# ", "## ", "", "")) + rng.choice(subjects).removeprefix("the ").capitalize() + "\n"
            if rng.random() < 0.3:  # a piece of a line that was cut
                text += draw_line(rng, held_out, subjects, verbs).text[rng.randint(5, 30):] + rng.choice((" ", "\n"))
            while len(text) < size:
                line = draw_line(rng, held_out, subjects, verbs)
                if rng.random() < 0.15:
                    left_out.append(line)
                    continue
                lines.append(line)
                text += line.text + rng.choice((" ", " ", "\n"))
            if rng.random() < 0.3:
                text += draw_line(rng, held_out, subjects, verbs).text[:rng.randint(8, 40)]
            passages.append(text.strip())
            shown += lines
    rng.shuffle(passages)
    asks = []
    for _ in range(n_asks * 3):
        refuse = bool(left_out) and (not shown or rng.random() < p_refuse)
        if not (shown or refuse):
            break
        line = rng.choice(left_out if refuse else shown)
        if (asked := ask(line, rng)) and is_clear(asked[0], line if not refuse else None, shown):
            question = speak(asked[0], rng, 0.3)
            asks.append((question, "", "") if refuse else (question, line.text, asked[1]))
        if len(asks) == n_asks:
            break
    return passages, asks


def is_clear(question: str, line: Line | None, shown: list[Line]) -> bool:
    """Whether a question's words point to its own line more than to any other, or to no line where it has none."""
    words = content_words(question)
    best = max((len(words & content_words(other.text)) for other in shown if other is not line), default=0)
    if line is None:
        return best < len(words)
    return len(words & content_words(line.text)) > best


def content_words(text: str) -> set[str]:
    """Words of four letters or more, lower case, and all that hold a digit."""
    return {word for word in re.findall(r"\w+", text.lower()) if len(word) > 3 or any(map(str.isdigit, word))}


def _verb(rng: random.Random) -> str:
    base, past = rng.choice(VERBS)
    return rng.choice((past, f"was {past}", f"were {past}", f"is {past}", f"has {past}", f"{rng.choice(MODAL)} be {past}",
                       f"{rng.choice(MODAL)} {base}", f"{base}s", "is", "has", "takes", "stands", "comes", "needs", "holds", "costs"))
