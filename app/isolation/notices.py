"""What isolation says on the pages of servers and tenants."""

from __future__ import annotations

from uuid import UUID

from flask import url_for

from app.isolation.queries import Standing, list_probed_servers, list_standings
from app.isolation.wording import STANDINGS
from app.tenants.queries import find_placement
from app.web.notices import Notice


def speak_of_server(server: str) -> Notice | None:
    """Say how a server stands; nothing of one that takes no homes."""
    if server not in list_probed_servers():
        return None
    return _say(list_standings([server])[0])


def speak_of_tenant(tenant_id: str) -> Notice | None:
    """Say how the server stands on which a tenant's home lies."""
    placement = find_placement(UUID(tenant_id))
    return speak_of_server(placement.server) if placement is not None else None


def _say(standing: Standing) -> Notice:
    label, tone, text = STANDINGS[standing.key]
    if standing.latest is None:
        href, action = url_for("isolation_admin.list_probes"), "Isolation"
    else:
        href, action = url_for("isolation_admin.show_probe", probe_id=standing.latest.id), "Last report"
    return Notice(label, tone, label, text, href, action)
