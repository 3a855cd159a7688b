"""What a command says when it gets no connection: the reason, in a sentence, and no secret."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from app.core.config import Settings
from tests.servers import environment_of

ROOT = Path(__file__).parents[2]
WRONG = "wrong-and-never-to-be-shown"


def run_flask(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", *words]
    return subprocess.run(command, check=False, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)


def with_wrong_password(instance: Settings, name: str) -> dict[str, str]:
    """Return the environment of the instance with another password in one of its addresses."""
    environment = environment_of(instance)
    login, _, address = environment[name].rpartition("@")
    return environment | {name: f"{login.rpartition(':')[0]}:{WRONG}@{address}"}


@pytest.mark.parametrize(
    ("name", "login", "words"),
    [
        ("DATABASE_PLATFORM_URL", "tenantry_platform", ("staff", "list")),
        ("DATABASE_URL", "tenantry_owner", ("migrate",)),
    ],
)
def test_a_wrong_password_is_called_so(instance: Settings, name: str, login: str, words: tuple[str, ...]) -> None:
    done = run_flask(with_wrong_password(instance, name), *words)
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("No connection to the database: connection failed: ")
    assert sentence.endswith(f'password authentication failed for user "{login}"')
    assert done.returncode == 1
    assert WRONG not in done.stderr
    assert "Traceback" not in done.stderr


def test_a_server_that_is_away_is_called_so(instance: Settings) -> None:
    away = environment_of(instance) | {"DATABASE_PLATFORM_URL": "postgresql://a:b@127.0.0.1:1/x"}
    assert "port 1 failed: Connection refused" in run_flask(away, "staff", "list").stderr.splitlines()[-1]


def test_a_missing_redis_is_one_sentence(instance: Settings) -> None:
    environment = environment_of(instance)
    del environment["REDIS_URL"]
    done = run_flask(environment, "staff", "list")
    assert done.stderr.splitlines()[-1].removeprefix("Error: ").startswith("REDIS_URL is missing; `make run` starts")
    assert "Traceback" not in done.stderr
    assert done.returncode == 1
