"""Draws names and values of the invented world: prices, dates, places, codes, people, subjects of each kind.

Every function takes the `random.Random` it may use and whether the names must come from the held-out side.
"""

import random

from make_student.lexicon import (
    ACTORS,
    ADJECTIVES,
    CURRENCIES,
    DAYS,
    FIRST,
    MONTHS,
    NOUNS,
    NUMBERS,
    ROLES,
    UNITS,
    VERBS,
    draw_word,
)

HALLS = "hall room office branch library pool gym studio garden museum clinic workshop cafe archive lodge centre".split()
GATHERINGS = """fair festival course workshop concert race walk tour market lecture meeting training exam auction
exhibition match seminar party cup picnic""".split()
TRANSPORTS = "ferry bus tram shuttle train boat line night-bus cable-car coach".split()
CIRCLES = "club team committee association board choir department project society crew council circle band cooperative group".split()
SCHEMES = "pass permit licence grant loan tariff contract policy plan voucher card subscription insurance scheme allowance lease".split()
MACHINES = "pump heater printer boiler scanner mower oven filter compressor lift drill kiln sensor router projector".split()
STREETS = "Street Road Lane Square Way Alley Hill Row Avenue".split()
FIRMS = "Ltd, & Sons, Works, Brothers, Trading, Group, Farm, Bakery, Press, Logistics, Motors, Supplies".split(", ")


def draw_name(rng: random.Random, held_out: bool) -> str:
    return draw_word(rng, held_out).capitalize()


def draw_person(rng: random.Random, held_out: bool) -> str:
    last, style = draw_name(rng, held_out), rng.random()
    if style < 0.4:
        return f"{rng.choice(FIRST)} {last}"
    if style < 0.75:
        return f"{draw_name(rng, held_out)} {last}"
    return f"{rng.choice(('Mr', 'Ms', 'Dr', 'Mrs', 'Professor'))} {last}"


def draw_thing(rng: random.Random, held_out: bool) -> str:
    """An everyday noun with or without an adjective or a compound: `heated garden bench`."""
    parts = [rng.choice(NOUNS)]
    if rng.random() < 0.15:
        parts = [draw_word(rng, held_out)]
    if rng.random() < 0.35:
        parts.insert(0, rng.choice(NOUNS))
    if rng.random() < 0.45:
        parts.insert(0, rng.choice(ADJECTIVES))
    return " ".join(parts)


def plural(noun: str) -> str:
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh", "z")) else "s")


def draw_number(rng: random.Random) -> str:
    if rng.random() < 0.15:
        return rng.choice(NUMBERS)
    return str(rng.randint(2, 10 ** rng.choice((1, 2, 2, 3, 3, 4))))


def draw_code(rng: random.Random) -> str:
    letters = "".join(rng.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=rng.randint(0, 3)))
    return letters + rng.choice(("", "-", " ", "/") if letters else ("",)) + str(rng.randint(10, 99999))


def draw_time(rng: random.Random) -> str:
    hour, minute = rng.randint(0, 23), rng.choice((0, 0, 30, 15, 45, rng.randint(0, 59)))
    style = rng.random()
    if style < 0.6:
        return f"{hour}:{minute:02d}" if style < 0.3 else f"{hour:02d}:{minute:02d}"
    if style < 0.75:
        return f"{hour}.{minute:02d}"
    if style < 0.85:
        return f"{hour % 12 + 1} {rng.choice(('am', 'pm', 'a.m.', 'p.m.'))}"
    return f"{hour % 12 + 1}:{minute:02d} {rng.choice(('am', 'pm'))}" if style < 0.95 else rng.choice(("noon", "midnight"))


def draw_date(rng: random.Random) -> str:
    day, month, year = rng.randint(1, 28), rng.choice(MONTHS), rng.randint(1980, 2040)
    return rng.choice((f"{day} {month}", f"{day} {month} {year}", f"{month} {day}", f"{rng.choice(DAYS)}, {day} {month}",
                       f"{day}.{rng.randint(1, 12)}.{year}", f"{year}-{rng.randint(1, 12):02d}-{day:02d}",
                       f"{rng.choice(DAYS)} {day} {month}", f"the {day}th of {month}"))


def draw_place(rng: random.Random, held_out: bool) -> str:
    style = rng.random()
    if style < 0.35:
        return f"the {draw_name(rng, held_out)} {rng.choice(HALLS)}"
    if style < 0.7:
        return f"the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)}"
    return f"{rng.choice(('room', 'hall', 'building', 'store', 'cabinet'))} {rng.choice('ABCDEFGH')}{rng.choice(('', rng.randint(1, 99)))}"


def draw_reason(rng: random.Random, held_out: bool) -> str:
    """Why something is so: a short clause."""
    return rng.choice((f"the {draw_thing(rng, held_out)} is being {rng.choice(VERBS)[1]}", f"{draw_name(rng, held_out)} is away",
                       f"there are too few {rng.choice(ACTORS)}", f"the {rng.choice(ADJECTIVES)} {rng.choice(NOUNS)} was {rng.choice(VERBS)[1]}",
                       f"the {rng.choice(NOUNS)} is {rng.choice(ADJECTIVES)}", f"too many {plural(rng.choice(NOUNS))} were {rng.choice(VERBS)[1]}"))


def draw_value(kind: str, rng: random.Random, held_out: bool) -> str:
    """A value of one type, as it would stand in a document."""
    if kind == "money":
        amount = rng.choice((f"{rng.randint(1, 90)}.{rng.choice((50, 20, 80, 90, 25, 75, rng.randint(10, 99)))}",
                             f"{rng.randint(2, 10 ** rng.randint(1, 3))}", f"{rng.randint(1, 9)},{rng.randint(100, 999)}"))
        return rng.choice(CURRENCIES).format(amount)
    if kind in UNITS:
        number = draw_number(rng) if rng.random() < 0.8 else f"{rng.randint(0, 40)}.{rng.randint(1, 9)}"
        return f"{number} {rng.choice(UNITS[kind])}"
    if kind == "count":
        return draw_number(rng)
    if kind == "timespan":
        draw = rng.choice((draw_time, draw_date))
        return f"{draw(rng)} to {draw(rng)}"
    if kind == "phone":
        return " ".join(str(rng.randint(10, 9999)) for _ in range(rng.randint(2, 4)))
    if kind == "address":
        return f"{rng.randint(1, 199)} {draw_name(rng, held_out)} {rng.choice(STREETS)}"
    if kind == "email":
        return f"{draw_word(rng, held_out)}@{draw_word(rng, held_out)}.{rng.choice(('org', 'net', 'example', 'com'))}"
    if kind == "task":
        joined = (draw_thing(rng, held_out) for _ in range(rng.choice((1, 1, 2))))
        return " and ".join(f"{rng.choice(('the', 'the', 'a', 'your'))} {thing}" for thing in joined)
    if kind == "days":
        return rng.choice((" and ", " to ", " or ")).join(f"{day}s" for day in rng.sample(DAYS, 2))
    if kind == "material":
        return rng.choice((rng.choice(ADJECTIVES), draw_word(rng, held_out))) + " " + rng.choice(NOUNS)
    if kind == "area":
        return f"{draw_number(rng)} {rng.choice(('square metres', 'm²', 'hectares'))}"
    if kind == "age":
        return f"{rng.randint(3, 70)} {rng.choice(('years', 'years of age'))}"
    if kind == "floor":
        return rng.choice(("the ground floor", f"the {rng.choice(('first', 'second', 'third', 'fourth', 'top', 'fifth'))} floor",
                           f"floor {rng.randint(1, 20)}", f"level {rng.randint(0, 9)}"))
    drawers = {"time": lambda: draw_time(rng), "date": lambda: draw_date(rng), "code": lambda: draw_code(rng),
               "day": lambda: rng.choice(DAYS) + rng.choice(("", "s")), "year": lambda: str(rng.randint(1500, 2030)),
               "person": lambda: draw_person(rng, held_out), "place": lambda: draw_place(rng, held_out),
               "room": lambda: draw_place(rng, held_out), "town": lambda: draw_name(rng, held_out),
               "role": lambda: rng.choice(ROLES), "org": lambda: f"{draw_name(rng, held_out)} {rng.choice(FIRMS)}",
               "reason": lambda: draw_reason(rng, held_out),
               "adj": lambda: rng.choice((rng.choice(ADJECTIVES), draw_word(rng, held_out)))}
    return drawers[kind]()


VALUE_KINDS = ["money", "money", "count", "count", "date", "time", "person", "place", "code", "town", "org", "adj", "role",
               "task", *UNITS]


def draw_subject(kind: str, rng: random.Random, held_out: bool, head: str) -> str:
    """A subject of a kind; subjects that share `head` are easily confused, which is the point."""
    if kind == "person":
        return draw_person(rng, held_out)
    mark = draw_name(rng, held_out) if rng.random() < 0.55 else rng.choice(ADJECTIVES + NOUNS)
    if rng.random() < 0.12:
        mark += f" {rng.choice(ADJECTIVES)}"
    if kind == "device" and rng.random() < 0.4:
        mark = draw_code(rng).replace(" ", "-")
    if kind == "service" and rng.random() < 0.3:
        return f"{rng.choice(('line', 'route', 'bus'))} {rng.choice((draw_code(rng), rng.randint(1, 99)))}"
    if rng.random() < 0.08 and mark[0].isupper():
        return f"{head} {mark}"
    return f"the {mark} {head}"


def draw_head(kind: str, rng: random.Random) -> str:
    heads = {"place": HALLS, "event": GATHERINGS, "service": TRANSPORTS, "device": MACHINES, "group": CIRCLES, "scheme": SCHEMES}
    return rng.choice(heads.get(kind, NOUNS))
