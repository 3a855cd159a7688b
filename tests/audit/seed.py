"""Events by the ten thousand, of many tenants, so that the planner has reason to choose."""

from __future__ import annotations

import psycopg

from tests.audit.conftest import ADA

TENANTS, EVENTS_OF_EACH = 150, 120
COLUMNS = """tenant_id, id, at, actor_kind, actor_label, actor_search, action, target_kind, target_id, target_label,
    target_search, changes, request_id"""
# Every tenant has people, targets and requests of its own; staff and actions are the same for all.
EVENTS = f"""
insert into {{table}} ({COLUMNS})
select t.id, gen_random_uuid(), now() - e * interval '1 hour' - t.n * interval '1 second', 'member', actor, actor,
    (array['member.invited', 'member.signed_in', 'settings.updated', 'tenant.suspended'])[1 + mod(e, 4)], 'member',
    md5(t.id || target)::uuid, target, target, '{{{{}}}}', gen_random_uuid()::text
from many t cross join generate_series(1, %(events)s) e
cross join lateral (select case when mod(e, 3) = 0 then %(staff)s else 'm' || mod(e, 9) || '@' || t.n || '.example' end
    as actor, 'm' || mod(e, 40) || '@' || t.n || '.example' as target) people
"""
PLATFORMS = f"""
insert into control.audit_events ({COLUMNS})
select null, gen_random_uuid(), now() - e * interval '10 minutes', 'staff', actor, actor, 'staff.signed_in',
    'staff_user', md5(actor)::uuid, actor, actor, '{{}}', gen_random_uuid()::text
from generate_series(1, 5000) e cross join lateral (select 's' || mod(e, 20) || '@platform.example' as actor) people
"""


def add_events(url: str, tenant_id: object) -> None:
    """Insert events of one tenant and of many others, as only the superuser can, and let the planner know of them."""
    given = {"tenant": tenant_id, "tenants": TENANTS, "events": EVENTS_OF_EACH, "staff": ADA.label}
    with psycopg.connect(url) as connection:
        connection.execute(
            "create temporary table many on commit drop as select n, case n when 1 then %(tenant)s "
            "else gen_random_uuid() end as id from generate_series(1, %(tenants)s) n",
            given,
        )
        for table in ("control.audit_events", "pool.audit_events"):
            connection.execute(EVENTS.format(table=table), given)
        connection.execute(PLATFORMS)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze control.audit_events, pool.audit_events")
