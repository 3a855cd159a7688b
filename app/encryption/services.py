"""Keys come into being, take each other's place, and go out of use."""

from __future__ import annotations

from uuid import UUID

from app.audit.services import Target, record_event, unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.encryption.keys import KeyPurpose, KeyState, key_source
from app.core.errors import ConflictError, StateError
from app.encryption import queries
from app.encryption.key_store import key_store
from app.encryption.kinds import ROTATE
from app.encryption.models import DataKeyVersion
from app.operations.services import start_operation


@unaudited("a part of provisioning, which is audited; the key's own row says since when it is")
def ensure_keys(tenant_id: UUID) -> None:
    """Give a tenant its first keys, one line of versions for each purpose; those that it has stay.

    Errors: UnavailableError when the root key does not wrap them.
    """
    for purpose in KeyPurpose:
        key_source().keyring(tenant_id, purpose).list_keys()


def start_rotation(owner_id: UUID | None, purpose: KeyPurpose, *, actor: Actor) -> UUID:
    """Start giving an owner's key a new version; return the operation that does it.

    Errors: ConflictError while another operation of the owner is open.
    """
    with transaction():
        if owner_id is None and queries.has_open_rotation_of_platform():
            raise ConflictError("A rotation of the platform’s keys is under way; wait for its end.")
        record_event(
            AuditAction.KEY_ROTATION_STARTED, target=_target(owner_id, purpose), actor=actor, tenant_id=owner_id
        )
        return start_operation(ROTATE, tenant_id=owner_id, payload={"purpose": purpose}, actor=actor)


def publish_version(owner_id: UUID | None, purpose: KeyPurpose, *, actor: Actor) -> None:
    """Make a further version known to every process; nothing is sealed under it yet. One that waits is enough."""
    key_source().keyring(owner_id, purpose).list_keys()  # Makes the first one of an owner that has none.
    with transaction():
        newest, *_ = versions = queries.lock_versions(owner_id, purpose)
        if any(row.state == KeyState.PRE_ACTIVE for row in versions):
            return
        version = newest.version + 1
        kek_version, wrapped = key_store().wrap_data_key(owner_id, purpose, version)
        row = DataKeyVersion(
            tenant_id=owner_id,
            purpose=purpose,
            version=version,
            kek_version=kek_version,
            wrapped=wrapped,
            state_changed_at=clock.now(),
        )
        db.session.add(row)
        _record(AuditAction.KEY_PUBLISHED, row, actor)


def promote_version(owner_id: UUID | None, purpose: KeyPurpose, *, actor: Actor) -> None:
    """Seal under the version that waits from now on; the older ones still open. Without one nothing changes."""
    with transaction():
        versions = queries.lock_versions(owner_id, purpose)
        coming = next((row for row in versions if row.state == KeyState.PRE_ACTIVE), None)
        if coming is None:
            return
        for row in versions:
            if row.state == KeyState.ACTIVE:
                row.enter(KeyState.DECRYPT_ONLY, clock.now())
        db.session.flush()  # Two active versions are refused by the database, and the ORM writes in its own order.
        coming.enter(KeyState.ACTIVE, clock.now())
        _record(AuditAction.KEY_PROMOTED, coming, actor)


def retire_versions(owner_id: UUID | None, purpose: KeyPurpose, *, actor: Actor) -> None:
    """Take older versions out of use, after it was proven that nothing is sealed under them any more.

    Errors: StateError while a version waits to be promoted: it would be the next one's turn.
    """
    with transaction():
        versions = queries.lock_versions(owner_id, purpose)
        if any(row.state == KeyState.PRE_ACTIVE for row in versions):
            raise StateError("A newer version waits to be promoted; its rotation retires the older ones.")
        for row in versions:
            if row.state in (KeyState.DECRYPT_ONLY, KeyState.COMPROMISED):
                row.enter(KeyState.RETIRED, clock.now())
                _record(AuditAction.KEY_RETIRED, row, actor)


def _record(action: AuditAction, row: DataKeyVersion, actor: Actor) -> None:
    db.session.flush()
    record_event(
        action,
        target=_target(row.tenant_id, KeyPurpose(row.purpose)),
        actor=actor,
        tenant_id=row.tenant_id,
        changes={"version": (None, row.version)},
    )


def _target(owner_id: UUID | None, purpose: KeyPurpose) -> Target:
    return Target("key", owner_id, purpose)
