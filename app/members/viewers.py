"""From the session cookie on a tenant's host to who is looking."""

from __future__ import annotations

from app.core import clock
from app.core.actors import ActorKind
from app.members import queries, services
from app.web.hosts import current_place
from app.web.identity import Viewer


def load_viewer(token: str) -> Viewer | None:
    """Return the member whom a session's token shows, and note about once a minute that it is in use.

    The scope is the host's tenant, so another tenant's token finds no row.
    """
    now = clock.now()
    found = queries.find_live_session(token, current_place().host, now)
    if found is None:
        return None
    session, member = found
    if session.is_seen_due(now):
        services.mark_session_seen(session.id)
    return Viewer(
        kind=ActorKind.MEMBER,
        id=member.id,
        session_id=session.id,
        name=member.name,
        email=member.email,
        role_label=member.role.name,
        token=token,
        permissions=member.role.granted,
    )
