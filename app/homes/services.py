"""Creating a tenant's home and taking it back, as steps of operations outside of every scope."""

from __future__ import annotations

from uuid import UUID

from app.audit.services import unaudited
from app.core.database.session import registry
from app.core.errors import StateError
from app.core.tenancy.scopes import Placement
from app.homes.building import build_home, drop_home


@unaudited("a step of provisioning; the operation's events say it")
def create_home(tenant_id: UUID) -> None:
    """Build the home where the tenant's placement says: from now on the database accepts contexts of its epoch."""
    build_home(tenant_id, _get_placement(tenant_id))


@unaudited("a step of provisioning taken back; the operation's events say it")
def purge_home(tenant_id: UUID) -> None:
    """Take the home down for good: what is in it is gone, and every context of it is refused."""
    drop_home(tenant_id, _get_placement(tenant_id))


def _get_placement(tenant_id: UUID) -> Placement:
    registry().forget(tenant_id)
    route = registry().find_route(tenant_id)
    if route is None or route.placement is None:
        raise StateError("This tenant has no place for a home.")
    return route.placement
