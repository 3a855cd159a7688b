"""From the session cookie on the platform's host to who is looking."""

from __future__ import annotations

from app.core import clock
from app.core.actors import ActorKind
from app.staff import queries, services
from app.staff.roles import StaffRole
from app.web.hosts import current_place
from app.web.identity import Viewer


def load_viewer(token: str) -> Viewer | None:
    """Return the staff user whom a session's token shows, and note about once a minute that it is in use."""
    now = clock.now()
    found = queries.find_live_session(token, current_place().host, now)
    if found is None:
        return None
    session, user = found
    if session.is_seen_due(now):
        services.mark_session_seen(session.id)
    role = StaffRole(user.role)
    return Viewer(
        kind=ActorKind.STAFF,
        id=user.id,
        session_id=session.id,
        name=user.name,
        email=user.email,
        role_label=role.label,
        token=token,
        permissions=role.permissions,
    )
