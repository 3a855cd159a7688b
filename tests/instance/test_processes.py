"""Pid files, their locks, and the launcher between a supervisor and its programs."""

import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.errors import ConfigError
from app.instance import launch, processes
from app.instance.processes import Account, spawn, stop_leftover


@pytest.fixture
def sleeper(tmp_path):
    """A process that ignores SIGTERM, with the pid file `tmp_path`/sleeper.pid."""
    with spawn_sleeper(tmp_path) as process:
        process.stdout.readline()
        yield process
        process.kill()


def spawn_sleeper(folder, **options):
    command = ["/bin/sh", "-c", "trap '' TERM; echo ready; exec sleep 60"]
    path = {"PATH": os.defpath}
    return spawn(command, pid_file=folder / "sleeper.pid", environment=path, output=subprocess.PIPE, **options)


def test_a_pid_file_serves_one_living_process(sleeper, tmp_path):
    with pytest.raises(ConfigError, match="earlier run still holds"):
        spawn_sleeper(tmp_path)


def test_a_process_that_ignores_the_first_signal_gets_the_last(sleeper, tmp_path):
    stop_leftover(tmp_path / "sleeper.pid", first=signal.SIGTERM, patience_seconds=0.2)
    assert sleeper.wait(5) == -signal.SIGKILL


def test_a_pid_file_of_a_process_long_gone_is_never_signalled(tmp_path):
    (tmp_path / "old.pid").write_text(str(os.getpid()))
    stop_leftover(tmp_path / "old.pid", first=signal.SIGTERM)


def test_a_lock_that_nobody_gives_back_is_one_sentence(tmp_path):
    descriptor = processes._open_locked(tmp_path / "held.pid")
    with pytest.raises(ConfigError, match="earlier run still holds"):
        stop_leftover(tmp_path / "held.pid", patience_seconds=0.1)
    os.close(descriptor)


def test_stop_goes_on_to_the_next_signal_when_patience_ends(sleeper):
    processes.stop(sleeper, signals=[(signal.SIGTERM, 0.1)])
    assert sleeper.returncode == -signal.SIGKILL


def test_the_launcher_drops_root_before_it_becomes_the_program(tmp_path, monkeypatch):
    done = []
    for name in ("setgroups", "setgid", "setuid", "execv"):
        monkeypatch.setattr(os, name, lambda *given, name=name: done.append((name, *given)))
    monkeypatch.setattr(launch, "die_with_parent", lambda *given: done.append(("die_with_parent", *given)))
    with (tmp_path / "pid").open("w+b") as file:
        launch.main([str(file.fileno()), "9", "1", "65534", "65533", "/bin/true", "argument"])
    assert [name for name, *_ in done] == ["setgroups", "setgid", "setuid", "die_with_parent", "execv"]
    assert (tmp_path / "pid").read_text() == str(os.getpid())


def test_the_launcher_of_a_dead_parent_does_not_begin(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SystemExit, match="ended before its child began"):
        launch.die_with_parent(-1, signal.SIGKILL)


def test_a_program_that_is_not_there_is_one_sentence(tmp_path, monkeypatch):
    with (tmp_path / "pid").open("w+b") as file:
        arguments = [str(number) for number in (file.fileno(), 0, os.getppid(), -1, -1)]
        monkeypatch.setattr(sys, "argv", ["launch.py", *arguments, "/nowhere"])
        with pytest.raises(SystemExit, match="/nowhere cannot be started"):
            runpy.run_path(str(processes.LAUNCHER), run_name="__main__")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_process_runs_as_the_account_that_it_was_given(tmp_path):
    tmp_path.chmod(0o755)
    with spawn_sleeper(tmp_path, account=Account(65534, 65534)) as process:
        assert processes.wait_until(lambda: Path(f"/proc/{process.pid}").stat().st_uid == 65534, 5)
        process.kill()
