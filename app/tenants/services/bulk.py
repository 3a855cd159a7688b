"""One act on many tenants: each row in a transaction of its own, with an outcome and an event of its own.

The act itself is one more event, which keeps the outcomes: the page that shows them can be opened again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from app.audit.services import Target, record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.transactions import transaction
from app.core.errors import DomainError
from app.core.ids import new_id
from app.tenants.entries import check_reason, check_tag
from app.tenants.queries import BulkResult
from app.tenants.services.metadata import add_tag
from app.tenants.services.statuses import reactivate_tenant, suspend_tenant


def suspend_tenants(tenant_ids: Iterable[UUID], *, reason: str, actor: Actor) -> UUID:
    """Suspend each tenant that can be suspended; return the act, which keeps how it went.

    Errors: InputError for a reason that says nothing; then nothing is done.
    """
    check_reason(reason)

    def act(tenant_id: UUID) -> str:
        suspend_tenant(tenant_id, reason=reason, actor=actor)
        return "Suspended"

    return _record("Suspend", _each(tenant_ids, act), actor, reason)


def reactivate_tenants(tenant_ids: Iterable[UUID], *, reason: str | None, actor: Actor) -> UUID:
    """Reactivate each tenant that can be reactivated; return the act, which keeps how it went."""

    def act(tenant_id: UUID) -> str:
        reactivate_tenant(tenant_id, reason=reason, actor=actor)
        return "Reactivated"

    return _record("Reactivate", _each(tenant_ids, act), actor, reason)


def tag_tenants(tenant_ids: Iterable[UUID], tag: str, *, actor: Actor) -> UUID:
    """Tag each tenant; return the act, which keeps how it went.

    Errors: InputError for what is no tag; then nothing is done.
    """
    check_tag(tag)

    def act(tenant_id: UUID) -> str:
        return "Tagged" if add_tag(tenant_id, tag, actor=actor) else "Had this tag already"

    return _record("Tag", _each(tenant_ids, act), actor)


def _each(tenant_ids: Iterable[UUID], act: Callable[[UUID], str]) -> list[BulkResult]:
    results = []
    for tenant_id in dict.fromkeys(tenant_ids):
        try:
            results.append(BulkResult(tenant_id, is_done=True, message=act(tenant_id)))
        except DomainError as error:
            results.append(BulkResult(tenant_id, is_done=False, message=str(error)))
    return results


def _record(verb: str, results: list[BulkResult], actor: Actor, reason: str | None = None) -> UUID:
    done_count, bulk_id = sum(result.is_done for result in results), new_id()
    target = Target("tenants", bulk_id, f"{verb}: {done_count} of {len(results)} done")
    changes = {str(result.tenant_id): (None, result.as_change()) for result in results}
    with transaction():
        record_event(AuditAction.TENANTS_CHANGED_TOGETHER, target=target, actor=actor, changes=changes, reason=reason)
    return bulk_id
