"""What staff attached to a tenant."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.core.database.session import db
from app.core.errors import NotFoundError
from app.tenants.models import TenantMetadatum, TenantNote, TenantTag

MOST_NOTES = 100


def list_tags(tenant_id: UUID) -> list[str]:
    """Return a tenant's tags in alphabetical order."""
    statement = select(TenantTag.tag).where(TenantTag.tenant_id == tenant_id)
    return list(db.session.scalars(statement.order_by(TenantTag.tag)))


def find_metadatum(tenant_id: UUID, key: str) -> TenantMetadatum | None:
    """Return a key of a tenant with its value."""
    return db.session.get(TenantMetadatum, (tenant_id, key), populate_existing=True)


def list_metadata(tenant_id: UUID) -> list[TenantMetadatum]:
    """Return a tenant's keys and values in alphabetical order."""
    statement = select(TenantMetadatum).where(TenantMetadatum.tenant_id == tenant_id)
    return list(db.session.scalars(statement.order_by(TenantMetadatum.key)))


def get_note(tenant_id: UUID, note_id: UUID) -> TenantNote:
    """Return a note of a tenant, removed or not, locked until the transaction ends.

    Errors: NotFoundError.
    """
    statement = select(TenantNote).where(TenantNote.tenant_id == tenant_id, TenantNote.id == note_id)
    note = db.session.scalar(statement.with_for_update().execution_options(populate_existing=True))
    if note is None:
        raise NotFoundError("There is no such note.")
    return note


def list_notes(tenant_id: UUID) -> list[TenantNote]:
    """Return the notes that stand, newest first, as far back as a page shows them."""
    statement = select(TenantNote).where(TenantNote.tenant_id == tenant_id, TenantNote.removed_at.is_(None))
    newest = statement.order_by(TenantNote.created_at.desc(), TenantNote.id.desc())
    return list(db.session.scalars(newest.limit(MOST_NOTES)))
