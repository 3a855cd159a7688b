"""Folders that the database's stand-in user may enter, and instances started as a person starts them."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from app.core.config import Settings
from app.instance.postgres import start_postgres

ROOT = Path(__file__).parents[2]
STANDIN = Path(__file__).parent / "standin"
BARE = Path(__file__).parent / "bare"
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START")


class Started:
    """An instance in a process of its own."""

    def __init__(self, var_dir, *arguments, code=BARE, **environment):
        self.var_dir = var_dir
        self.lines = []
        known = {name: os.environ[name] for name in KEPT if name in os.environ} | {"DEMO_SERVER": "False"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "app.instance", *arguments],
            cwd=STANDIN,
            env=known | {"PYTHONPATH": str(code), "VAR_DIR": str(var_dir), "PORT": "0"} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self):
        self.lines = [self.process.stdout.readline().strip() for _ in range(4)]
        return self.lines

    def seen(self, name, *, other_than=None):
        """The environment that a stand-in got, once it got there."""
        path = self.var_dir / "seen" / name
        eventually(lambda: path.exists() and json.loads(path.read_text())["pid"] != other_than)
        return json.loads(path.read_text())

    def finish(self, number=None):
        if number is not None:
            self.process.send_signal(number)
        output, errors = self.process.communicate(timeout=60)
        return self.process.returncode, output, errors


def eventually(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)


def processes_of(folder):
    """Everything alive that names the folder in its command or its environment, this process excepted."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(folder).encode() in text and entry.name != str(os.getpid()):
            found.append(int(entry.name))
    return found


def make_folder():
    # pytest's own tmp_path lies in a folder closed to everybody else.
    folder = tempfile.TemporaryDirectory(prefix="tenantry-", ignore_cleanup_errors=True)
    Path(folder.name).chmod(0o755)
    return folder


@pytest.fixture
def folder():
    with make_folder() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def shared_folder():
    with make_folder() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def used_var_dir():
    """A VAR_DIR that has its cluster already."""
    with make_folder() as name:
        start_postgres(Path(name) / "var" / "postgres", fast=True).stop()
        yield Path(name) / "var"


@pytest.fixture
def start(used_var_dir):
    """Start instances on one VAR_DIR; what a test leaves running is ended."""
    started = []

    def start_instance(*arguments, **environment):
        started.append(Started(used_var_dir, *arguments, **environment))
        return started[-1]

    yield start_instance
    for instance in started:
        if instance.process.poll() is None:
            instance.finish(signal.SIGKILL)
        instance.process.stdout.close()
        instance.process.stderr.close()
    eventually(lambda: not processes_of(used_var_dir))
    shutil.rmtree(used_var_dir / "seen", ignore_errors=True)


@pytest.fixture
def no_settings(monkeypatch):
    """Take away whatever settings this shell has."""
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.validation_alias), raising=False)


@pytest.fixture
def signals():
    """The handlers of this process, put back afterwards."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    known = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, known, strict=True):
        signal.signal(number, handler)
