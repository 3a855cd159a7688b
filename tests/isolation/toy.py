"""A home table of the tests' own, protected by the same function as every real one."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.orm import Mapped, Relationship, mapped_column

from app.core.config import Settings
from app.core.database.models import HomeRecord
from app.core.ids import new_id
from app.core.tenancy.ddl import Roles, add_tenant_foreign_key, protect_home_table
from app.core.tenancy.relationships import tenant_relationship
from app.core.tenancy.scopes import Placement, TenantRoute, Tier

TABLES = """
create table pool.toy_boxes (tenant_id uuid not null, id uuid not null, label text not null,
    primary key (tenant_id, id), unique (tenant_id, label));
create table pool.toys (tenant_id uuid not null, id uuid not null, box_id uuid, name text not null,
    primary key (tenant_id, id));
"""


class ToyBox(HomeRecord):
    __tablename__ = "toy_boxes"
    label: Mapped[str]


class Toy(HomeRecord):
    __tablename__ = "toys"
    name: Mapped[str]
    box_id: Mapped[UUID | None] = mapped_column()
    box: Relationship[ToyBox | None] = tenant_relationship(lambda: ToyBox, lambda: Toy, "box_id")


class Ddl:
    """What migrations call `op`, over a plain connection of the owner."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def execute(self, statement: str) -> None:
        self.connection.execute(statement)

    def get_context(self) -> SimpleNamespace:
        return SimpleNamespace(config=SimpleNamespace(attributes={"roles": Roles("tenantry")}))


@pytest.fixture(scope="session")
def toy_tables(instance: Settings) -> Iterator[None]:
    """Create the toy tables as a migration would, and drop them at the end."""
    with psycopg.connect(instance.database_url.get_secret_value()) as connection:
        connection.execute(TABLES)
        for table in ("pool.toy_boxes", "pool.toys"):
            protect_home_table(Ddl(connection), table)
        add_tenant_foreign_key(Ddl(connection), "pool.toys", "box_id", "pool.toy_boxes", name="fk_toys_box")
    yield
    with psycopg.connect(instance.database_url.get_secret_value(), autocommit=True) as connection:
        connection.execute("drop table pool.toys, pool.toy_boxes")


def make_home(instance: Settings, *, epoch: int = 1, state: str = "active") -> TenantRoute:
    """Give a new tenant a home in the pool, as provisioning does, without the rest of the registry."""
    tenant_id = new_id()
    with psycopg.connect(instance.database_url.get_secret_value()) as connection:
        connection.execute("insert into tenancy.homes values (%s, %s, %s)", (tenant_id, epoch, state))
    return TenantRoute(tenant_id, f"t-{tenant_id.hex[-12:]}", "active", Placement("main", Tier.POOL, "pool", epoch))


def set_home(instance: Settings, route: TenantRoute, **columns: object) -> None:
    """Change a home's epoch or state, as a fence or a move does."""
    changes = ", ".join(f"{name} = %({name})s" for name in columns)
    with psycopg.connect(instance.database_url.get_secret_value()) as connection:
        connection.execute(
            f"update tenancy.homes set {changes} where tenant_id = %(tenant)s",
            {**columns, "tenant": route.tenant_id},
        )
