"""Starting a clone, and the day on which it is closed; the copying itself is an operation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from app.audit.services import record_event, unaudited
from app.clones.operation import CLONE
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.transactions import transaction
from app.core.errors import InputError, StateError
from app.core.runtime import current_settings
from app.core.tenancy.scopes import Tier
from app.credentials.emails import normalise_email
from app.credentials.names import check_person_name
from app.homes.building import place_home
from app.mail.names import MailName
from app.mail.services import queue_mail
from app.operations.services import start_operation
from app.tenants import queries
from app.tenants import services as tenants
from app.tenants.models import Tenant
from app.tenants.services import TenantDraft
from app.tenants.status import OPEN, TenantStatus, label

DEFAULT_DAYS = 30
MOST_DAYS = 365
REMINDED_BEFORE = timedelta(days=3)
CLONABLE = OPEN | {TenantStatus.SUSPENDED}
ENDED = frozenset({TenantStatus.FAILED, TenantStatus.DELETING, TenantStatus.DELETED})


@dataclass(frozen=True)
class CloneDraft:
    """What is asked of a clone; without a day on which it is closed it stays."""

    name: str
    slug: str
    owner_name: str
    owner_email: str
    tier: Tier
    server: str
    expires_on: date | None
    keeps_names: bool = False
    submission_key: str | None = None


def start_clone(source_id: UUID, draft: CloneDraft, *, actor: Actor) -> UUID:
    """Write the new tenant and start filling its home; return it. The same form sent twice makes one.

    Errors: NotFoundError; InputError beside the field that it names, or when the source has as many clones as it may;
    StateError for a source that cannot be cloned now; ConflictError while its home is being changed by an operation.
    Effect: mail to the owner when the clone is made.
    """
    with transaction():
        # Whoever else clones this tenant waits here, and then counts this clone.
        source = queries.get_tenant(source_id, lock=True)
        found = queries.find_by_submission(draft.submission_key) if draft.submission_key else None
        if found is not None:
            return found.id
        _refuse_unclonable(source)
        _check_owner(draft)
        check_expiry(draft.expires_on, source.time_zone)
        clone = _write_tenant(source, draft, actor)
        changes = {"slug": (None, clone.slug), "names": (None, "kept" if draft.keeps_names else "masked")}
        action = AuditAction.CLONE_STARTED
        record_event(action, target=clone.target, actor=actor, tenant_id=source.id, changes=changes)
        payload = _payload(source, draft)
        start_operation(CLONE, tenant_id=clone.id, source_tenant_id=source.id, payload=payload, actor=actor)
    return clone.id


def change_expiry(tenant_id: UUID, expires_on: date | None, *, actor: Actor) -> None:
    """Let a clone be closed on another day, or never; an archived one can be opened again after that.

    Errors: NotFoundError; StateError for a tenant that is no clone or is gone; InputError for a day out of bounds.
    """
    with transaction():
        clone = queries.get_tenant(tenant_id, lock=True)
        if not clone.is_clone or clone.status in ENDED:
            raise StateError(f"{clone.name} is no clone that could be kept longer.")
        check_expiry(expires_on, clone.time_zone)
        before = clone.expires_on
        if before == expires_on:
            return
        clone.expire_on(expires_on)
        changes = {"expires_on": (_write_day(before), _write_day(expires_on))}
        action = AuditAction.CLONE_EXPIRY_CHANGED
        record_event(action, target=clone.target, actor=actor, tenant_id=tenant_id, changes=changes)


@unaudited("each clone that is archived or reminded of is an event")
def watch_clones(*, actor: Actor) -> None:
    """Archive the clones whose day has come, and remind the owners of those whose day is near.

    Effect: mail.
    """
    now = clock.now()
    for clone in queries.list_expiring((now + REMINDED_BEFORE + timedelta(days=1)).date()):
        if clone.expires_at is not None and clone.expires_at <= now:
            tenants.archive_tenant(clone.id, reason="Its time as a clone is over.", actor=actor)
        elif clone.expires_at is not None and clone.expires_at - REMINDED_BEFORE <= now:
            remind_owner(clone.id, actor=actor)


def remind_owner(tenant_id: UUID, *, actor: Actor) -> None:
    """Tell a clone's owner by mail when it will be closed, once for each day that was set.

    Effect: mail.
    """
    with transaction():
        clone = queries.get_tenant(tenant_id, lock=True)
        if clone.expiry_reminded_at is not None or clone.expires_on is None:
            return
        clone.expiry_reminded_at = clock.now()
        key = f"{clone.id}-{clone.expires_on}-{clone.expiry_reminded_at.timestamp():.0f}"
        payload = {"tenant_id": str(clone.id), "expires_on": clone.expires_on.isoformat()}
        queue_mail(MailName.CLONE_EXPIRY, payload, key=key)
        record_event(AuditAction.CLONE_REMINDED, target=clone.target, actor=actor, tenant_id=clone.id)


@unaudited("a check; it writes nothing")
def check_expiry(day: date | None, time_zone: str) -> None:
    """Refuse a day that has begun, or is more than a year away.

    Errors: InputError on field `expires_on`.
    """
    today = today_in(time_zone)
    if day is not None and not today < day <= today + timedelta(days=MOST_DAYS):
        raise InputError(f"Choose a day from tomorrow on, at most {MOST_DAYS} days away, or none.", "expires_on")


@unaudited("it reads the clock alone")
def today_in(time_zone: str) -> date:
    """Return the day that it is in a time zone."""
    return clock.now().astimezone(ZoneInfo(time_zone)).date()


@unaudited("a check; it writes nothing")
def refuse_one_too_many(clone: Tenant) -> None:
    """Refuse to open a clone again whose source has as many living clones as it may.

    Errors: InputError.
    """
    if clone.cloned_from_id is not None:
        # Whoever else clones this source, or opens a clone of it, waits here or is waited for.
        _refuse_full(queries.get_tenant(clone.cloned_from_id, lock=True))


def _refuse_unclonable(source: Tenant) -> None:
    if source.status not in CLONABLE:
        why = "unarchive it first" if source.status == TenantStatus.ARCHIVED else "it has no home to copy"
        raise StateError(f"{source.name} is {label(source.status).lower()}: {why}.")
    _refuse_full(source)


def _refuse_full(source: Tenant) -> None:
    most, count = current_settings().clones_per_tenant, queries.count_living_clones(source.id)
    if count >= most:
        raise InputError(
            f"{source.name} has {count} living clones, and {most} is the most that a tenant may have. Archive one of "
            "them first."
        )


def _check_owner(draft: CloneDraft) -> None:
    # Refused before anything exists, what would make the invitation fail later.
    for field, check in (("owner_email", normalise_email), ("owner_name", check_person_name)):
        try:
            check(getattr(draft, field))
        except InputError as error:
            raise InputError(str(error), field) from error


@unaudited("create_tenant records the event of it")
def _write_tenant(source: Tenant, draft: CloneDraft, actor: Actor) -> Tenant:
    asked = TenantDraft(
        name=draft.name,
        slug=draft.slug,
        owner_name=draft.owner_name,
        owner_email=draft.owner_email,
        plan=source.plan.key,
        time_zone=source.time_zone,
        currency=source.currency,
        submission_key=draft.submission_key,
        tier=draft.tier,
        server=draft.server,
    )
    clone_id = tenants.create_tenant(asked, status=TenantStatus.PROVISIONING, place=place_home, actor=actor)
    clone = queries.get_tenant(clone_id, lock=True)
    clone.cloned_from_id, clone.locale = source.id, source.locale
    clone.expire_on(draft.expires_on)
    return clone


def _payload(source: Tenant, draft: CloneDraft) -> dict[str, object]:
    return {
        "source_id": str(source.id),
        "source_slug": source.slug,
        "owner_name": draft.owner_name,
        "owner_email": draft.owner_email,
        "keeps_names": draft.keeps_names,
    }


def _write_day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None
