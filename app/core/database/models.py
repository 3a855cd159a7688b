"""What every table inherits: control records, home records, and the mark of a row that belongs to a tenant."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, MappedColumn, mapped_column

from app.core import clock
from app.core.ids import new_id
from app.core.tenancy.scopes import find_scope

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Record(DeclarativeBase):
    """The one declarative base; schemas `control`, `tenancy` and the placeholder `tenant` share its metadata."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        UUID: Uuid(),
        datetime: DateTime(timezone=True),
        str: Text(),
        dict[str, Any]: JSONB(),
        list[str]: JSONB(),
    }


def _scope_tenant_id() -> UUID | None:
    scope = find_scope()
    return scope.tenant_id if scope else None


class TenantOwned:
    """The mark of a row that belongs to one tenant; wall 1 adds its criterion to every class that bears it."""

    tenant_id: Mapped[Any] = mapped_column(Uuid())


class ControlRecord(Record):
    """A row of the control plane."""

    __abstract__ = True
    __table_args__: Any = {"schema": "control"}  # noqa: RUF012  # SQLAlchemy declares it an instance variable.

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)


class HomeRecord(TenantOwned, Record):
    """A row of a tenant's home, keyed by tenant first so that no key reaches across."""

    __abstract__ = True
    __table_args__: Any = {"schema": "tenant"}  # noqa: RUF012  # SQLAlchemy declares it an instance variable.

    tenant_id: Mapped[UUID] = mapped_column(primary_key=True, default=_scope_tenant_id, sort_order=-2)
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-1)


def created_at() -> MappedColumn[datetime]:
    """Return the column that says when a row was made."""
    return mapped_column(default=clock.now)
