"""What staff attach to a tenant: tags, keys with values, notes."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from app.audit.services import Change, record_event
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import InputError
from app.core.ids import new_id
from app.tenants import queries
from app.tenants.entries import check_key, check_note, check_tag, check_value
from app.tenants.models import Tenant, TenantMetadatum, TenantNote, TenantTag

MAX_TAGS = 50
MAX_METADATA = 100


def add_tag(tenant_id: UUID, tag: str, *, actor: Actor) -> bool:
    """Tag a tenant; tell whether it had not that tag before.

    Errors: InputError for what is no tag, or one too many.
    """
    tag = check_tag(tag)
    with transaction():
        tenant = queries.get_tenant(tenant_id, lock=True)
        tags = queries.list_tags(tenant_id)
        if tag in tags:
            return False
        if len(tags) >= MAX_TAGS:
            raise InputError(f"{tenant.name} has {MAX_TAGS} tags, which is the most there can be.", "tag")
        db.session.add(TenantTag(tenant_id=tenant_id, tag=tag))
        _record(AuditAction.TENANT_TAGGED, tenant, actor, {"tag": (None, tag)})
    return True


def remove_tag(tenant_id: UUID, tag: str, *, actor: Actor) -> bool:
    """Take a tag away; tell whether it was there."""
    with transaction():
        tenant = queries.get_tenant(tenant_id, lock=True)
        row = db.session.get(TenantTag, (tenant_id, tag))
        if row is None:
            return False
        db.session.delete(row)
        _record(AuditAction.TENANT_UNTAGGED, tenant, actor, {"tag": (tag, None)})
    return True


def set_metadatum(tenant_id: UUID, key: str, value: str, *, actor: Actor) -> str | None:
    """Give a key a value; return the value that it had.

    Errors: InputError for what is no key or value, or one key too many.
    """
    key, value = check_key(key), check_value(value)
    with transaction():
        tenant = queries.get_tenant(tenant_id, lock=True)
        row = queries.find_metadatum(tenant_id, key)
        before = row.value if row else None
        if before == value:
            return before
        if row is not None:
            row.value = value
        elif len(queries.list_metadata(tenant_id)) >= MAX_METADATA:
            raise InputError(f"{tenant.name} has {MAX_METADATA} keys, which is the most there can be.", "key")
        else:
            db.session.add(TenantMetadatum(tenant_id=tenant_id, key=key, value=value))
        _record(AuditAction.TENANT_METADATA_UPDATED, tenant, actor, {key: (before, value)})
    return before


def remove_metadatum(tenant_id: UUID, key: str, *, actor: Actor) -> str | None:
    """Take a key away; return the value that it had."""
    with transaction():
        tenant = queries.get_tenant(tenant_id, lock=True)
        row = queries.find_metadatum(tenant_id, key)
        if row is None:
            return None
        db.session.delete(row)
        _record(AuditAction.TENANT_METADATA_UPDATED, tenant, actor, {key: (row.value, None)})
    return row.value


def add_note(tenant_id: UUID, text: str, *, actor: Actor) -> UUID:
    """Write a note about a tenant; return its id.

    Errors: InputError for a note that says nothing or too much.
    """
    note = TenantNote(id=new_id(), tenant_id=tenant_id, text=check_note(text), author_label=actor.label)
    with transaction():
        tenant = queries.get_tenant(tenant_id)
        db.session.add(note)
        _record(AuditAction.TENANT_NOTED, tenant, actor, {"note": (None, note.text)})
    return note.id


def remove_note(tenant_id: UUID, note_id: UUID, *, actor: Actor) -> None:
    """Put a note out of sight; it can be restored.

    Errors: NotFoundError when the tenant has no such note.
    """
    with transaction():
        note = queries.get_note(tenant_id, note_id)
        if note.removed_at is None:
            note.removed_at = clock.now()
            tenant = queries.get_tenant(tenant_id)
            _record(AuditAction.TENANT_NOTE_REMOVED, tenant, actor, {"note": (note.text, None)})


def restore_note(tenant_id: UUID, note_id: UUID, *, actor: Actor) -> None:
    """Bring a removed note back.

    Errors: NotFoundError when the tenant never had such a note.
    """
    with transaction():
        note = queries.get_note(tenant_id, note_id)
        if note.removed_at is not None:
            note.removed_at = None
            tenant = queries.get_tenant(tenant_id)
            _record(AuditAction.TENANT_NOTE_RESTORED, tenant, actor, {"note": (None, note.text)})


def _record(action: AuditAction, tenant: Tenant, actor: Actor, changes: Mapping[str, Change]) -> None:
    # Without its id, because a tenant reads the events that have it, and these words are staff's own.
    record_event(action, target=tenant.target, actor=actor, changes=changes)
