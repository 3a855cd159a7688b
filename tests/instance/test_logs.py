"""What is written into a process's log, and what is shown on the terminal as well."""

import io
import json

import pytest

from app.instance import logs
from app.instance.logs import Logs


@pytest.fixture
def terminal():
    return io.StringIO()


@pytest.fixture
def written(tmp_path, terminal):
    """The logs of an instance, in a folder that is not there yet."""
    made = Logs(tmp_path / "log", terminal)
    yield made
    made.close()


def read(written, name):
    return (written.folder / f"{name}.log").read_text()


@pytest.mark.parametrize("level", ["debug", "info"])
def test_an_ordinary_line_is_in_the_file_alone(written, terminal, level):
    line = json.dumps({"event": "request", "level": level})
    written.add("web", line)
    assert (read(written, "web"), terminal.getvalue()) == (f"{line}\n", "")


@pytest.mark.parametrize(
    "line",
    [
        json.dumps({"event": "request_failed", "level": "error"}),
        json.dumps({"event": "heartbeat_unheard", "level": "warning"}),
        json.dumps({"event": "no level"}),
        "[1] [ERROR] Exception in worker process",
        '["info"]',
        "{",
        "",
    ],
)
def test_whatever_does_not_call_itself_ordinary_is_shown_too(written, terminal, line):
    written.add("web", line)
    assert (read(written, "web"), terminal.getvalue()) == (f"{line}\n", f"web | {line}\n")


def test_each_process_has_its_own_file_readable_by_its_owner_alone(written):
    for name in ("web", "default"):
        written.add(name, name)
    assert [read(written, name) for name in ("web", "default")] == ["web\n", "default\n"]
    assert {path.stat().st_mode & 0o777 for path in written.folder.iterdir()} == {0o600}
    assert written.folder.stat().st_mode & 0o777 == 0o700


def test_a_second_start_goes_on_in_the_same_file(written, tmp_path, terminal):
    written.add("web", "first")
    second = Logs(tmp_path / "log", terminal)
    second.add("web", "second")
    second.close()
    assert read(written, "web") == "first\nsecond\n"


def test_a_file_that_is_full_is_begun_anew_and_the_one_before_is_kept(written, monkeypatch):
    monkeypatch.setattr(logs, "MOST_BYTES", 5)
    for line in ("one", "two", "three", "four"):
        written.add("web", line)
    assert (read(written, "web"), read(written, "web.before")) == ("four\n", "three\n")


def test_a_full_disk_loses_lines_and_nothing_else(written, terminal):
    (written.folder / "web.log").symlink_to("/dev/full")
    written.add("web", "trouble")
    assert terminal.getvalue() == "web | trouble\n"
