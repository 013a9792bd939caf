"""robots.txt: may this address be asked for, and how long to wait between two requests.

Read here and not by the standard library, which ends a group at an empty line, forgets a second group of the same name and a delay
of 2.5 seconds, and takes `Disallow: /?` for `Disallow: /`. Source: RFC 9309, section 2.2.
"""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit


@dataclass
class _Group:
    """What a file says to some crawlers: rules as (path, allowed), and seconds between two requests."""

    agents: list[str] = field(default_factory=list)
    rules: list[tuple[str, bool]] = field(default_factory=list)
    delay_s: float = 0.0
    is_open: bool = True  # further agents may still be named


class Robots:
    """The rules of one host for one crawler.

    Args:
        text: The file; None where everything is forbidden, "" where nothing is.
        agent: Name of the crawler; what stands before the first `/` or space counts.
    """

    def __init__(self, text: str | None, agent: str):
        self._forbidden = text is None
        name = re.split(r"[/\s]", agent.strip())[0].lower()
        groups = _read((text or "").lstrip("\ufeff"))
        own = [group for group in groups if any(known not in ("", "*") and known in name for known in group.agents)]
        self._groups = own or [group for group in groups if "*" in group.agents]

    def allow(self, url: str) -> bool:
        """Whether the longest rule that fits says so; the allowing one where two are equally long."""
        if self._forbidden:
            return False
        parts = urlsplit(url)
        path = unquote(parts.path or "/") + (f"?{unquote(parts.query)}" if parts.query else "")
        fitting = [(len(rule), allowed) for group in self._groups for rule, allowed in group.rules if _fits(rule, path)]
        return max(fitting)[1] if fitting else True

    def delay_s(self) -> float:
        """Seconds that the host asks for between two requests; 0 where it does not say."""
        return max((group.delay_s for group in self._groups), default=0.0)


def _read(text: str) -> list[_Group]:
    """The groups of a file, in order; a line that is none of theirs says nothing and ends nothing."""
    groups: list[_Group] = []
    for line in text.splitlines():
        name, _, value = line.partition("#")[0].partition(":")
        name, value = name.strip().lower(), value.strip()
        if name == "user-agent":
            if not groups or not groups[-1].is_open:
                groups.append(_Group())
            groups[-1].agents.append(value.split("/")[0].lower())
        elif groups and name in ("allow", "disallow", "crawl-delay", "request-rate"):
            groups[-1].is_open = False
            if name.endswith("allow") and value:
                groups[-1].rules.append((unquote(value), name == "allow"))
            elif name == "crawl-delay" and re.fullmatch(r"\d*\.?\d+", value):
                groups[-1].delay_s = max(groups[-1].delay_s, float(value))
            elif name == "request-rate" and (rate := re.match(r"(\d+)\s*/\s*(\d+)", value)) and int(rate[1]):
                groups[-1].delay_s = max(groups[-1].delay_s, int(rate[2]) / int(rate[1]))
    return groups


def _fits(rule: str, path: str) -> bool:
    """Whether a path begins as a rule says: `*` is anything, `$` at the end is the end. Linear, whatever the rule."""
    ends = rule.endswith("$")
    first, *rest = rule.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    place = len(first)
    for part in rest[:-1] if ends else rest:
        place = path.find(part, place)
        if place < 0:
            return False
        place += len(part)
    if not ends:
        return True
    return path.endswith(rest[-1]) and len(path) - len(rest[-1]) >= place if rest else place == len(path)
