"""One act on many tenants: each row in a transaction of its own, with an outcome of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from app.audit.services import unaudited
from app.core.actors import Actor
from app.core.errors import DomainError
from app.tenants.entries import check_reason, check_tag
from app.tenants.services.metadata import add_tag
from app.tenants.services.statuses import reactivate_tenant, suspend_tenant

ONE_EVENT_A_ROW = "each row is a use case of its own, with its own event"


@dataclass(frozen=True)
class BulkResult:
    """How it went for one tenant; `message` is for the person who asked."""

    tenant_id: UUID
    is_done: bool
    message: str


@unaudited(ONE_EVENT_A_ROW)
def suspend_tenants(tenant_ids: Iterable[UUID], *, reason: str, actor: Actor) -> list[BulkResult]:
    """Suspend each tenant that can be suspended.

    Errors: InputError for a reason that says nothing; then nothing is done.
    """
    check_reason(reason)

    def act(tenant_id: UUID) -> str:
        suspend_tenant(tenant_id, reason=reason, actor=actor)
        return "Suspended"

    return _each(tenant_ids, act)


@unaudited(ONE_EVENT_A_ROW)
def reactivate_tenants(tenant_ids: Iterable[UUID], *, reason: str | None, actor: Actor) -> list[BulkResult]:
    """Reactivate each tenant that can be reactivated."""

    def act(tenant_id: UUID) -> str:
        reactivate_tenant(tenant_id, reason=reason, actor=actor)
        return "Reactivated"

    return _each(tenant_ids, act)


@unaudited(ONE_EVENT_A_ROW)
def tag_tenants(tenant_ids: Iterable[UUID], tag: str, *, actor: Actor) -> list[BulkResult]:
    """Tag each tenant.

    Errors: InputError for what is no tag; then nothing is done.
    """
    check_tag(tag)

    def act(tenant_id: UUID) -> str:
        return "Tagged" if add_tag(tenant_id, tag, actor=actor) else "Had this tag already"

    return _each(tenant_ids, act)


def _each(tenant_ids: Iterable[UUID], act: Callable[[UUID], str]) -> list[BulkResult]:
    results = []
    for tenant_id in dict.fromkeys(tenant_ids):
        try:
            results.append(BulkResult(tenant_id, is_done=True, message=act(tenant_id)))
        except DomainError as error:
            results.append(BulkResult(tenant_id, is_done=False, message=str(error)))
    return results
