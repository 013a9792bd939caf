"""`open_run`: the first call of every notebook. It resolves parameters, opens the run's folder and keeps its manifest."""

import os
import random
import re
from pathlib import Path
from types import SimpleNamespace

from lib.run.endpoints import roles_hash
from lib.run.errors import BadInput
from lib.run.files import file_hash, text_hash, tree_hash
from lib.run.manifest import now, provenance, read_manifest, update_manifest
from lib.run.params import Setting, read_parameters, read_yaml, resolve

MAKERS = {"dataset": "1_gen", "training": "2_finetune", "model": "2_finetune", "adapter": "2_finetune", "serving": "3_deploy"}
RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def rng_for(seed: int, purpose: str) -> random.Random:
    """The generator that a run of this seed has for a purpose; a plan that draws from it foretells the very draw."""
    return random.Random(int(text_hash(f"{seed}/{purpose}"), 16) % 2**64)


def open_run(notebook: str, namespace: dict, root: str | Path = "runs", folder: str | Path = ".") -> "Run":
    """Open the run that a notebook's parameters name.

    Args:
        notebook: The notebook's name, `1_gen` and so on.
        namespace: The notebook's `globals()`, holding the values of its parameters cell.
        root: Folder of all runs.
        folder: Where the notebooks lie.

    Raises:
        BadInput: A parameter of a wrong type or an unknown key in `params_file`; every problem on a line of its own.
    """
    declared = {notebook: read_parameters(Path(folder) / f"{notebook}.ipynb")}
    given = {p.name: namespace[p.name] for p in declared[notebook] if namespace[p.name] != p.default}
    layers = [("notebook", given)]
    if namespace.get("params_file"):
        wanted = {p.name for p in declared[notebook]}
        values = read_yaml(namespace["params_file"])
        layers.append((namespace["params_file"], {k: v for k, v in values.items() if k in wanted}))
    settings, problems = resolve(declared, layers)
    if not RUN_NAME.fullmatch(str(settings["run"].value)):
        problems.append(f"run: expected a name of letters, digits, '.', '_' or '-'; found {settings['run'].value!r}")
    if problems:
        raise BadInput("\n".join(problems))
    return Run(notebook, settings, Path(root))


class Run:
    """One notebook's hold on `runs/<run>/`: parameters, paths, chance, and its entry in `run.json`.

    Attributes:
        p: Resolved parameters by name.
        dir: The run's folder.
    """

    def __init__(self, notebook: str, settings: dict[str, Setting], root: Path):
        self.notebook = notebook
        self.p = SimpleNamespace(**{name: s.value for name, s in settings.items()})
        self.dir = root / self.p.run
        self._settings = settings
        self._manifest_path = self.dir / "run.json"
        self._origins = _origins()
        self._update(self._open)

    def _open(self, manifest: dict) -> None:
        manifest.update(provenance())
        manifest["parameters"][self.notebook] = {name: s.value for name, s in self._settings.items()}
        manifest["stand_ins"] = [s for s in manifest["stand_ins"] if s["notebook"] != self.notebook]
        manifest["stages"][self.notebook] = {
            "status": "running", "started": now(), "ended": None,
            "code_sha256": code_hash(self.notebook), "roles_sha256": roles_hash(self.notebook, parameters=vars(self.p)), "inputs": {}, "outputs": {}, "counts": {}, "tokens": {}, "cost_usd": {},
        }  # fmt: skip

    def _update(self, change) -> dict:
        return update_manifest(self._manifest_path, change)

    def settings(self):
        """Resolved settings as a table for a notebook to show: name, value, where it came from, help."""
        import pandas as pd  # here, since servers and trainers import lib.run too

        rows = [
            {"name": s.name, "value": repr(s.value), "origin": self._origins.get(s.name, s.origin), "help": s.help}
            for s in self._settings.values()
        ]
        left = [{"selector": "th, td", "props": "text-align: left"}]
        return pd.DataFrame(rows).style.format(escape="html").set_table_styles(left).hide(axis="index")

    def path(self, name: str) -> Path:
        """Path of a file that this notebook makes; its folder is made."""
        path = self.dir / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def need(self, name: str) -> Path:
        """Path of a file that an earlier notebook left; declared as an input.

        Raises:
            FileNotFoundError: It is not there; names the notebook that makes it.
        """
        path = self.dir / name
        if not path.exists():
            maker = MAKERS.get(name.split("/")[0], "an earlier notebook")
            raise FileNotFoundError(f"{path} is missing: run {maker}.ipynb with run = {self.p.run!r} first")
        self.reads(path)
        return path

    def reads(self, *paths: str | Path) -> None:
        """Declare inputs: their hashes go into `run.json`, and a change of one makes this stage run again."""
        hashes = {str(path): tree_hash(path) for path in paths}
        self._update(lambda m: m["stages"][self.notebook]["inputs"].update(hashes))

    def rng(self, purpose: str) -> random.Random:
        """A generator of its own for one purpose, drawn from the run's seed."""
        return rng_for(self.p.seed, purpose)

    def record(self, **facts) -> None:
        """Merge facts into this stage's entry: dictionaries are merged key by key, numbers within `tokens` and `cost_usd` add up."""

        def merge(manifest: dict) -> None:
            stage = manifest["stages"][self.notebook]
            for name, value in facts.items():
                if name == "tokens":
                    for role, counts in value.items():
                        _add(stage["tokens"].setdefault(role, {}), counts)
                elif name == "cost_usd":
                    _add(stage["cost_usd"], value)
                elif isinstance(value, dict):
                    stage[name] = {**stage.get(name, {}), **value}
                else:
                    stage[name] = value

        self._update(merge)

    def stand_in(self, role: str, what: str) -> str:
        """Name something that stands in for the real thing; `run.json`, notebook and report say so."""
        entry = {"role": role, "what": what, "notebook": self.notebook}
        self._update(lambda m: m["stand_ins"].append(entry) if entry not in m["stand_ins"] else None)
        return f"Stand-in: {role} = {what}"

    def manifest(self) -> dict:
        """The whole `run.json` as it stands."""
        return read_manifest(self._manifest_path)

    def finish(self, outputs) -> None:
        """Mark this notebook finished, with the hashes of the files and folders that it leaves. Written last."""
        hashes = {str(path): tree_hash(path) for path in outputs}

        def close(manifest: dict) -> None:
            manifest["stages"][self.notebook].update(status="finished", ended=now(), outputs=hashes)

        self._update(close)


def code_hash(notebook: str) -> str:
    """Hash of what decides a notebook's results besides its inputs: its cells' sources and the rooms it draws on."""
    room = {"1_gen": "gen", "2_finetune": "finetune", "3_deploy": "deploy", "4_eval": "eval"}[notebook]
    here = Path(__file__).parents[1]
    parts = [tree_hash(here / name) for name in ("run", "llm", room)]
    source = here.parent / f"{notebook}.ipynb"
    return text_hash("".join(parts) + (file_hash(source) if source.is_file() else ""))


def _origins() -> dict[str, str]:
    """Where run_all.sh's values came from (`name=origin` lines in the environment), so that a table can say it."""
    return dict(line.split("=", 1) for line in os.environ.get("RAFT_ORIGINS", "").splitlines() if "=" in line)


def _add(total: dict, more: dict) -> None:
    for key, value in more.items():
        total[key] = total.get(key, 0) + value
