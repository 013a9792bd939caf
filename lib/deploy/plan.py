"""What 3_deploy would do: `python -m lib.deploy.plan PARAMS.json`. Starts nothing."""

import json
import sys
from pathlib import Path

from lib.deploy.command import Server, build_command
from lib.deploy.model import LOCAL, read_config
from lib.deploy.serve import ENGINES, count_gpus
from lib.llm import resolve_role
from lib.run import BadInput

START_MINUTES_CPU = 0.5
START_MINUTES_GPU = 3.0


def plan(p: dict) -> list[dict]:
    """Lines `{item, value, unit, note}` of `--plan`.

    Raises:
        BadInput: An unknown engine, or a system that nothing serves.
    """
    if p["engine"] not in ENGINES:
        raise BadInput(f"engine: expected one of {', '.join(ENGINES)}; found {p['engine']!r}")
    lines, n_gpus = [], count_gpus()
    local = [s for s in p["systems"] if p["engine"] != "endpoint" and (s in LOCAL or resolve_role(s) is None)]
    for system in p["systems"]:
        if system in local and system not in LOCAL:
            raise BadInput(
                f"systems: {system} is served nowhere; set {system.upper()}_OPENAI_BASE_URL and {system.upper()}_OPENAI_DEPLOYMENT"
            )
        model = f"runs/{p['run']}/model" if system == "student" else p["student_model"]
        if system not in local:
            lines.append(_line(f"{system} at", "its endpoint", "", "set by its role variables; nothing is started"))
            continue
        config = read_config(model) if system == "baseline" else {}
        architecture = (config.get("architectures") or ["as student_model"])[0]
        lines.append(_line(f"{system} served", model, "", f"{p['engine']}, {architecture}"))
    wanted = len(local) * p["tensor_parallel"]
    if local:
        found = f"{n_gpus} GPUs here" if n_gpus else "no GPU here: vLLM's CPU build"
        lines.append(
            _line(
                "GPUs wanted", wanted, "GPUs", f"{len(local)} servers x tensor_parallel {p['tensor_parallel']}; {found}"
            )
        )
        lines.append(
            _line(
                "start of the servers",
                START_MINUTES_GPU if n_gpus else START_MINUTES_CPU,
                "minutes",
                "side by side; a guess",
            )
        )
        server = Server(
            local[0],
            p["student_model"],
            p["engine"],
            p["port"] or 8000,
            p["max_model_len"] or 8192,
            p["tensor_parallel"],
        )
        command = build_command(server, n_gpus=max(n_gpus, wanted) if n_gpus else 0, n_servers=len(local))
        lines.append(
            _line("command", p["engine"], "", "one of them, port and context to be found: " + " ".join(command[3:]))
        )
    return lines


def _line(item: str, value, unit: str, note: str) -> dict:
    return {"item": item, "value": value, "unit": unit, "note": note}


if __name__ == "__main__":
    print(json.dumps(plan(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))), ensure_ascii=False, indent=2))
