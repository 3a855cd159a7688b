"""What PostgreSQL's own catalog says of the walls: each checker returns what is wrong, named, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg

OWNER, PLATFORM, TENANT = "tenantry_owner", "tenantry_platform", "tenantry_tenant"
EVERYBODY = "-"
CURRENT = "( SELECT tenancy.current_tenant() AS current_tenant)"
SAME_TENANT = f"(tenant_id = {CURRENT})"
# The registry's row of a tenant is the tenant: its key is the tenant's id.
SAME_ID = f"(id = {CURRENT})"
KEYED_BY_ID = {"control.tenants"}
# Rows of nobody, which every tenant may read whole.
REFERENCE_TABLES = {"control.plans"}
# Read by definer functions of the owner's only: without policies, and without a grant to anybody.
OWNERS_TABLES = {"tenancy.changed_keys", "tenancy.context_keys", "tenancy.home_versions", "tenancy.homes"}
VERSION_TABLE = "alembic_version"
# What a tenant may change of its own registry row; never its status, plan, slug, owner or placement.
TENANT_COLUMNS = {"control.tenants": {"name", "name_search", "time_zone", "locale", "updated_at"}}
PLAIN_VERBS = {"SELECT", "INSERT", "UPDATE", "DELETE"}
SEARCH_PATH = ["search_path=pg_catalog, pg_temp"]

TABLES = """
select c.oid, n.nspname || '.' || c.relname as name, c.relowner::regrole::text as owner,
    c.relrowsecurity as secured, c.relforcerowsecurity as forced,
    exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and a.attnotnull
            and a.atttypid = 'uuid'::regtype) as has_tenant
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'f') and n.nspname = %s order by 2
"""
POLICIES = """
select polname, polpermissive, polroles::regrole[]::text[], pg_get_expr(polqual, polrelid),
    pg_get_expr(polwithcheck, polrelid) from pg_policy where polrelid = %s order by polname
"""
GRANTS = """
select case a.grantee when 0 then 'PUBLIC' else a.grantee::regrole::text end, a.privilege_type, null
from pg_class c, aclexplode(c.relacl) a where c.oid = %(oid)s and a.grantee <> c.relowner
union all
select case a.grantee when 0 then 'PUBLIC' else a.grantee::regrole::text end, a.privilege_type, t.attname
from pg_attribute t join pg_class c on c.oid = t.attrelid, aclexplode(t.attacl) a
where t.attrelid = %(oid)s and a.grantee <> c.relowner order by 1, 2, 3
"""
INDEXES = """
select c.relname, pg_get_indexdef(i.indexrelid, 1, false) from pg_index i join pg_class c on c.oid = i.indexrelid
where i.indrelid = %s order by 1
"""
FOREIGN_KEYS = """
select k.conname, k.confrelid::regclass::text,
    (select attname from pg_attribute where attrelid = k.conrelid and attnum = k.conkey[1]),
    (select attname from pg_attribute where attrelid = k.confrelid and attnum = k.confkey[1]),
    k.convalidated
from pg_constraint k where k.conrelid = %s and k.contype = 'f' order by 1
"""
# Neither a materialised view (it stores rows of all) nor a sequence (it counts all) belongs into a home.
OTHER_RELATIONS = """
select n.nspname || '.' || c.relname, c.relkind, coalesce('security_invoker=true' = any(c.reloptions), false)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname !~ '^(pg_|information_schema$)' and c.relkind in ('v', 'm', 'S')
"""
FUNCTIONS = """
select n.nspname, p.oid::regprocedure::text, p.prosecdef, p.proconfig, p.proowner::regrole::text,
    p.proacl is null or exists (select from aclexplode(p.proacl) a where a.grantee = 0)
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where n.nspname not in ('pg_catalog', 'information_schema') and n.nspname not like 'pg_%'
"""
RIGHTS_TO_CREATE = """
select role, n.nspname from pg_namespace n, unnest(%s::text[]) role
where has_schema_privilege(role, n.oid, 'create') or (has_schema_privilege(role, n.oid, 'usage') and (
    (role = %s and n.nspname ~ '^(pool|home|home_template|[tw]_[0-9a-f]{32})$') or n.nspname = 'home_template'))
union all
select role, datname from pg_database, unnest(%s::text[]) role where datname = current_database()
    and (has_database_privilege(role, datname, 'create') or has_database_privilege(role, datname, 'temporary'))
"""


@dataclass(frozen=True)
class Policy:
    """One policy, as the catalog renders it."""

    name: str
    permissive: bool
    roles: list[str]
    using: str | None
    check: str | None


@dataclass(frozen=True)
class Table:
    """One table with all that the walls rest on."""

    name: str
    owner: str
    secured: bool
    forced: bool
    has_tenant: bool
    policies: list[Policy]
    grants: list[tuple[str, str, str | None]]
    indexes: list[tuple[str, str]]
    foreign_keys: list[tuple[str, str, str, str, bool]]


def read_tables(connection: psycopg.Connection[Any], schema: str) -> list[Table]:
    """Return every table of a schema, but Alembic's own."""
    tables = []
    for oid, name, *facts in connection.execute(TABLES, (schema,)).fetchall():
        if name != f"{schema}.{VERSION_TABLE}":
            policies = [Policy(*row) for row in connection.execute(POLICIES, (oid,)).fetchall()]
            grants = connection.execute(GRANTS, {"oid": oid}).fetchall()
            indexes = connection.execute(INDEXES, (oid,)).fetchall()
            keys = connection.execute(FOREIGN_KEYS, (oid,)).fetchall()
            tables.append(Table(name, *facts, policies, grants, indexes, keys))
    return tables


def home_faults(table: Table) -> Iterator[str]:
    """Tell what keeps a table from being a home's: one policy for everybody, and keys that begin with the tenant."""
    yield from _common_faults(table)
    if not table.has_tenant:
        yield "has no column tenant_id uuid not null"
    if len(table.policies) != 1:
        yield f"has {len(table.policies)} policies instead of one"
    for policy in table.policies:
        if policy.roles != [EVERYBODY]:
            yield f"policy {policy.name} names roles, so the owner escapes it"
        yield from _equality_faults(policy, SAME_TENANT)
    for name, first in table.indexes:
        if first != "tenant_id":
            yield f"index {name} does not start with tenant_id"
    for name, target, first, first_of_target, valid in table.foreign_keys:
        stays = target.partition(".")[0] == table.name.partition(".")[0]
        if (first, first_of_target) != ("tenant_id", "tenant_id") or not stays:
            yield f"foreign key {name} does not stay inside the tenant"
        if not valid:
            yield f"foreign key {name} was never validated"
    for role, privilege, _column in table.grants:
        if role != TENANT:
            yield f"grants {privilege} to {role}"


def control_faults(table: Table) -> Iterator[str]:
    """Tell what keeps a table from being the control plane's: one policy a role, a tenant's by equality."""
    if table.name in OWNERS_TABLES:
        yield from (f"grants {privilege} to {role}" for role, privilege, _column in table.grants)
        return
    yield from _common_faults(table)
    named = [role for policy in table.policies for role in policy.roles]
    if len(set(named)) < len(named):
        yield "has two policies for one role"
    if not set(named) <= {OWNER, PLATFORM, TENANT}:
        yield f"has a policy for {sorted(set(named) - {OWNER, PLATFORM, TENANT})}"
    for policy in table.policies:
        if TENANT in policy.roles and table.name in REFERENCE_TABLES:
            yield from (["is reference data that tenants could write"] if policy.check is not None else [])
        elif TENANT in policy.roles:
            yield from _equality_faults(policy, SAME_ID if table.name in KEYED_BY_ID else SAME_TENANT)
    for role, privilege, column in table.grants:
        if role not in named:
            yield f"grants {privilege} to {role}, which has no policy"
        if (role, privilege) == (TENANT, "UPDATE") and column not in TENANT_COLUMNS.get(table.name, {column}):
            yield f"lets a tenant change {column or 'every column'}"


def audit_faults(table: Table) -> Iterator[str]:
    """Tell what keeps a table of audit events from being append-only."""
    for role, privilege, _column in table.grants:
        if privilege not in {"SELECT", "INSERT"}:
            yield f"grants {privilege} to {role} on audit events"


def other_faults(connection: psycopg.Connection[Any]) -> Iterator[str]:
    """Tell what else is open: views, sequences, definer functions, rights to create."""
    for name, kind, is_invoker in connection.execute(OTHER_RELATIONS).fetchall():
        if kind != "v" or not is_invoker:
            yield f"{name} is a {'view that runs as its owner' if kind == 'v' else 'materialised view or sequence'}"
    for schema, name, is_definer, settings, owner, is_public in connection.execute(FUNCTIONS).fetchall():
        if owner != OWNER:
            yield f"{name} belongs to {owner}"
        if is_definer and schema != "tenancy":
            yield f"{name} is a definer function outside schema tenancy"
        if is_definer and settings != SEARCH_PATH:
            yield f"{name} is a definer function without the fixed search_path"
        if is_definer and is_public:
            yield f"{name} is a definer function that everybody may call"
    roles = [PLATFORM, TENANT]
    for role, place in connection.execute(RIGHTS_TO_CREATE, (roles, PLATFORM, roles)).fetchall():
        yield f"{role} has a right on {place} that it must not have"


def _common_faults(table: Table) -> Iterator[str]:
    if table.owner != OWNER:
        yield f"belongs to {table.owner}"
    if not table.secured:
        yield "has row-level security off"
    if not table.forced:
        yield "does not force row-level security on its owner"
    for policy in table.policies:
        if not policy.permissive:
            yield f"policy {policy.name} is restrictive, so something else must have opened more"
    for role, privilege, _column in table.grants:
        if privilege not in PLAIN_VERBS:
            yield f"grants {privilege} to {role}"


def _equality_faults(policy: Policy, expression: str) -> Iterator[str]:
    if policy.using != expression or policy.check != expression:
        yield f"policy {policy.name} is no plain equality: {policy.using} / {policy.check}"
