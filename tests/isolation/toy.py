"""A home table of the tests' own, protected by the same function as every real one, and ways around the product."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import ForeignKeyConstraint, PrimaryKeyConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, Relationship, mapped_column

from app.core.config import Settings
from app.core.context_token import sign_context
from app.core.database.models import HomeRecord
from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.ids import new_id
from app.core.tenancy.context import BEGIN_IN_TENANT
from app.core.tenancy.ddl import Roles, add_tenant_foreign_key, protect_home_table
from app.core.tenancy.relationships import tenant_relationship
from app.core.tenancy.scopes import MAIN_DATABASE, Login, Placement, TenantRoute, Tier, tenant_scope

TABLES = """
create table pool.toy_boxes (tenant_id uuid not null, id uuid not null, label text not null,
    constraint pk_toy_boxes primary key (tenant_id, id),
    constraint uq_toy_boxes_tenant_id_label unique (tenant_id, label));
create table pool.toys (tenant_id uuid not null, id uuid not null, name text not null, box_id uuid,
    spare_box_id uuid,
    constraint pk_toys primary key (tenant_id, id));
"""


class ToyBox(HomeRecord):
    """A box with a label that is unique inside its tenant."""

    __tablename__ = "toy_boxes"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        UniqueConstraint("tenant_id", "label"),
        {"schema": "tenant"},
    )
    label: Mapped[str]


class Toy(HomeRecord):
    """A toy that may lie in a box, and have a spare one: two relationships that share the tenant."""

    __tablename__ = "toys"
    __table_args__ = (
        PrimaryKeyConstraint("tenant_id", "id"),
        ForeignKeyConstraint(
            ["tenant_id", "box_id"], ["tenant.toy_boxes.tenant_id", "tenant.toy_boxes.id"], ondelete="SET NULL (box_id)"
        ),
        ForeignKeyConstraint(
            ["tenant_id", "spare_box_id"], ["tenant.toy_boxes.tenant_id", "tenant.toy_boxes.id"], ondelete="CASCADE"
        ),
        {"schema": "tenant"},
    )
    name: Mapped[str]
    box_id: Mapped[UUID | None] = mapped_column()
    box: Relationship[ToyBox | None] = tenant_relationship(lambda: ToyBox, lambda: Toy, "box_id")
    spare_box_id: Mapped[UUID | None] = mapped_column()
    spare_box: Relationship[ToyBox | None] = tenant_relationship(lambda: ToyBox, lambda: Toy, "spare_box_id")


class Ddl:
    """What migrations call `op`, over a plain connection of the owner."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection

    def execute(self, statement: str) -> None:
        self.connection.execute(statement)

    def get_context(self) -> SimpleNamespace:
        return SimpleNamespace(config=SimpleNamespace(attributes={"roles": Roles("tenantry")}))


@pytest.fixture(scope="module")
def toy_tables(instance: Settings) -> Iterator[None]:
    """Create the toy tables as a migration would, and drop them at the end."""
    with connect(instance) as connection:
        connection.execute(TABLES)
        for table in ("pool.toy_boxes", "pool.toys"):
            protect_home_table(Ddl(connection), table)
        for column, on_delete in (("box_id", "set null"), ("spare_box_id", "cascade")):
            name = f"fk_toys_tenant_id_{column}"
            add_tenant_foreign_key(
                Ddl(connection), "pool.toys", column, "pool.toy_boxes", on_delete=on_delete, name=name
            )
    yield
    with connect(instance) as connection:
        connection.execute("drop table pool.toys, pool.toy_boxes")


@pytest.fixture
def homes(app: Any, instance: Settings, toy_tables: None) -> SimpleNamespace:
    """Two homes in the pool, each with one toy in one box of the same label."""
    acme, globex = make_home(instance), make_home(instance)
    for route, name in ((acme, "acme's"), (globex, "globex's")):
        with tenant_scope(route, reason="stock"), transaction():
            db.session.add(Toy(name=name, box=ToyBox(label="shelf")))
    return SimpleNamespace(acme=acme, globex=globex)


@pytest.fixture
def acme(homes: SimpleNamespace) -> TenantRoute:
    """The tenant that the attacks come from."""
    found: TenantRoute = homes.acme
    return found


@pytest.fixture
def globex(homes: SimpleNamespace) -> TenantRoute:
    """The tenant that the attacks are after."""
    found: TenantRoute = homes.globex
    return found


@pytest.fixture
def without_rls(instance: Settings, toy_tables: None) -> Iterator[None]:
    """Switch row-level security off on the toy tables, so that wall 1 stands alone; restored afterwards."""
    with connect(instance) as connection:
        connection.execute("alter table pool.toys disable row level security")
        connection.execute("alter table pool.toy_boxes disable row level security")
    yield
    with connect(instance) as connection:
        connection.execute("alter table pool.toys enable row level security")
        connection.execute("alter table pool.toy_boxes enable row level security")


def make_home(instance: Settings, *, epoch: int = 1, state: str = "active") -> TenantRoute:
    """Give a new tenant a home in the pool, as provisioning does, without the rest of the registry."""
    tenant_id = new_id()
    with connect(instance) as connection:
        connection.execute("insert into tenancy.homes values (%s, %s, %s)", (tenant_id, epoch, state))
    return TenantRoute(tenant_id, f"t-{tenant_id.hex[-12:]}", "active", Placement("main", Tier.POOL, "pool", epoch))


def set_home(instance: Settings, route: TenantRoute, **columns: object) -> None:
    """Change a home's epoch or state, as a fence or a move does."""
    with connect(instance) as connection:
        for name, value in columns.items():
            statement = sql.SQL("update tenancy.homes set {} = %s where tenant_id = %s").format(sql.Identifier(name))
            connection.execute(statement, (value, route.tenant_id))


def connect(instance: Settings, login: Login = Login.OWNER, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """Connect with a login of the product, past everything that the product puts around it."""
    urls = {
        Login.OWNER: instance.database_url,
        Login.PLATFORM: instance.database_platform_url,
        Login.TENANT: instance.database_tenant_url,
    }
    return psycopg.connect(urls[login].get_secret_value(), autocommit=autocommit)


@contextmanager
def attack(
    instance: Settings, route: TenantRoute, login: Login = Login.TENANT, *, context: str | None = None
) -> Iterator[psycopg.Connection[Any]]:
    """Open a transaction of a login with a genuine context (or the one given), without ORM and without scope."""
    with connect(instance, login) as connection:
        connection.execute(BEGIN_IN_TENANT, (context or make_context(route), str(route.tenant_id)))
        yield connection


def make_context(route: TenantRoute, *, key: bytes | None = None, epoch: int | None = None, age: int = 0) -> str:
    """Sign a context as the application does; `age` moves its expiry into the past, or (negative) the future."""
    assert route.placement is not None
    expires = int(time.time()) + 295 - age
    return sign_context(
        key or registry().context_key(MAIN_DATABASE),
        route.tenant_id,
        route.placement.epoch if epoch is None else epoch,
        expires,
    )


def as_superuser(instance: Settings, superuser_url: str) -> psycopg.Connection[Any]:
    """Connect to this process's database past all walls, to see and plant what no login of the product could."""
    database = instance.database_url.get_secret_value().rpartition("/")[2]
    return psycopg.connect(f"{superuser_url.rsplit('/', 1)[0]}/{database}")


def read_toys(instance: Settings, superuser_url: str) -> dict[str, UUID]:
    """Return each toy's tenant by the toy's name, as they truly are."""
    with as_superuser(instance, superuser_url) as connection:
        return dict(connection.execute("select name, tenant_id from pool.toys order by name").fetchall())
