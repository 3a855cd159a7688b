"""Canaries: tenants of the platform's own, with which it tries its isolation; no list shows them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete

from app.audit.services import unaudited
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.core.ids import new_id
from app.core.search import normalise_search
from app.core.tenancy.scopes import Tier
from app.plans import queries as plans
from app.servers.queries import find_open_operation, find_server_by_name
from app.tenants import queries
from app.tenants.models import Tenant, TenantFact, TenantPlacement, TenantSlug
from app.tenants.services.registration import Place, placement_row
from app.tenants.slugs import skeleton
from app.tenants.status import TenantStatus

OWNER_EMAIL = "canary@invalid"
_NO_SYNC = {"synchronize_session": False}


@unaudited("the probe that needs the canary records that it was made")
def ensure_canary(slug: str, *, server: str, place: Place) -> UUID:
    """Return the canary of a slug, written if there is none; it takes no place of a server's capacity.

    Errors: StateError before the catalogue of plans is there, and for a server that is being removed or changed.
    """
    with transaction():
        if find_server_by_name(server, lock=True) is None or find_open_operation(server) is not None:
            raise StateError(f"{server} is being removed or changed.")
        found = queries.find_canary(slug)
        return found if found is not None else _write(slug, place, server)


@unaudited("a part of removing a server, which is an event")
def forget_canaries(server: str) -> None:
    """Take the canaries of a server out of the registry, in the open transaction of its removal."""
    ids = queries.list_canaries(server)
    for model in (TenantFact, TenantSlug, TenantPlacement):
        db.session.execute(delete(model).where(model.tenant_id.in_(ids)), execution_options=_NO_SYNC)
    db.session.execute(delete(Tenant).where(Tenant.id.in_(ids)), execution_options=_NO_SYNC)


def _write(slug: str, place: Place, server: str) -> UUID:
    catalogue = plans.list_plans()
    if not catalogue:
        raise StateError("There is no plan yet; seed the catalogue first.")
    plan, tenant_id = catalogue[0], new_id()
    name = f"Canary {slug[-1:].upper()} of {server}"
    db.session.add(
        Tenant(
            id=tenant_id, slug=slug, name=name, name_search=normalise_search(name), status=TenantStatus.ACTIVE,
            plan_id=plan.id, region=plan.region, time_zone=plan.time_zone, currency=plan.currency, owner_name=name,
            owner_email=OWNER_EMAIL, is_canary=True,
        )
    )  # fmt: skip
    db.session.flush()
    db.session.add(TenantSlug(slug=slug, skeleton=skeleton(slug), tenant_id=tenant_id))
    db.session.add(placement_row(tenant_id, place(tenant_id, Tier.POOL, server)))
    return tenant_id
