"""The commands: how keys stand, and rotating one."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.core.encryption.keys import KeyPurpose, key_source
from app.encryption import commands
from app.encryption.commands import keys_group
from tests.encryption.pen_friends import AsSuperuser, add
from tests.work import make_jobs_due, run_jobs

pytestmark = pytest.mark.usefixtures("soon")


def run(*words: str) -> Result:
    return CliRunner().invoke(keys_group, list(words))


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work whenever the command waits, as the workers of an instance do, and at once."""

    def work(_seconds: float) -> None:
        make_jobs_due()
        run_jobs(may_fail=True)

    waiting = SimpleNamespace(monotonic=time.monotonic, sleep=work)
    monkeypatch.setattr(commands, "time", waiting)


@pytest.mark.usefixtures("workers")
def test_a_tenants_key_is_rotated_and_listed(homes: Any) -> None:
    add(homes.acme)
    said = run("rotate", "fields", "acme", "--wait")
    assert (said.exit_code, said.output) == (0, "The key for fields of acme rotates: done.\n")
    listed = json.loads(run("list", "acme", "--json").output)
    assert [(row["version"], row["state"]) for row in listed if row["purpose"] == "fields"] == [
        (2, "active"),
        (1, "retired"),
    ]


@pytest.mark.usefixtures("homes")
def test_without_a_tenant_it_is_the_platforms(workers: None) -> None:
    assert run("list").output == "No key yet.\n"
    key_source().keyring(None, KeyPurpose.FIELDS).list_keys()
    assert run("list").output == "fields         1  active\n"
    assert json.loads(run("rotate", "fields", "--wait", "--json").output)["owner"] == "platform"


@pytest.mark.usefixtures("workers")
def test_a_rotation_that_fails_says_why_and_that_nothing_was_lost(homes: Any, as_superuser: AsSuperuser) -> None:
    add(homes.acme)
    as_superuser("update pool.pen_friends set name_sealed = email_sealed")
    said = run("rotate", "fields", "acme", "--wait")
    assert said.exit_code == 1
    assert "nothing was lost" in said.output


@pytest.mark.usefixtures("homes")
def test_bad_input_is_one_sentence() -> None:
    assert run("list", "nobody").exit_code == 1
    assert run("rotate", "master", "acme").exit_code == 2
