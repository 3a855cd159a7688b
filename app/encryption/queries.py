"""What is known of keys, and never a key itself."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from app.core.data_classes import DataClass
from app.core.database.models import HomeRecord, Record
from app.core.database.session import db
from app.core.encryption.attributes import list_encrypted
from app.core.encryption.keys import KeyPurpose, KeyState
from app.encryption.kinds import ROTATE
from app.encryption.models import DataKeyVersion, KeyEncryptionKey
from app.operations.models import OPEN_STATES, Operation


class FieldUse(NamedTuple):
    """One attribute that is stored encrypted, and whether under each tenant's keys or the platform's."""

    table: str
    name: str
    data_class: DataClass
    is_of_tenants: bool


def list_data_keys(owner_id: UUID | None) -> list[DataKeyVersion]:
    """Return every version of an owner's data keys, by purpose, the newest first; None is the platform."""
    # SQLAlchemy writes IS NULL for None, which reaches the index too.
    statement = select(DataKeyVersion).where(DataKeyVersion.tenant_id == owner_id)
    return list(db.session.scalars(statement.order_by(DataKeyVersion.purpose, DataKeyVersion.version.desc())))


def list_keks(owner_id: UUID | None) -> list[KeyEncryptionKey]:
    """Return every version of an owner's key-encryption key, the newest first."""
    statement = select(KeyEncryptionKey).where(KeyEncryptionKey.tenant_id == owner_id)
    return list(db.session.scalars(statement.order_by(KeyEncryptionKey.version.desc())))


def find_root_key(owner_id: UUID | None) -> str | None:
    """Return the reference of the root key under which an owner's keys are, None for one that has none yet."""
    statement = select(KeyEncryptionKey.root_key).where(
        KeyEncryptionKey.tenant_id == owner_id, KeyEncryptionKey.state == KeyState.ACTIVE
    )
    return db.session.scalar(statement)


def describe_coverage() -> list[FieldUse]:
    """Return every attribute that is stored encrypted, by table and name."""
    uses = [
        FieldUse(mapper.class_.__tablename__, field.name, field.data_class, issubclass(mapper.class_, HomeRecord))
        for mapper in Record.registry.mappers
        for field in list_encrypted(mapper.class_)
    ]
    return sorted(uses)


def lock_versions(owner_id: UUID | None, purpose: KeyPurpose) -> list[DataKeyVersion]:
    """Return every version of one key, the newest first, and let nobody else change them before the commit."""
    _lock(owner_id)
    return [row for row in list_data_keys(owner_id) if row.purpose == purpose]


def has_open_rotation_of_platform() -> bool:
    """Tell whether a key of the platform is being rotated; nobody else starts a rotation of it before the commit."""
    _lock(None)
    open_one = select(Operation.id).where(
        Operation.kind == ROTATE, Operation.tenant_id.is_(None), Operation.state.in_(OPEN_STATES)
    )
    return db.session.scalar(open_one.limit(1)) is not None


def _lock(owner_id: UUID | None) -> None:
    # A lock of its own, because rows that do not exist yet cannot be locked.
    name = f"encryption/{owner_id or 'platform'}"
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))
