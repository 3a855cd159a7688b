"""Events by the ten thousand, of many tenants, so that the planner has reason to choose."""

from __future__ import annotations

import psycopg

from app.core.tenancy.scopes import TenantRoute, Tier
from tests.audit.conftest import ADA

TENANTS, EVENTS_OF_EACH = 150, 120
COLUMNS = """tenant_id, id, at, actor_kind, actor_label, actor_search, action, target_kind, target_id, target_label,
    target_search, changes, request_id"""
# Each batch of events has people, targets and requests of its own; staff and actions are the same for all.
EVENTS = f"""
insert into {{table}} ({COLUMNS})
select t.id, gen_random_uuid(), now() - e * interval '1 hour' - t.n * interval '1 second', 'member', actor, actor,
    (array['member.invited', 'member.signed_in', 'settings.updated', 'tenant.suspended'])[1 + mod(e, 4)], 'member',
    md5(t.id || target)::uuid, target, target, '{{{{}}}}', gen_random_uuid()::text
from many t cross join generate_series(1, %(events)s) e
cross join lateral (select '@' || t.n + (e - 1) / %(of_each)s || '.example' as host) team
cross join lateral (select case when mod(e, 3) = 0 then %(staff)s else 'm' || mod(e, 9) || host end as actor,
    'm' || mod(e, 40) || host as target) people
"""
PLATFORMS = f"""
insert into control.audit_events ({COLUMNS})
select null, gen_random_uuid(), now() - e * interval '10 minutes', 'staff', actor, actor, 'staff.signed_in',
    'staff_user', md5(actor)::uuid, actor, actor, '{{}}', gen_random_uuid()::text
from generate_series(1, 5000) e cross join lateral (select 's' || mod(e, 20) || '@platform.example' as actor) people
"""


MANY = """
create temporary table many as
    select n, case n when 1 then %(tenant)s else gen_random_uuid() end as id from generate_series(1, %(tenants)s) n
"""


def add_events(control: psycopg.Connection, home: psycopg.Connection, acme: TenantRoute) -> None:
    """Insert events of one tenant and of many others, as only the superuser can, and let the planner know of them.

    In a home of its own, whose schema is on the path of `home`, all of them are the one tenant's.
    """
    is_pool = acme.placement is not None and acme.placement.tier is Tier.POOL
    tenants, events = (TENANTS, EVENTS_OF_EACH) if is_pool else (1, TENANTS * EVENTS_OF_EACH)
    _insert(control, "control.audit_events", acme, TENANTS, EVENTS_OF_EACH)
    control.execute(PLATFORMS)
    _insert(home, "audit_events", acme, tenants, events)
    control.execute("vacuum analyze control.audit_events")
    home.execute("vacuum analyze audit_events")


def _insert(connection: psycopg.Connection, table: str, acme: TenantRoute, tenants: int, events: int) -> None:
    given = {"tenant": acme.tenant_id, "tenants": tenants, "events": events, "of_each": EVENTS_OF_EACH}
    given["staff"] = ADA.label
    connection.execute(MANY, given)
    connection.execute(EVENTS.format(table=table), given)
    connection.execute("drop table many")
