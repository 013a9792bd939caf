"""Where a run's groups of systems stand on this machine, and in how many turns. Starts nothing."""

from collections.abc import Mapping, Sequence

from lib.deploy.health import is_alive
from lib.deploy.place import Place, machine_memory, place
from lib.deploy.targets import group_name, group_need
from lib.run import BadInput


def place_groups(
    groups: Sequence[list[dict]], gpus: Mapping[str, float], *, sharing: str, taken: Mapping[int, float] | None = None
) -> list[dict[str, Place | None]]:
    """Places by group's name, one mapping for each turn.

    Args:
        groups: What `group_targets` made.
        gpus: Bytes of each GPU by name; empty for a CPU, whose memory counts instead.
        sharing: As of `place`.
        taken: Bytes that other servers hold, by device.

    Raises:
        BadInput: More GPUs are wanted than there are, or a model fits nowhere.
    """
    many = [group for group in groups if group[0]["hosts"]]
    if many:  # the cluster's GPUs are Ray's to give; one model at a time, since this machine cannot count them
        turns = [many] if sharing == "together" else [[group] for group in many]
        rest = [group for group in groups if not group[0]["hosts"]]  # a role's own model stands on this machine, in a turn of its own
        return [{group_name(group): None for group in turn} for turn in turns] + (
            place_groups(rest, gpus, sharing=sharing, taken=taken) if rest else []
        )
    memory = list(gpus.values()) or [machine_memory()]
    if not gpus:
        wanted = max((g[0]["tensor_parallel"] * g[0]["pipeline_parallel"] for g in groups), default=1)
        if wanted > 1:
            raise BadInput(f"tensor_parallel x pipeline_parallel: {wanted} GPUs are wanted and there is none here: set both to 1")
        if sharing == "auto" and all(not group_need(group, False).size_bytes for group in groups):
            sharing = "together"  # nothing tells their sizes, and a CPU has no shares to give
    return place([group_need(group, bool(gpus)) for group in groups], memory, sharing=sharing, taken=taken)


def held_bytes(known: Mapping[str, dict], gpus: Mapping[str, float]) -> dict[int, float]:
    """Bytes by device that live servers on record hold: on GPUs the share they were given, on a CPU what they need."""
    found: dict[int, float] = {}
    for record in {r["pid"]: r for r in known.values() if is_alive(r)}.values():
        for i, (name, size) in enumerate(gpus.items()):
            if name in record.get("gpus", []):
                found[i] = found.get(i, 0.0) + record["memory_share"] * size
        if not gpus:
            found[0] = found.get(0, 0.0) + record.get("need_bytes", 0.0)
    return found
