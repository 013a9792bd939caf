"""Is a server there: its process, its health, its version."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping

from lib.run.supervise import process_start


def is_alive(record: Mapping | None) -> bool:
    """Whether a record's process is alive and still the one that was started."""
    return bool(record and record.get("pid")) and process_start(record["pid"]) == record.get("pid_start")


def is_healthy(base_url: str) -> bool:
    """Whether a server answers GET /health."""
    try:
        with urllib.request.urlopen(base_url.removesuffix("/v1") + "/health", timeout=3) as reply:
            return reply.status == 200
    except (urllib.error.URLError, OSError, ValueError):
        return False


def read_version(base_url: str) -> str | None:
    """What a server says to GET /version; None where it says nothing."""
    try:
        with urllib.request.urlopen(base_url.removesuffix("/v1") + "/version", timeout=3) as reply:
            return json.load(reply)["version"]
    except (urllib.error.URLError, OSError, ValueError, KeyError):
        return None
