"""Tenants by the thousand, written by the superuser in one transaction, and their copy without row-level security."""

from __future__ import annotations

import json

import psycopg
from psycopg import sql

from app.members.roles import BUILT_IN_ROLES

MEMBERS = 20
UNSCOPED_SCHEMA = "bench"
COPIED = ("pool.roles", "pool.members", "pool.member_sessions", "control.tenants", "control.plans")
TENANTS = """
create temporary table seeded on commit drop as
    select n, uuidv7() as id, 'bench-' || to_char(n, 'FM00000') as slug from generate_series(1, %(tenants)s) n;
create temporary table built_in on commit drop as
    select * from jsonb_to_recordset(%(roles)s::jsonb) as role (key text, name text, permissions jsonb);
set local session_replication_role = replica;
insert into control.tenants (id, slug, name, name_search, status, activity, plan_id, region, time_zone, locale,
        currency, owner_name, owner_email, created_at, updated_at)
    select s.id, s.slug, initcap(s.slug), s.slug, 'active', 'none', p.id, p.region, p.time_zone, 'en', p.currency,
        'Bob Builder', 'member01@' || s.slug || '.example', now() - s.n * interval '1 minute', now()
    from seeded s join control.plans p on p.key = 'team';
insert into control.tenant_slugs select slug, slug, id from seeded;
insert into control.tenant_tags select id, 'beta' from seeded where n %% 10 = 0;
insert into control.placements select id, 'main', 'pool', 'pool', 1 from seeded;
insert into tenancy.homes select id, 1, 'active' from seeded;
insert into pool.roles (tenant_id, id, key, name, permissions, built_in)
    select s.id, uuidv7(), r.key, r.name, r.permissions, true from seeded s cross join built_in r;
"""
# Ordered by the member's number, so that a tenant's rows lie apart, as those of people who joined over the years do.
PEOPLE = """
insert into pool.members (tenant_id, id, email, name, name_search, role_id, state, created_at, last_signed_in_at)
    select s.id, uuidv7(), format('member%%s@%%s.example', to_char(m, 'FM00'), s.slug), names.name, lower(names.name),
        r.id, case when m %% 9 = 8 then 'invited' else 'active' end, now() - m * interval '3 days',
        case when m %% 9 <> 8 then now() - m * interval '5 hours' end
    from generate_series(1, %(members)s) m cross join seeded s
    cross join lateral (select (array['Ada', 'Bob', 'Carol', 'Dora', 'Emil', 'Fay', 'Gus'])[1 + m %% 7] || ' '
        || (array['Archer', 'Baker', 'Cooper', 'Dyer', 'Fisher'])[1 + m %% 5] as name) names
    join pool.roles r on r.tenant_id = s.id and r.key = case m when 1 then 'owner' when 2 then 'admin' else 'member' end
    order by m, s.n;
insert into pool.member_sessions (tenant_id, id, member_id, token_hash, host, address, user_agent, created_at,
        seen_at, expires_at)
    select m.tenant_id, uuidv7(), m.id, sha256(convert_to(m.email, 'UTF8')), s.slug || '.localhost', '127.0.0.1',
        'bench', now(), now() + interval '2 hours', now() + interval '7 days'
    from pool.members m join seeded s on s.id = m.tenant_id where m.state = 'active';
update control.registry_version set version = version + 1;
"""


def seed_tenants(connection: psycopg.Connection, tenants: int) -> None:
    """Write tenants with roles, members and a session of each active member.

    A session's token is its member's address; it was seen in the future, so that no page writes that it is in use.
    """
    roles = [
        {"key": role.key.value, "name": role.name, "permissions": sorted(role.permissions)} for role in BUILT_IN_ROLES
    ]
    given = {"tenants": tenants, "roles": json.dumps(roles), "members": MEMBERS}
    # Statements with parameters go to the server one at a time; the client puts these in and sends all at once.
    cursor = psycopg.ClientCursor(connection)
    cursor.execute(TENANTS, given)
    cursor.execute(PEOPLE, given)
    connection.commit()


def copy_unscoped(connection: psycopg.Connection, owner: str) -> None:
    """Copy what the members page reads into a schema of the owner, with every index and without any policy."""
    schema = sql.Identifier(UNSCOPED_SCHEMA)
    connection.execute(sql.SQL("create schema {} authorization {}").format(schema, sql.Identifier(owner)))
    for source in COPIED:
        names = {"copy": sql.Identifier(UNSCOPED_SCHEMA, source.partition(".")[2]), "owner": sql.Identifier(owner)}
        names["source"] = sql.Identifier(*source.split("."))
        connection.execute(sql.SQL("create table {copy} (like {source} including all)").format(**names))
        connection.execute(sql.SQL("insert into {copy} select * from {source}").format(**names))
        connection.execute(sql.SQL("alter table {copy} owner to {owner}").format(**names))
    connection.commit()


def settle(connection: psycopg.Connection) -> None:
    """Let PostgreSQL know what it holds, so that no vacuum of its own runs while somebody measures."""
    connection.autocommit = True
    connection.execute("vacuum (analyze, freeze)")
    connection.execute("checkpoint")
    connection.autocommit = False
