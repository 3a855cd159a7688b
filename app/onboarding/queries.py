"""Reading for onboarding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from app.core import clock
from app.core.database.session import db
from app.core.errors import InputError, NotFoundError
from app.onboarding.confirmation import REQUEST_LIFETIME, read_confirmation
from app.tenants.models import Tenant
from app.tenants.queries import get_tenant, is_slug_free
from app.tenants.services import SLUG_TAKEN
from app.tenants.slugs import SLUG_MAXIMUM_CHARACTERS, check_slug, suggest_slug
from app.tenants.status import TenantStatus

MOST_NAMESAKES = 5
EXPIRED = "This link is not valid any more. Sign up again; it takes a minute."


@dataclass(frozen=True)
class Availability:
    """Whether an address can be had, and the sentence that says it; None for an empty field."""

    is_free: bool
    message: str


def check_availability(text: str) -> Availability | None:
    """Say whether a slug could be had now; the form's own check decides later."""
    if not text.strip():
        return None
    try:
        slug = check_slug(text)
    except InputError as error:
        return Availability(is_free=False, message=str(error))
    if not is_slug_free(slug):
        return Availability(is_free=False, message=SLUG_TAKEN)
    return Availability(is_free=True, message=f"“{slug}” is free.")


def suggest_address(name: str) -> str:
    """Return a slug made from a name that could be had now; an empty text when none is near."""
    base = suggest_slug(name)
    ends = ("", *(f"-{number}" for number in range(2, MOST_NAMESAKES + 1))) if base else ()
    candidates = (base[: SLUG_MAXIMUM_CHARACTERS - len(end)].rstrip("-") + end for end in ends)
    return next((slug for slug in candidates if is_slug_free(slug)), "")


def get_requested(token: str, *, lock: bool = False) -> Tenant:
    """Return the tenant that a confirmation link names, requested or confirmed since.

    Errors: NotFoundError for a link that is not ours, or whose 24 hours have passed.
    """
    tenant_id = read_confirmation(token)
    if tenant_id is None:
        raise NotFoundError(EXPIRED)
    tenant = get_tenant(tenant_id, lock=lock)
    if tenant.status == TenantStatus.DELETED or tenant.created_at < clock.now() - REQUEST_LIFETIME:
        raise NotFoundError(EXPIRED)
    return tenant


def list_expired_requests(before: datetime) -> list[UUID]:
    """Return the tenants that were requested before a moment and never confirmed."""
    statement = select(Tenant.id).where(Tenant.status == TenantStatus.REQUESTED, Tenant.created_at < before)
    return list(db.session.scalars(statement))
