"""Getting in again without the password: a link by mail."""

from __future__ import annotations

from app.audit.services import Target, record_event
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.transactions import transaction
from app.core.ids import new_id
from app.credentials.emails import fold_email
from app.credentials.link_rows import RESET_LIFETIME
from app.credentials.links import LinkPurpose
from app.credentials.sessions import Visit
from app.credentials.throttles import count_try, mail_gates
from app.mail.names import MailName
from app.mail.services import queue_mail
from app.staff import queries
from app.staff.models import StaffThrottle, StaffUser
from app.staff.services.accounts import send_link

UNKNOWN = Target("staff_user", None, "unknown address")


def request_password_reset(*, email: str, visit: Visit) -> None:
    """Send a reset link if the address has an account; the caller learns nothing either way, nor from the time.

    Somebody who has not chosen a password yet gets the link by which they do.

    Errors: ThrottledError after too many requests for an address, known or not, or from one.
    Effect: mail.
    """
    address, actor = fold_email(email), Actor.visitor(visit.address)
    with transaction():
        count_try(StaffThrottle, mail_gates(address, visit.address))
        found = queries.find_staff_user_by_email(address)
        user = queries.get_staff_user(found.id, lock=True) if found is not None else None
        target = user.target if user is not None else UNKNOWN
        record_event(AuditAction.STAFF_PASSWORD_RESET_REQUESTED, target=target, actor=actor)
        if user is None or not user.is_active:
            _queue(str(new_id()), "0")
        elif user.password_hash is None:
            send_link(user)
        else:
            _send_reset(user)


def _send_reset(user: StaffUser) -> None:
    user.issue_link(LinkPurpose.STAFF_RESET, RESET_LIFETIME, clock.now())
    _queue(str(user.id), str(user.link_serial))


def _queue(staff_user_id: str, serial: str) -> None:
    # For an address without an account too, under an id that is nobody's: asking takes the same work.
    payload = {"staff_user_id": staff_user_id, "serial": serial}
    queue_mail(MailName.STAFF_PASSWORD_RESET, payload, key=f"{staff_user_id}-{serial}")
