"""The operation that gives a key a new version and leaves nothing under the older ones."""

from __future__ import annotations

from functools import partial

from app.core.actors import Actor
from app.core.encryption.keys import KeyPurpose
from app.core.errors import StateError
from app.core.tenancy.scopes import platform_scope
from app.encryption import services
from app.encryption.kinds import ROTATE
from app.encryption.resealing import count_behind, reseal, settle
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.operations.services import note_progress

ACTOR = Actor.system("key rotation")
# What lies in the database row by row is sealed anew. Audit values never change, and what lies in files and backups
# stays as it is for as long as it is kept: their older versions go on opening.
RESEALED = frozenset({KeyPurpose.FIELDS, KeyPurpose.BLIND_INDEX})


def publish(given: StepInput) -> None:
    """Make the new version known."""
    services.publish_version(given.tenant_id, _purpose(given), actor=ACTOR)


def index(given: StepInput) -> None:
    """Index every value under the coming version too; from the promotion on it alone tells values apart."""
    if _purpose(given) is KeyPurpose.BLIND_INDEX:
        settle(given.tenant_id)
        _reseal(given, "index")


def promote(given: StepInput) -> None:
    """Seal under the new version."""
    services.promote_version(given.tenant_id, _purpose(given), actor=ACTOR)


def renew(given: StepInput) -> None:
    """Seal anew what is under an older version."""
    if _purpose(given) in RESEALED:
        settle(given.tenant_id)
        _reseal(given, "renew")


def retire(given: StepInput) -> None:
    """Prove that nothing is left under an older version, and take those out of use."""
    if _purpose(given) not in RESEALED:
        return
    left = count_behind(given.tenant_id, _purpose(given))
    note_progress(given.operation_id, "retire", f"Values still on old versions: {left:,}")
    if left:
        raise StateError(f"{left:,} values are still sealed under an older version; try again.")
    with platform_scope("older keys retire"):
        services.retire_versions(given.tenant_id, _purpose(given), actor=ACTOR)


def declare_rotation() -> None:
    """Declare the operation."""
    on_server = partial(Step, scope=StepScope.SERVER)
    register_operation(
        OperationKind(
            name=ROTATE,
            title="Rotate a key",
            steps=(
                Step("publish", "Make the new version known", StepScope.PLATFORM, publish),
                on_server("index", "Index values under the new version", run=index),
                Step("promote", "Seal under the new version", StepScope.PLATFORM, promote),
                on_server("renew", "Seal older values anew", run=renew),
                on_server("retire", "Prove that none is left and retire the older version", run=retire),
            ),
        )
    )


def _reseal(given: StepInput, step: str) -> None:
    reseal(given.tenant_id, _purpose(given), partial(note_progress, given.operation_id, step))


def _purpose(given: StepInput) -> KeyPurpose:
    return KeyPurpose(given.payload["purpose"])
