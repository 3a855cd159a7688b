"""The tables of keys: what wraps a tenant's keys, and those keys, version by version."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.database.models import ControlRecord, TenantOwned, created_at
from app.core.encryption.keys import KeyState

_IS_ACTIVE = text("state = 'active'")


class _KeyColumns:
    """What both kinds of key have; without an owner a key is the platform's, and a destroyed one wraps nothing."""

    tenant_id: Mapped[UUID | None] = mapped_column(ForeignKey("control.tenants.id"))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(default=KeyState.PRE_ACTIVE)
    # Not selected with the rest: no page needs it, and a tenant may not read it.
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_at: Mapped[datetime] = created_at()
    state_changed_at: Mapped[datetime]

    def enter(self, state: KeyState, at: datetime) -> None:
        """Change the state."""
        self.state, self.state_changed_at = state, at


class KeyEncryptionKey(_KeyColumns, TenantOwned, ControlRecord):
    """One version of the key that wraps an owner's data keys."""

    __tablename__ = "key_encryption_keys"
    __table_args__: Any = (
        UniqueConstraint("tenant_id", "version", postgresql_nulls_not_distinct=True),
        Index(
            "uq_key_encryption_keys_active",
            "tenant_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=_IS_ACTIVE,
        ),
        Index("ix_key_encryption_keys_root_key_id", "root_key", "id"),
        {"schema": "control"},
    )

    root_key: Mapped[str] = mapped_column(deferred=True)


class DataKeyVersion(_KeyColumns, TenantOwned, ControlRecord):
    """One version of an owner's key for one purpose; `reserved_uses` counts towards the bound of 2^32."""

    __tablename__ = "data_keys"
    __table_args__: Any = (
        UniqueConstraint("tenant_id", "purpose", "version", postgresql_nulls_not_distinct=True),
        Index(
            "uq_data_keys_active",
            "tenant_id",
            "purpose",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=_IS_ACTIVE,
        ),
        {"schema": "control"},
    )

    purpose: Mapped[str]
    kek_version: Mapped[int]
    reserved_uses: Mapped[int] = mapped_column(BigInteger, default=0)
