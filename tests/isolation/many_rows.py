"""Rows of many tenants in every table that a list reads, so that the planner has reason to choose an index."""

from __future__ import annotations

from uuid import UUID

import psycopg

TENANTS = 120
MANY = """
create temporary table many on commit drop as
    select n, case n when 1 then %(tenant)s else gen_random_uuid() end as id, md5('role' || n)::uuid as role_id
    from generate_series(1, %(tenants)s) n;
set local session_replication_role = replica;
insert into pool.roles (tenant_id, id, key, name, permissions, built_in)
    select m.id, case i when 1 then role_id else gen_random_uuid() end, case i when 1 then 'crew' else 'role-' || i end,
        'Crew', to_jsonb(array_fill('member:read'::text, array[12])), false from many m, generate_series(1, 20) i;
insert into pool.members (tenant_id, id, email, name, name_search, role_id, state, created_at)
    select m.id, md5(m.n || 'member' || i)::uuid, 'm' || i || '@' || n || '.example', 'M ' || i, 'm ' || i, role_id,
        'active', now() - i * interval '1 hour' from many m, generate_series(1, 60) i;
insert into pool.member_sessions (tenant_id, id, member_id, token_hash, host, address, user_agent, created_at, seen_at,
        expires_at)
    select m.id, gen_random_uuid(), md5(m.n || 'member' || mod(i, 60))::uuid,
        sha256(convert_to(m.n || ':' || i, 'UTF8')), 'host', '127.0.0.1', '', now(), now(), now() + interval '1 day'
    from many m, generate_series(1, 120) i;
insert into pool.settings (tenant_id, id, key, value, updated_at)
    select m.id, gen_random_uuid(), 'key-' || i, '1', now() from many m, generate_series(1, 20) i;
insert into control.operations (id, tenant_id, kind, state, payload, actor_label, total_count, created_at)
    select md5(m.n || 'operation' || i)::uuid, m.id, (array['move', 'backup', 'provision'])[1 + mod(i, 3)],
        case when mod(n * 100 + i, 1000) = 7 then 'failed' else 'done' end, '{}', 'system', 3,
        now() - (i * 120 + n) * interval '1 minute' from many m, generate_series(1, 100) i;
insert into control.tenants (id, slug, name, name_search, status, activity, plan_id, region, time_zone, locale,
    currency, owner_name, owner_email, created_at, updated_at)
    select coalesce(m.id, gen_random_uuid()), 'tenant-' || i, 'Tenant ' || i, 'tenant ' || i, 'active', 'none', p.id,
        'eu', 'UTC', 'en', 'EUR', 'Bob', 'bob@' || i || '.example', now(), now()
    from generate_series(2, 3000) i left join many m on m.n = i, control.plans p where p.key = 'toy';
update control.tenants t set cloned_from_id = m.id from many m
    where t.slug ^@ 'tenant-2' and m.n = 2 + mod(substr(t.slug, 8)::int, 20);
insert into control.moves (id, tenant_id, state, source, target, actor_label, row_count, byte_count, key_count,
    created_at) select md5(m.n || 'move' || i)::uuid, m.id, 'finished', '{"tier": "pool", "server": "main"}',
        '{"tier": "schema", "server": "main"}', 'system', 0, 0, 0, now() - (i * 120 + n) * interval '1 minute'
    from many m, generate_series(1, 50) i;
insert into control.key_encryption_keys (id, tenant_id, version, state, root_key, wrapped, created_at,
    state_changed_at) select gen_random_uuid(), m.id, i, 'retired', 'file:0', '', now(), now()
    from many m, generate_series(1, 30) i;
insert into control.data_keys (id, tenant_id, purpose, version, state, kek_version, wrapped, created_at,
    state_changed_at) select gen_random_uuid(), m.id, 'fields', i, 'retired', 1, '', now(), now()
    from many m, generate_series(1, 30) i;
insert into control.operation_steps (operation_id, name, position, title, state)
    select md5(m.n || 'operation' || i)::uuid, 'step-' || s, s, 'Step', 'done'
    from many m, generate_series(1, 100) i, generate_series(1, 3) s;
insert into control.tenant_status_changes (id, tenant_id, to_status, actor_label, at)
    select gen_random_uuid(), m.id, 'active', 'system', now() - i * interval '1 day'
    from many m, generate_series(1, 30) i;
insert into control.tenant_notes (id, tenant_id, text, author_label, created_at)
    select gen_random_uuid(), m.id, 'note', 'ada', now() - i * interval '1 day' from many m, generate_series(1, 30) i;
insert into control.tenant_tags (tenant_id, tag) select m.id, 'tag-' || i from many m, generate_series(1, 20) i;
insert into control.tenant_metadata (tenant_id, key, value)
    select m.id, 'key-' || i, 'value' from many m, generate_series(1, 20) i;
insert into control.tenant_facts (tenant_id, key, value, as_of)
    select m.id, 'fact-' || i, '1', now() from many m, generate_series(1, 20) i;
insert into control.staff_sessions (id, staff_user_id, token_hash, host, address, user_agent, created_at, seen_at,
        expires_at)
    select gen_random_uuid(), md5('staff' || n)::uuid, sha256(convert_to('staff' || n || ':' || i, 'UTF8')), 'host',
        '127.0.0.1', '', now(), now(), now() + interval '1 day' from many, generate_series(1, 60) i;
insert into control.saved_views (id, staff_user_id, list, name, query, created_at)
    select gen_random_uuid(), md5('staff' || n)::uuid, 'tenants', 'View ' || i, '', now()
    from many, generate_series(1, 20) i;
insert into control.outbox (id, tenant_id, kind, queue, payload, state, run_at, created_at)
    select gen_random_uuid(), m.id, (array['mail.send', 'operations.run'])[1 + mod(i, 2)], 'default', '{}',
        case when mod(n * 100 + i, 1000) = 7 then 'failed' else 'done' end, now(), now()
    from many m, generate_series(1, 100) i;
insert into tenancy.outbox (id, tenant_id, kind, queue, payload, state, run_at, created_at)
    select id, tenant_id, kind, queue, payload, state, run_at, created_at from control.outbox;
insert into control.job_index (tenant_id, id, server, database_name, kind, queue, state, attempt, run_at, created_at,
        as_of)
    select tenant_id, id, 'annex', '', kind, queue, state, 0, run_at, created_at, now() from control.outbox;
insert into pool.audit_events (tenant_id, id, at, actor_kind, actor_label, actor_search, action, target_kind, target_id,
        target_label, target_search, changes)
    select m.id, gen_random_uuid(), now() - i * interval '1 hour', 'member', 'bob', 'bob', 'member.updated', 'member',
        gen_random_uuid(), 'dora', 'dora', '{}' from many m, generate_series(1, 100) i;
insert into control.audit_events (tenant_id, id, at, actor_kind, actor_label, actor_search, action, target_kind,
        target_id, target_label, target_search, changes)
    select tenant_id, id, at, actor_kind, actor_label, actor_search, action, target_kind, target_id, target_label,
        target_search, changes from pool.audit_events;
"""
TABLES = """pool.audit_events, control.audit_events, pool.roles, pool.members, pool.member_sessions, pool.settings,
    control.operations, control.operation_steps, control.tenants, control.moves,
    control.tenant_status_changes, control.tenant_notes,
    control.tenant_tags, control.tenant_metadata, control.tenant_facts, control.staff_sessions,
    control.saved_views, control.outbox, tenancy.outbox, control.job_index"""


def add_rows(url: str, tenant_id: UUID) -> None:
    """Insert rows of one tenant and of many others, past policies and triggers, and let the planner know of them."""
    with psycopg.connect(url) as connection:
        psycopg.ClientCursor(connection).execute(MANY, {"tenant": tenant_id, "tenants": TENANTS})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"vacuum analyze {TABLES}")
