"""robots.txt: may this address be asked for, and how long to wait between two requests.

Groups and delays are read by the standard library; its matching knows no `*` and `$` and takes the first rule instead of the
longest, so that is done here. Source: RFC 9309, section 2.2.
"""

import re
from urllib.parse import unquote, urlsplit
from urllib.robotparser import RobotFileParser


class Robots:
    """The rules of one host for one crawler.

    Args:
        text: The file; None where everything is forbidden, "" where nothing is.
        agent: Name of the crawler; what stands before the first `/` or space counts.
    """

    def __init__(self, text: str | None, agent: str):
        self._forbidden = text is None
        self._agent = re.split(r"[/\s]", agent.strip())[0]
        self._parser = RobotFileParser()
        self._parser.parse((text or "").lstrip("\ufeff").splitlines())

    def allow(self, url: str) -> bool:
        """Whether the longest rule that fits says so; the allowing one where two are equally long."""
        if self._forbidden:
            return False
        parts = urlsplit(url)
        path = unquote(parts.path or "/") + (f"?{unquote(parts.query)}" if parts.query else "")
        fitting = [
            (len(rule), line.allowance) for line in self._rules() if (rule := unquote(line.path)) and _fits(rule, path)
        ]
        return max(fitting)[1] if fitting else True

    def delay_s(self) -> float:
        """Seconds that the host asks for between two requests; 0 where it does not say."""
        rate = self._parser.request_rate(self._agent)
        return max(float(self._parser.crawl_delay(self._agent) or 0), rate.seconds / rate.requests if rate else 0.0)

    def _rules(self) -> list:
        entries = [entry for entry in self._parser.entries if entry.applies_to(self._agent)]
        entries = entries or ([self._parser.default_entry] if self._parser.default_entry else [])
        return [line for entry in entries for line in entry.rulelines]


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
