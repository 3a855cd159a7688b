"""What is known of keys, and never a key itself."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from app.core.database.session import db
from app.core.encryption.keys import KeyPurpose
from app.encryption.kinds import ROTATE
from app.encryption.models import DataKeyVersion, KeyEncryptionKey
from app.operations.models import OPEN_STATES, Operation


def list_data_keys(owner_id: UUID | None) -> list[DataKeyVersion]:
    """Return every version of an owner's data keys, by purpose, the newest first; None is the platform."""
    statement = select(DataKeyVersion).where(DataKeyVersion.tenant_id.is_not_distinct_from(owner_id))
    return list(db.session.scalars(statement.order_by(DataKeyVersion.purpose, DataKeyVersion.version.desc())))


def list_keks(owner_id: UUID | None) -> list[KeyEncryptionKey]:
    """Return every version of an owner's key-encryption key, the newest first."""
    statement = select(KeyEncryptionKey).where(KeyEncryptionKey.tenant_id.is_not_distinct_from(owner_id))
    return list(db.session.scalars(statement.order_by(KeyEncryptionKey.version.desc())))


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
