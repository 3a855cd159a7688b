"""Who works for the platform, in which role, and how they get in the first time."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from app.audit.services import record_event, unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import InputError, StateError
from app.core.ids import new_id
from app.credentials.emails import normalise_email
from app.credentials.link_rows import SIGN_IN_LINK_LIFETIME
from app.credentials.links import LinkPurpose
from app.credentials.names import check_person_name
from app.mail.names import MailName
from app.mail.services import queue_mail
from app.staff import queries
from app.staff.models import StaffSession, StaffState, StaffUser
from app.staff.roles import StaffRole


def create_staff_user(*, email: str, name: str, role: str, actor: Actor) -> UUID:
    """Write a staff user and send the one-time link by which they choose a password.

    Errors: InputError for an address that is none or has an account, a role that is not, or no name.
    Effect: mail.
    """
    with transaction():
        user = _add_staff_user(email=email, name=name, role=role, actor=actor)
        send_link(user)
    return user.id


def ensure_first_admin(*, email: str, name: str, actor: Actor) -> UUID | None:
    """Make sure that somebody can get in: return an admin with a usable link, or None when one has signed in.

    A link that can still be used stays the same, so that starting again does not void what was printed before.
    """
    with transaction():
        if queries.has_admin_who_signed_in():
            return None
        found = queries.find_first_admin()
        user = found or _add_staff_user(email=email, name=name, role=StaffRole.ADMIN, actor=actor)
        serial = user.link_serial
        user.keep_or_issue_link(LinkPurpose.STAFF_SIGN_IN, SIGN_IN_LINK_LIFETIME, clock.now())
        if user.link_serial != serial:
            record_event(AuditAction.STAFF_SIGN_IN_LINK_CREATED, target=user.target, actor=actor)
    return user.id


def create_sign_in_link(*, email: str, actor: Actor) -> UUID:
    """Give a staff user a new one-time link, void every older one, and return the staff user's id.

    Errors: NotFoundError for an unknown address; StateError for a deactivated staff user.
    """
    with transaction():
        user = queries.get_staff_user(queries.get_staff_user_by_email(email).id, lock=True)
        if not user.is_active:
            raise StateError(f"{user.email} is deactivated and cannot sign in.")
        user.issue_link(LinkPurpose.STAFF_SIGN_IN, SIGN_IN_LINK_LIFETIME, clock.now())
        record_event(AuditAction.STAFF_SIGN_IN_LINK_CREATED, target=user.target, actor=actor)
    return user.id


def send_sign_in_link(staff_user_id: UUID, *, actor: Actor) -> None:
    """Send a staff user a new one-time link and void every older one.

    Errors: StateError for a deactivated staff user.
    Effect: mail.
    """
    with transaction():
        user = queries.get_staff_user(staff_user_id, lock=True)
        if not user.is_active:
            raise StateError(f"{user.email} is deactivated and cannot sign in.")
        send_link(user)
        record_event(AuditAction.STAFF_SIGN_IN_LINK_CREATED, target=user.target, actor=actor, reason="sent by mail")


def change_role(staff_user_id: UUID, *, role: str, actor: Actor) -> None:
    """Give a staff user another role; their next request has its permissions, and the same role leaves no trace.

    Errors: InputError for a role that is not; StateError for the last active admin.
    """
    wanted = _parse_role(role)
    with transaction():
        user = _lock_staff_user(staff_user_id)
        if user.role == wanted:
            return
        _keep_an_admin(user)
        before, user.role = user.role, wanted.value
        changes = {"role": (before, wanted.value)}
        record_event(AuditAction.STAFF_ROLE_CHANGED, target=user.target, actor=actor, changes=changes)


def deactivate_staff_user(staff_user_id: UUID, *, actor: Actor, reason: str | None = None) -> None:
    """End a staff user's sessions and links and let them sign in no more.

    Errors: StateError for the last active admin, or one who is deactivated already.
    """
    with transaction():
        user = _lock_staff_user(staff_user_id)
        if not user.is_active:
            raise StateError("This staff user is deactivated already.")
        _keep_an_admin(user)
        user.state = StaffState.DEACTIVATED
        user.void_link()
        revoke_sessions(user.id)
        record_event(AuditAction.STAFF_DEACTIVATED, target=user.target, actor=actor, reason=reason)


def reactivate_staff_user(staff_user_id: UUID, *, actor: Actor) -> None:
    """Let a deactivated staff user sign in again, with the password they had.

    Errors: StateError unless deactivated.
    """
    with transaction():
        user = _lock_staff_user(staff_user_id)
        if user.is_active:
            raise StateError("This staff user is active.")
        user.state = StaffState.ACTIVE
        record_event(AuditAction.STAFF_REACTIVATED, target=user.target, actor=actor)


@unaudited("a part of use cases that record their own events")
def revoke_sessions(staff_user_id: UUID) -> None:
    """End every session of a staff user, in the open transaction of the use case that wants it."""
    statement = update(StaffSession).where(
        StaffSession.staff_user_id == staff_user_id, StaffSession.revoked_at.is_(None)
    )
    db.session.execute(statement.values(revoked_at=clock.now()), execution_options={"synchronize_session": False})


@unaudited("a part of use cases that record their own events")
def send_link(user: StaffUser) -> None:
    """Give a staff user a new one-time link and queue the mail that carries it, in the open transaction."""
    user.issue_link(LinkPurpose.STAFF_SIGN_IN, SIGN_IN_LINK_LIFETIME, clock.now())
    serial = str(user.link_serial)
    queue_mail(MailName.STAFF_SIGN_IN, {"staff_user_id": str(user.id), "serial": serial}, key=f"{user.id}-{serial}")


def _add_staff_user(*, email: str, name: str, role: str, actor: Actor) -> StaffUser:
    address, wanted, words = normalise_email(email), _parse_role(role), check_person_name(name)
    user = StaffUser(id=new_id(), email=address, name=words, role=wanted.value, state=StaffState.ACTIVE, link_serial=0)
    try:
        with db.session.begin_nested():
            db.session.add(user)
            db.session.flush()
    except IntegrityError as error:
        raise InputError(f"There is a staff user “{address}” already.", "email") from error
    changes = {"email": (None, address), "name": (None, words), "role": (None, wanted.value)}
    record_event(AuditAction.STAFF_CREATED, target=user.target, actor=actor, changes=changes)
    return user


def _parse_role(role: str) -> StaffRole:
    try:
        return StaffRole(role)
    except ValueError:
        known = ", ".join(StaffRole)
        raise InputError(f"There is no role “{role}”; choose one of {known}.", "role") from None


def _lock_staff_user(staff_user_id: UUID) -> StaffUser:
    # The admins first and always in one order, so that two changes at once wait for each other and never deadlock.
    queries.list_active_admin_ids(lock=True)
    return queries.get_staff_user(staff_user_id, lock=True)


def _keep_an_admin(user: StaffUser) -> None:
    if user.is_admin and user.is_active and queries.list_active_admin_ids() == [user.id]:
        raise StateError("This is the last active admin; make somebody else an admin first.")
