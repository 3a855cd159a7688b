"""Many tenants at once, by SQL: the platform's pages are looked at and measured over them."""

from __future__ import annotations

import psycopg

from app.core.tenancy.scopes import platform_scope
from app.plans.services import seed_catalogue

TENANTS = """
insert into control.tenants (id, slug, name, name_search, status, activity, plan_id, region, time_zone, locale,
    currency, owner_name, owner_email, created_at, updated_at)
select gen_random_uuid(), 'tenant-' || lpad(n::text, 5, '0'), 'Name ' || md5(n::text), 'name ' || md5(n::text),
    case when mod(n, 10) = 0 then 'suspended' when mod(n, 25) = 1 then 'archived' else 'active' end, 'none', p.id,
    (array['ap-south', 'eu-central', 'us-east'])[1 + mod(n, 3)], 'UTC', 'en', 'EUR', 'Bob',
    'bob' || n || '@example.com', now() - n * interval '1 minute', now()
from generate_series(1, %s) n join (select id, row_number() over (order by position) as r from control.plans) p
    on p.r = 1 + mod(n, 3)
"""
TAGS = """
insert into control.tenant_tags (tenant_id, tag)
select id, 'tag-' || lpad(mod(row_number() over (order by slug), 40)::text, 2, '0')
from control.tenants where slug like 'tenant-%'
"""
PLACEMENTS = """
insert into control.placements (tenant_id, server, database_name, tier, schema_name, epoch)
select id, 'main', '', 'pool', 'pool', 1 from control.tenants where slug like 'tenant-%'
"""


def add_tenants(superuser_url: str, count: int) -> None:
    """Insert tenants past policies and triggers, as only the superuser can, and let the planner know of them."""
    with platform_scope("test"):
        seed_catalogue()
    with psycopg.connect(superuser_url) as connection:
        connection.execute("set local session_replication_role = replica")
        connection.execute(TENANTS, (count,))
        connection.execute(TAGS)
        connection.execute(PLACEMENTS)
        connection.execute("update control.registry_version set version = version + 1")
    with psycopg.connect(superuser_url, autocommit=True) as connection:
        connection.execute("vacuum analyze control.tenants, control.tenant_tags, control.placements")
