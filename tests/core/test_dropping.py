"""A database goes although somebody is in it whom its owner may not end, as PostgreSQL's own vacuum is."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from app.core.database import dropping
from app.core.database.dropping import drop_database
from app.web.hosts import Portal
from tests.tenant_rows import owner_connection

NAME = "left_over"


@pytest.fixture
def inside(app: Portal, superuser_url: str) -> psycopg.Connection:
    """The superuser, at work in a database of the owner's."""
    with owner_connection() as owner:
        owner.autocommit = True
        drop_database(owner, NAME)
        owner.execute(f"create database {NAME} template template0")
    return psycopg.connect(f"{superuser_url.rpartition('/')[0]}/{NAME}")


def drop() -> None:
    with owner_connection() as owner:
        owner.autocommit = True
        drop_database(owner, NAME)


def databases() -> list[str]:
    with owner_connection() as owner:
        return [name for (name,) in owner.execute("select datname from pg_database where datname = %s", (NAME,))]


def test_it_waits_for_whom_it_may_not_end(inside: psycopg.Connection) -> None:
    leaves = threading.Thread(target=lambda: (time.sleep(0.5), inside.close()))
    leaves.start()
    drop()
    leaves.join()
    assert databases() == []


def test_who_stays_is_named_in_the_end(inside: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dropping, "TRIES", 0)
    with pytest.raises(InsufficientPrivilege):
        drop()
    assert databases() == [NAME]
    inside.close()
    drop()


@pytest.mark.usefixtures("app")
def test_one_that_is_gone_is_as_good() -> None:
    drop()
