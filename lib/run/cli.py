"""`./run_all.sh`: reads the options, checks everything, runs the notebooks in order and ends what they started.

Exit codes: 0 every stage finished and its checks held · 1 a cell failed · 2 something was wrong before anything ran ·
130 and 143 stopped by Ctrl-C and by SIGTERM.
"""

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from lib.run.errors import BadInput
from lib.run.execute import CellFailed, execute_notebook
from lib.run.help import text_table
from lib.run.leftovers import kept_servers, own, read_servers, stop_kept, stop_owned, supervisors
from lib.run.log import RunLog, duration
from lib.run.manifest import read_manifest
from lib.run.params import NOTEBOOKS, Parameter, Setting, parse_override, read_all, read_yaml, resolve, unknown
from lib.run.plan import check_rooms, plan_run
from lib.run.preflight import check_given, check_run
from lib.run.resume import RunLock, reason_to_run

DEFAULT_FILE = "parameters/smoke.yaml"
EPILOG = """examples:
  ./run_all.sh                                                         the sample documents, no key, no GPU
  ./run_all.sh -p parameters/smoke.yaml -y documents ~/docs --run mine  your own documents
  ./run_all.sh -p parameters/Meta-Llama-3.1-8B-Instruct.yaml --plan     what it would do and cost

The same command again resumes: what is finished and unchanged is not done twice.

parameters, from the notebooks' parameters cells:
"""


class Stopped(KeyboardInterrupt):
    """A signal asked this command to end; `number` says which."""

    def __init__(self, number: int):
        super().__init__()
        self.number = number


def main(arguments: list[str]) -> int:
    """Run the command; returns its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _stop)
    try:
        return _main(arguments)
    except BadInput as error:
        return _refuse(str(error).splitlines())
    except Stopped as stop:
        return 128 + stop.number


def _stop(number: int, _) -> None:
    for later in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # once is enough: what follows takes seconds and has to finish
        signal.signal(later, signal.SIG_IGN)
    raise Stopped(number)


def _main(arguments: list[str]) -> int:
    folder = Path.cwd()
    options = _parser().parse_args(arguments)
    if options.run == "":  # a variable of a script that is not set
        raise BadInput("--run: expected a name; found an empty text")
    if options.stop:
        print("\n".join(stop_kept(folder / "runs", options.run) or ["no server is running"]))
        return 0
    if options.teardown:
        return _teardown(options)
    parameters = read_all(folder)
    if options.help:
        print(_parser().format_help() + text_table(parameters))
        return 0
    settings, problems = _settings(options, parameters)
    chosen = _choose(options)
    if chosen == ["3_deploy"] and "keep_serving" in settings and settings["keep_serving"].origin == "cell":
        # Nothing comes after it that would ask these servers: they are wanted for themselves.
        settings["keep_serving"] = replace(settings["keep_serving"], value=True, origin="--only 3")
    values = {name: setting.value for name, setting in settings.items()}
    if problems:
        return _refuse(problems + check_given(values, chosen, folder))
    each = {n: {p.name: values[p.name] for p in declared} for n, declared in parameters.items()}
    todo = chosen if options.plan else _may_run(chosen, each, folder)
    findings = check_run(values, todo, folder)
    for line in findings.warnings:
        print(f"warning: {line}", flush=True)
    if options.plan:
        for line in findings.shortages:
            print(f"not on this machine as it is: {line}", flush=True)
        text, more = plan_run(values, chosen, folder)
        print(text)
        return _refuse(findings.problems + more) if findings.problems + more else 0
    problems = findings.problems + findings.shortages
    if problems := problems + check_rooms(values, todo, folder, problems):
        return _refuse(problems)
    return _run(chosen, todo, each, settings, folder, shlex.join(["./run_all.sh", *arguments]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "./run_all.sh", description="Documents in, report out: runs the four notebooks in order.", epilog=EPILOG, add_help=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("-p", dest="file", metavar="FILE", help=f"parameter file (default {DEFAULT_FILE})")
    parser.add_argument(
        "-y",
        dest="overrides",
        metavar=("NAME", "VALUE"),
        nargs=2,
        action="append",
        default=[],
        help="set one parameter; may be repeated",
    )
    parser.add_argument("--run", metavar="NAME", help="name of the run: everything lands in runs/NAME/")
    parser.add_argument("--only", metavar="1,4", help="run these notebooks only")
    parser.add_argument("--from", dest="first", metavar="2", help="run this notebook and those after it")
    parser.add_argument(
        "--plan",
        action="store_true",
        help="check everything, print what would be done and what it would cost, and stop",
    )
    parser.add_argument(
        "--stop", action="store_true", help="end the servers that runs have kept (--only 3, keep_serving), or those of --run NAME"
    )
    parser.add_argument(
        "--teardown",
        action="store_true",
        help="list what --run NAME made at providers and on this machine, and remove it after a yes",
    )
    parser.add_argument("--yes", action="store_true", help="with --teardown: do not ask")
    parser.add_argument("-h", "--help", action="store_true", help="print this and every parameter")
    return parser


def _settings(options, parameters: dict[str, list[Parameter]]) -> tuple[dict[str, Setting], list[str]]:
    """Resolved settings and every problem: the file over the cells' defaults, `-y` over the file, `--run` over both."""
    known = {p.name: p for declared in parameters.values() for p in declared}
    file = _find(DEFAULT_FILE if options.file is None else options.file)
    problems, given = [], {}
    for name, text in options.overrides:
        try:
            if name == "params_file":
                raise BadInput("params_file is for notebooks run by hand: here, -p FILE names the file")
            if name not in known:
                raise BadInput(unknown(name, known, "-y"))
            given[name] = parse_override(known[name], text)
        except BadInput as error:
            problems.append(str(error))
    layers = [(str(file), read_yaml(file)), ("-y", given)] + ([("--run", {"run": options.run})] if options.run else [])
    settings, more = resolve(parameters, layers)
    return settings, more + problems


def _teardown(options) -> int:
    """Hand over to the room that knows what is deployed; it asks at this terminal."""
    if not options.run:
        raise BadInput("--teardown: name the run with --run NAME")
    command = [sys.executable, "-m", "lib.deploy.teardown", "--run", options.run, *(["--yes"] if options.yes else [])]
    return subprocess.run(command).returncode


def _find(file: str) -> Path:
    """A parameter file by the caller's working directory, or else by the repository's root."""
    called_from = Path(os.environ.get("RAFT_CALLED_FROM", "."), file)
    return called_from if called_from.is_file() and not Path(file).is_file() else Path(file)


def _choose(options) -> list[str]:
    by_number = {name.split("_")[0]: name for name in NOTEBOOKS}

    def one(text: str, option: str) -> str:
        name = by_number.get(text.strip().split("_")[0])
        if name is None:
            raise BadInput(f"{option}: expected a notebook's number, 1 to 4; found {text!r}")
        return name

    chosen = list(NOTEBOOKS)
    if options.only is not None:
        wanted = {one(text, "--only") for text in options.only.split(",")}
        chosen = [name for name in chosen if name in wanted]
    if options.first is not None:
        first = one(options.first, "--from")
        chosen = [name for name in chosen if name >= first]
    if not chosen:
        raise BadInput("--only and --from together leave no notebook to run")
    return chosen


def _may_run(chosen: list[str], each: dict[str, dict], folder: Path) -> list[str]:
    """The chosen notebooks from the first that has to run on: it may make anew what those after it have read."""
    first = next((i for i, notebook in enumerate(chosen) if _reason(notebook, each[notebook], folder)), len(chosen))
    return chosen[first:]


def _reason(notebook: str, values: dict, folder: Path) -> str | None:
    """Why a notebook has to run; None when what it left still holds, the servers that it was to keep among it."""
    run_dir = folder / "runs" / values["run"]
    reason = reason_to_run(notebook, read_manifest(run_dir / "run.json"), values, folder)
    if reason is None and _has_lost_its_servers(notebook, values, run_dir):
        return "finished before, but its servers are gone"
    return reason


def _run(
    chosen: list[str], todo: list[str], each: dict[str, dict], settings: dict[str, Setting], folder: Path, command: str
) -> int:
    name = settings["run"].value
    run_dir = folder / "runs" / name
    lock = RunLock(run_dir)
    log = RunLog(run_dir / "run.log")
    own()
    os.environ["RAFT_NEXT"] = json.dumps(each["4_eval"] if "4_eval" in chosen else {})  # what 3_deploy serves for
    os.environ["RAFT_ORIGINS"] = "\n".join(f"{s.name}={s.origin}" for s in settings.values() if s.origin != "cell")
    log.say(f"run {name} → runs/{name}/   ({command})")
    seconds: dict[str, float | None] = {}
    notebook, before = chosen[0], set(supervisors())
    try:
        for notebook in chosen:
            # What was found to hold a moment ago is not hashed again: weights take minutes.
            reason = _reason(notebook, each[notebook], folder) if notebook in todo else None
            if reason is None:
                log.say(f"{notebook}: finished before, nothing changed")
                seconds[notebook] = None
                continue
            log.say(f"{notebook}: {reason}")
            given = {n: v for n, v in each[notebook].items() if settings[n].origin != "cell"}
            seconds[notebook] = execute_notebook(notebook, given, folder=folder, run_dir=run_dir, log=log)
        stop_owned(os.getpid())  # first, so that only servers that stay are named
        _say_end(log, seconds, run_dir)
        return 0
    except CellFailed as failure:
        log.say(f"✗ {failure.notebook} failed in {failure.place}:")
        log.say("\n".join(f"    {line}" for line in failure.lines))
        log.say(
            f"The whole of it: runs/{name}/notebooks/{failure.notebook}.html. Mend the cause and start again, it resumes at {failure.notebook}:"
        )
        log.say(f"    {command}")
        _end_kept(log, run_dir, before)
        return 1
    except Stopped as stop:
        log.say(f"stopped by {signal.Signals(stop.number).name} in {notebook}; ending what it started")
        stop_owned(os.getpid())
        _end_kept(log, run_dir, before)
        log.say(f"To resume: {command}")
        return 128 + stop.number
    finally:
        stop_owned(os.getpid())
        log.close()
        lock.release()


def _has_lost_its_servers(notebook: str, values: dict, run_dir: Path) -> bool:
    """Whether servers that were to be kept are not there any more; endpoints elsewhere are nobody's to miss."""
    if notebook != "3_deploy" or not values.get("keep_serving"):
        return False
    wanted = {s for s, r in read_servers(run_dir).items() if r.get("pid") and s in values["systems"]}
    return not wanted <= {system for server in kept_servers(run_dir.parent, run_dir.name) for system in server.systems}


def _end_kept(log: RunLog, run_dir: Path, before: set[int]) -> None:
    """What a command that failed had started to keep; what was kept before it stays."""
    for line in stop_kept(run_dir.parent, run_dir.name, spare=before):
        log.say(line)


def _say_end(log: RunLog, seconds: dict[str, float | None], run_dir: Path) -> None:
    log.say()
    for notebook, took in seconds.items():
        log.say(f"{notebook:<12}{'finished before' if took is None else duration(took)}")
    log.say(f"{'in all':<12}{duration(sum(took or 0 for took in seconds.values()))}")
    for entry in read_manifest(run_dir / "run.json")["stand_ins"]:
        log.say(f"stand-in: {entry['role']} = {entry['what']}")
    for server in kept_servers(run_dir.parent, run_dir.name):
        log.say(f"serving {' and '.join(server.systems)} at {server.base_url}; ./run_all.sh --stop --run {run_dir.name} ends it")
        log.say(f"    to talk to it: .venv/bin/python -m lib.deploy.chat --run {run_dir.name}")
    report = run_dir / "report.html"
    log.say(f"report: {report.relative_to(Path.cwd())}" if report.is_file() else f"files: {run_dir.relative_to(Path.cwd())}/")


def _refuse(problems: list[str]) -> int:
    for line in problems:
        print(f"error: {line}", file=sys.stderr)
    print(f"{len(problems)} problem{'s' * (len(problems) > 1)}, nothing was run", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
