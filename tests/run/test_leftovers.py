"""Servers that were kept: named once for each process, ended by `--stop`, spared when they are somebody else's."""

import os
import sys

import pytest

from lib.run import BadInput, launch, read_json, write_json
from lib.run.cli import _has_lost_its_servers, main
from lib.run.leftovers import kept_servers, stop_kept
from lib.run.supervise import process_start


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs with a server each; the first serves two systems with one process."""
    monkeypatch.chdir(tmp_path)
    started = {}
    for run, systems in (("one", ["student", "baseline"]), ("two", ["student"])):
        server = launch([sys.executable, "-c", "import time; time.sleep(600)"], log_path=tmp_path / "log", owner_pid=os.getpid())
        record = {"pid": server.pid, "pid_start": process_start(server.pid), "base_url": f"http://127.0.0.1/{run}"}
        write_json(tmp_path / "runs" / run / "serving" / "servers.json", dict.fromkeys(systems, record))
        started[run] = server
    yield started
    for server in started.values():
        server.stop()


def test_stop_names_each_process_once_with_its_systems_and_its_address(runs, tmp_path, capsys):
    assert main(["--stop", "--run", "one"]) == 0
    assert capsys.readouterr().out == "one: student and baseline at http://127.0.0.1/one stopped\n"
    assert runs["one"].poll() is not None
    assert runs["two"].poll() is None
    assert main(["--stop"]) == 0
    assert capsys.readouterr().out == "two: student at http://127.0.0.1/two stopped\n"
    assert main(["--stop"]) == 0
    assert capsys.readouterr().out == "no server is running\n"


def test_a_stop_for_all_runs_leaves_the_servers_of_a_run_that_is_under_way(runs, tmp_path):
    record = tmp_path / "runs" / "one" / "serving" / "servers.json"
    write_json(record, {system: {**server, "kept": False} for system, server in read_json(record).items()})
    assert [line.split(":")[0] for line in stop_kept(tmp_path / "runs")] == ["two"]
    assert process_start(runs["one"].pid)
    assert len(stop_kept(tmp_path / "runs", "one")) == 1


def test_what_was_there_before_a_failed_command_is_spared(runs, tmp_path):
    assert stop_kept(tmp_path / "runs", "one", spare={runs["one"].pid}) == []
    assert [server.systems for server in kept_servers(tmp_path / "runs")] == [("student", "baseline"), ("student",)]


def test_a_pid_that_another_program_took_over_is_not_touched(runs, tmp_path):
    write_json(tmp_path / "runs" / "one" / "serving" / "servers.json", {"student": {"pid": os.getpid(), "base_url": "x"}})
    assert stop_kept(tmp_path / "runs", "one") == []


def test_servers_to_be_kept_that_are_gone_make_the_stage_run_again(runs, tmp_path):
    values, folder = {"keep_serving": True, "systems": ["student", "baseline"]}, tmp_path / "runs" / "one"
    assert not _has_lost_its_servers("3_deploy", values, folder)
    runs["one"].stop()
    assert _has_lost_its_servers("3_deploy", values, folder)
    assert not _has_lost_its_servers("3_deploy", values | {"keep_serving": False}, folder)
    assert not _has_lost_its_servers("4_eval", values, folder)


@pytest.mark.parametrize("damaged", ['{"student": {"pid"', "[]", '{"student": 1}'])
def test_a_damaged_record_of_servers_is_named_and_passed_over(tmp_path, damaged, capsys):
    record = tmp_path / "one" / "serving" / "servers.json"
    record.parent.mkdir(parents=True)
    record.write_text(damaged)
    assert stop_kept(tmp_path, "one") == []
    assert f"{record} cannot be read" in capsys.readouterr().err
    with pytest.raises(BadInput, match="servers.json cannot be read .*; end what it names by hand and remove the file") as error:
        _has_lost_its_servers("3_deploy", {"keep_serving": True, "systems": ["student"]}, tmp_path / "one")
    assert "\n" not in str(error.value)
