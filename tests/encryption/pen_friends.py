"""Tables of the tests' own with encrypted attributes: pen friends in homes, pen pals in the control plane."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import PrimaryKeyConstraint, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from app.core.config import Settings
from app.core.data_classes import DataClass
from app.core.database.models import ControlRecord, HomeRecord
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.encryption.attributes import encrypted
from app.core.tenancy.ddl import protect_control_table, protect_home_table
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.encryption import key_store
from app.web.hosts import Portal
from tests.isolation.toy import Ddl, connect
from tests.tenant_rows import make_tenant_rows

BOB = "bob@acme.example"
TABLES = """
create table pool.pen_friends (tenant_id uuid not null, id uuid not null, note text,
    email_sealed bytea not null, email_index bytea not null, email_index_next bytea, name_sealed bytea not null,
    constraint pk_pen_friends primary key (tenant_id, id),
    constraint uq_pen_friends_tenant_id_email_index unique (tenant_id, email_index),
    constraint uq_pen_friends_tenant_id_email_index_next unique (tenant_id, email_index_next));
create table control.pen_pals (id uuid primary key, name_sealed bytea not null);
"""
# Runs a statement past every policy, as only a superuser can, and returns its rows.
AsSuperuser = Callable[..., list[dict[str, Any]]]


class PenFriend(HomeRecord):
    """Somebody whom a tenant writes to."""

    __tablename__ = "pen_friends"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "email_index"),
        UniqueConstraint("tenant_id", "email_index_next"),
        {"schema": "tenant"},
    )
    note: Mapped[str | None] = mapped_column()
    email = encrypted(data_class=DataClass.PERSONAL, index=str.casefold)
    name = encrypted(data_class=DataClass.PERSONAL)


class PenPal(ControlRecord):
    """Somebody whom the platform writes to."""

    __tablename__ = "pen_pals"
    name = encrypted(data_class=DataClass.PERSONAL)


@pytest.fixture(scope="module")
def tables(instance: Settings) -> Iterator[None]:
    with connect(instance) as connection:
        connection.execute(TABLES)
        protect_home_table(Ddl(connection), "pool.pen_friends")
        protect_control_table(Ddl(connection), "control.pen_pals")
    yield
    with connect(instance) as connection:
        connection.execute("drop table pool.pen_friends, control.pen_pals")


@pytest.fixture
def homes(app: Portal, tables: None) -> SimpleNamespace:
    """Two tenants without a pen friend."""
    return SimpleNamespace(acme=make_tenant_rows("acme"), globex=make_tenant_rows("globex"))


@pytest.fixture
def as_superuser(instance: Settings, superuser_url: str) -> AsSuperuser:
    assert instance.database_url is not None
    name = psycopg.conninfo.conninfo_to_dict(instance.database_url.get_secret_value())["dbname"]

    def run(statement: str, *parameters: object) -> list[dict[str, Any]]:
        url = f"{superuser_url.rpartition('/')[0]}/{name}"
        with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a process look at keys anew after a tenth of a second, so that a rotation settles soon."""
    monkeypatch.setattr(key_store, "FRESH_SECONDS", 0.1)


def add(route: TenantRoute, email: str = BOB, name: str = "Bob") -> UUID:
    """Add a pen friend, as a feature does."""
    with tenant_scope(route, reason="test"), transaction():
        friend = PenFriend(email=email, name=name)
        db.session.add(friend)
    return friend.id


def find(email: str) -> PenFriend | None:
    """Find a pen friend by the index."""
    return db.session.scalar(select(PenFriend).where(PenFriend.email.matches(email)))
