"""The registry's tables: tenants with slugs, placements, status changes, facts and metadata; staff's saved views."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship, synonym

from app.audit.services import Target
from app.core import clock
from app.core.actors import Actor
from app.core.database.models import ControlRecord, Record, TenantOwned, created_at
from app.core.errors import StateError
from app.core.search import normalise_search
from app.plans.models import Plan
from app.tenants.status import TenantActivity, TenantStatus, label, may_become

_CONTROL = {"schema": "control"}


class Tenant(TenantOwned, ControlRecord):
    """One tenant: who it is, where it stands, what it was promised."""

    __tablename__ = "tenants"
    __table_args__: Any = (
        UniqueConstraint("slug"),
        UniqueConstraint("submission_key"),
        Index("ix_tenants_created_at_id", "created_at", "id"),
        Index("ix_tenants_name_search_id", "name_search", "id"),
        Index("ix_tenants_status_created_at", "status", "created_at"),
        Index("ix_tenants_plan_id_created_at", "plan_id", "created_at"),
        Index("ix_tenants_region_created_at", "region", "created_at"),
        Index("ix_tenants_cloned_from_id_created_at", "cloned_from_id", "created_at"),
        Index(
            "ix_tenants_clones_created_at_id",
            "created_at",
            "id",
            postgresql_where=text("cloned_from_id is not null"),
        ),
        Index("ix_tenants_expires_on", "expires_on", postgresql_where=text("expires_on is not null")),
        _CONTROL,
    )

    tenant_id: Mapped[UUID] = synonym("id")
    slug: Mapped[str]
    name: Mapped[str]
    name_search: Mapped[str]
    status: Mapped[str] = mapped_column(default=TenantStatus.REQUESTED)
    status_reason: Mapped[str | None]
    activity: Mapped[str] = mapped_column(default=TenantActivity.NONE)
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("control.plans.id"))
    region: Mapped[str]
    time_zone: Mapped[str]
    locale: Mapped[str] = mapped_column(default="en")
    currency: Mapped[str]
    owner_name: Mapped[str]
    owner_email: Mapped[str] = mapped_column(index=True)
    submission_key: Mapped[str | None]
    # A clone knows its source, and may have a day on which it is closed.
    cloned_from_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.tenants.id"))
    expires_on: Mapped[date | None]
    expiry_reminded_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = created_at()
    updated_at: Mapped[datetime] = mapped_column(default=clock.now, onupdate=clock.now)
    is_canary: Mapped[bool] = mapped_column(default=False, server_default=text("false"))

    plan: Mapped[Plan] = relationship(lazy="joined", innerjoin=True)

    @property
    def target(self) -> Target:
        return Target("tenant", self.id, self.slug)

    @property
    def is_clone(self) -> bool:
        return self.cloned_from_id is not None

    @property
    def expires_at(self) -> datetime | None:
        """Return the moment when the day begins, where the tenant is, on which it is closed."""
        if self.expires_on is None:
            return None
        return datetime.combine(self.expires_on, time.min, ZoneInfo(self.time_zone))

    def expire_on(self, day: date | None) -> None:
        """Take another day on which it is closed, or none; its owner is reminded of the new one."""
        self.expires_on, self.expiry_reminded_at = day, None

    def become(self, status: TenantStatus, reason: str | None) -> None:
        """Take another status.

        Errors: StateError for a transition that the table does not allow.
        """
        if self.status == status:
            raise StateError(f"{self.name} is {label(status).lower()} already.")
        if not may_become(self.status, status):
            raise StateError(f"{self.name} is {label(self.status).lower()}; it cannot become {label(status).lower()}.")
        self.status, self.status_reason = status, reason

    def rename(self, name: str) -> None:
        """Take another name, searchable at once."""
        self.name, self.name_search = name, normalise_search(name)


class TenantSlug(Record):
    """A slug that is or was a tenant's; its skeleton keeps look-alikes out for good."""

    __tablename__ = "tenant_slugs"
    __table_args__: Any = (UniqueConstraint("skeleton"), _CONTROL)

    slug: Mapped[str] = mapped_column(primary_key=True)
    skeleton: Mapped[str]
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenants.id"), index=True)
    released_at: Mapped[datetime | None]


class TenantPlacement(Record):
    """Where a tenant's home lies, and in which epoch."""

    __tablename__ = "placements"
    __table_args__: Any = (Index("ix_placements_server_tenant_id", "server", "tenant_id"), _CONTROL)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenants.id"), primary_key=True)
    server: Mapped[str]
    tier: Mapped[str]
    schema_name: Mapped[str]
    epoch: Mapped[int]
    database_name: Mapped[str] = mapped_column(default="", server_default="")


class TenantStatusChange(TenantOwned, ControlRecord):
    """One change of a tenant's status."""

    __tablename__ = "tenant_status_changes"
    __table_args__: Any = (Index("ix_tenant_status_changes_tenant_id_at", "tenant_id", "at"), _CONTROL)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenants.id"))
    from_status: Mapped[str | None]
    to_status: Mapped[str]
    reason: Mapped[str | None]
    actor_label: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=clock.now)

    @classmethod
    def to_present(cls, tenant: Tenant, before: str | None, reason: str | None, actor: Actor) -> TenantStatusChange:
        """Make the line of history that leads to a tenant's present status."""
        return cls(
            tenant_id=tenant.id, from_status=before, to_status=tenant.status, reason=reason, actor_label=actor.label
        )


class TenantFact(TenantOwned, Record):
    """A figure of a tenant's home, as its own job last published it."""

    __tablename__ = "tenant_facts"
    __table_args__: Any = _CONTROL

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenants.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    as_of: Mapped[datetime]


class TenantTag(TenantOwned, Record):
    """A word by which staff group tenants."""

    __tablename__ = "tenant_tags"
    __table_args__: Any = (Index("ix_tenant_tags_tag_tenant_id", "tag", "tenant_id"), _CONTROL)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenants.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)


class TenantMetadatum(TenantOwned, Record):
    """A free key with its value, such as a number in another system."""

    __tablename__ = "tenant_metadata"
    __table_args__: Any = _CONTROL

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenants.id"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class TenantNote(TenantOwned, ControlRecord):
    """What staff wrote about a tenant; a removed note is kept, so that removing can be undone."""

    __tablename__ = "tenant_notes"
    __table_args__: Any = (Index("ix_tenant_notes_tenant_id_created_at", "tenant_id", "created_at"), _CONTROL)

    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("control.tenants.id"))
    text: Mapped[str]
    author_label: Mapped[str]
    created_at: Mapped[datetime] = created_at()
    removed_at: Mapped[datetime | None]


class TenantStatusTransition(Record):
    """One change of status that the database lets through."""

    __tablename__ = "tenant_status_transitions"
    __table_args__: Any = _CONTROL

    from_status: Mapped[str] = mapped_column(primary_key=True)
    to_status: Mapped[str] = mapped_column(primary_key=True)


class SavedView(ControlRecord):
    """A list's query under a name, for the staff user who saved it."""

    __tablename__ = "saved_views"
    __table_args__: Any = (UniqueConstraint("staff_user_id", "list", "name"), _CONTROL)

    # The table of staff users belongs to a level above; the database holds the key.
    staff_user_id: Mapped[UUID]
    list_name: Mapped[str] = mapped_column("list")
    name: Mapped[str]
    query: Mapped[str]
    created_at: Mapped[datetime] = created_at()
