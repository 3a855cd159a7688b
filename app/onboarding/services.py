"""The roads by which a tenant comes to be."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from app.audit.services import unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.transactions import transaction
from app.core.errors import ConflictError, InputError, StateError
from app.credentials.emails import normalise_email
from app.credentials.names import check_person_name
from app.homes.building import place_home
from app.mail.names import MailName
from app.mail.services import queue_mail
from app.onboarding import queries
from app.onboarding.confirmation import LINK_SERIAL, REQUEST_LIFETIME
from app.onboarding.owner_links import MAIL_OWNER_LINK, describe_asker, find_obstacle
from app.onboarding.provisioning import PROVISION
from app.operations.queries import find_latest_operation
from app.operations.services import start_operation
from app.tenants import queries as registry
from app.tenants import services as tenants
from app.tenants.models import Tenant
from app.tenants.services import TenantDraft
from app.tenants.status import TenantStatus


@unaudited("create_tenant and start_operation record the two events of it")
def onboard_tenant(draft: TenantDraft, *, actor: Actor) -> UUID:
    """Write a tenant and start its provisioning; the same form sent twice makes one.

    Errors: InputError beside the field that it names.
    """

    def write() -> UUID:
        tenant_id = tenants.create_tenant(draft, status=TenantStatus.PROVISIONING, place=place_home, actor=actor)
        _provision(registry.get_tenant(tenant_id), actor)
        return tenant_id

    return _write_once(draft, write)


@unaudited("create_tenant records the event of it")
def request_tenant(draft: TenantDraft, *, actor: Actor) -> UUID:
    """Write a tenant that waits for its owner to confirm the address; the same form sent twice asks once.

    Errors: InputError beside the field that it names.
    Effect: a mail with a link that is good for 24 hours.
    """

    def write() -> UUID:
        tenant_id = tenants.create_tenant(draft, status=TenantStatus.REQUESTED, place=place_home, actor=actor)
        key = f"sign-up-confirmation-{tenant_id}-{LINK_SERIAL}"
        queue_mail(MailName.SIGN_UP_CONFIRMATION, {"tenant_id": str(tenant_id)}, key=key)
        return tenant_id

    return _write_once(draft, write)


@unaudited("change_status and start_operation record the two events of it")
def confirm_request(token: str, *, actor: Actor) -> UUID:
    """Start the provisioning of a tenant whose owner followed the link; following it again changes nothing.

    Errors: NotFoundError for a link that is not ours, or whose 24 hours have passed.
    """
    with transaction():
        tenant = queries.get_requested(token, lock=True)
        if tenant.status == TenantStatus.REQUESTED:
            tenants.change_status(
                tenant.id, TenantStatus.PROVISIONING, AuditAction.TENANT_CONFIRMED, reason=None, actor=actor
            )
            _provision(tenant, actor)
        return tenant.id


@unaudited("start_operation records the event of it, the step the home's")
def send_owner_link(tenant_id: UUID, *, seen: UUID | None, actor: Actor) -> UUID:
    """Start the operation that mails the owner a new link; return it.

    Shape: `seen` is the latest such operation that the asker looked at; where there is a later one, another click has
    sent the link already, and that operation is the answer.
    Errors: NotFoundError; StateError for a tenant to which nobody can sign in; ConflictError while another operation
    of the tenant is open.
    Effect: mail; earlier links are void.
    """
    with transaction():
        tenant = registry.get_tenant(tenant_id, lock=True)
        obstacle = find_obstacle(tenant)
        if obstacle is not None:
            raise StateError(obstacle)
        latest = find_latest_operation(tenant_id, MAIL_OWNER_LINK)
        if latest is not None and latest.id != seen:
            return latest.id
        payload = {"asker": describe_asker(actor)}
        return start_operation(MAIL_OWNER_LINK, tenant_id=tenant_id, payload=payload, actor=actor)


@unaudited("expire_request records an event a tenant")
def expire_requests(*, actor: Actor) -> int:
    """End the requests that nobody confirmed in time, so that their addresses are free again."""
    expired = queries.list_expired_requests(clock.now() - REQUEST_LIFETIME)
    for tenant_id in expired:
        tenants.expire_request(tenant_id, actor=actor)
    return len(expired)


def _provision(tenant: Tenant, actor: Actor) -> None:
    payload = {"owner_name": tenant.owner_name, "owner_email": tenant.owner_email}
    start_operation(PROVISION, tenant_id=tenant.id, payload=payload, actor=actor)


def _write_once(draft: TenantDraft, write: Callable[[], UUID]) -> UUID:
    """Write unless this form was sent before; of two sendings at once the database lets one through."""
    found = _find_submitted(draft)
    if found is not None:
        return found.id
    _check_owner(draft)
    try:
        with transaction():
            return write()
    except (ConflictError, InputError):
        found = _find_submitted(draft)
        if found is None:
            raise
        return found.id


def _check_owner(draft: TenantDraft) -> None:
    """Refuse before anything exists what would make the owner's invitation fail later."""
    try:
        normalise_email(draft.owner_email)
    except InputError as error:
        raise InputError(str(error), "owner_email") from error
    try:
        check_person_name(draft.owner_name)
    except InputError as error:
        raise InputError(str(error), "owner_name") from error


def _find_submitted(draft: TenantDraft) -> Tenant | None:
    if draft.submission_key is None:
        return None
    found = registry.find_by_submission(draft.submission_key)
    if found is not None and found.slug != draft.slug.strip().lower():
        raise ConflictError(f"This form has made {found.slug} already; open a new one for another tenant.")
    return found
