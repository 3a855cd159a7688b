"""Wall 3: what the runtime logins may not do at all, and the boot check that refuses logins that could."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError

from app.core.config import Settings
from app.core.database.engines import Engines
from app.core.database.migrate import migrate
from app.core.database.session import db, registry
from app.core.errors import ConfigError
from app.core.tenancy.scopes import Login, TenantRoute, platform_scope, tenant_scope
from app.plans.models import Plan
from app.plans.services import seed_catalogue
from tests.isolation.toy import as_superuser, attack, connect
from tests.servers import PASSWORD

RUNTIME = (Login.TENANT, Login.PLATFORM)
REFUSED = "42501"

SCHEMAS = ("pool", "control", "tenancy", "public")
CHANGES_TO_THE_SCHEMA = [
    *(f"create table {schema}.evil (i int)" for schema in SCHEMAS),
    *(f"create view {schema}.evil as select 1" for schema in SCHEMAS),
    *(f"create function {schema}.evil() returns int language sql as 'select 1'" for schema in SCHEMAS),
    *(f"create type {schema}.evil as enum ('a')" for schema in SCHEMAS),
    "create temporary table evil (i int)",
    "create schema evil",
    "create role evil",
    "create database evil",
    "create event trigger evil on ddl_command_start execute function tenancy.current_tenant()",
    "create publication evil",
    "alter table pool.toys disable row level security",
    "alter table pool.toys no force row level security",
    "alter table pool.toys owner to current_user",
    "alter table pool.toys add column evil int",
    "alter policy tenant on pool.toys using (true)",
    "drop policy tenant on pool.toys",
    "create policy evil on pool.toys using (true)",
    "create trigger evil before insert on pool.toys for each row execute function tenancy.current_tenant()",
    "create rule evil as on select to pool.toys do instead select 1",
    "drop table pool.toys",
    "truncate pool.toys",
    "create or replace function tenancy.current_tenant() returns uuid language sql as 'select null::uuid'",
    "alter function tenancy.current_tenant() security invoker",
    "drop function tenancy.current_tenant()",
    "alter schema tenancy rename to evil",
    "alter role current_user bypassrls",
    "alter role current_user superuser",
    "alter default privileges for role tenantry_owner grant all on tables to public",
    "alter system set row_security = off",
]
STEPS_UP = [
    "set role tenantry_owner",
    "set role postgres",
    "set session authorization tenantry_owner",
    "set session authorization postgres",
    "grant tenantry_owner to current_user",
    "set session_replication_role = replica",
    "set local session_preload_libraries = 'evil'",
    "load '$libdir/plpgsql'",
]
SECRETS = [
    "select * from tenancy.context_keys",
    "copy tenancy.context_keys to stdout",
    "select * from tenancy.homes",
    "update tenancy.homes set state = 'active'",
    "update tenancy.homes set epoch = 1",
    "insert into tenancy.homes values (gen_random_uuid(), 1, 'active')",
    "delete from tenancy.homes",
    "select * from tenancy.home_versions",
    "insert into tenancy.home_versions values ('pool', '0')",
    "select * from tenancy.changed_keys",
    "insert into tenancy.changed_keys (tenant_id, table_name) values (gen_random_uuid(), 'members')",
    "delete from tenancy.changed_keys",
    "select tenancy.note_changed_key()",
    "select * from pg_authid",
    "select * from pg_shadow",
    "select * from pg_statistic",
    "select * from pg_hba_file_rules",
    "select pg_read_file('postgresql.conf')",
    "select pg_read_binary_file('global/pg_control')",
    "select pg_ls_dir('.')",
    "select pg_stat_file('postgresql.conf')",
    "select pg_current_logfile()",
    "select lo_import('/etc/passwd')",
    "select pg_reload_conf()",
    "copy (select 1) to program 'true'",
    "copy (select 1) to '/tmp/evil'",
    "select pg_logical_emit_message(true, 'evil', 'x') from pg_create_logical_replication_slot('evil', 'pgoutput')",
]


@pytest.mark.parametrize("login", RUNTIME)
@pytest.mark.parametrize("statement", [*CHANGES_TO_THE_SCHEMA, *STEPS_UP, *SECRETS])
def test_a_runtime_login_is_refused(login: Login, statement: str, toy_tables: None, instance: Settings) -> None:
    with connect(instance, login, autocommit=True) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(statement)
    assert caught.value.sqlstate == REFUSED, caught.value


@pytest.mark.parametrize("login", RUNTIME)
def test_a_runtime_login_has_nothing_to_hand_on(login: Login, toy_tables: None, instance: Settings) -> None:
    statement = "select relacl::text from pg_class where oid = 'pool.toys'::regclass"
    with connect(instance) as owner, connect(instance, login) as connection:
        before = owner.execute(statement).fetchone()
        with contextlib.suppress(psycopg.errors.InsufficientPrivilege):
            connection.execute("grant all on pool.toys to public")  # The tenant login gets a warning only.
            connection.commit()
        assert owner.execute(statement).fetchone() == before


@pytest.mark.parametrize("verb", ["select * from {}", "insert into {} default values", "delete from {}", "table {}"])
def test_the_platform_login_touches_no_home(verb: str, toy_tables: None, instance: Settings) -> None:
    for table in [*tables_of(instance, "pool"), *tables_of(instance, "tenancy")]:
        with connect(instance, Login.PLATFORM) as connection, pytest.raises(psycopg.Error) as caught:
            connection.execute(sql.SQL(verb).format(table))
        assert caught.value.sqlstate == REFUSED, table


def test_the_platform_login_may_not_even_ask_for_the_context(instance: Settings) -> None:
    with connect(instance, Login.PLATFORM) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select tenancy.current_tenant()")


@pytest.mark.parametrize(
    "statement",
    [
        "select * from control.context_keys",
        "select * from control.placements",
        "select * from control.tenant_slugs",
        "update control.tenants set status = 'active'",
        "update control.tenants set plan_id = gen_random_uuid()",
        "insert into control.plans default values",
        "update control.audit_events set reason = 'x'",
        "delete from control.audit_events",
        "update pool.audit_events set reason = 'x'",
        "delete from pool.audit_events",
        "select * from tenancy.resolve_host('globex')",
        "select * from tenancy.list_jobs(null, null, null, null, null, 9)",
        "select tenancy.bump_registry_version()",
    ],
)
def test_the_tenant_login_has_its_share_of_the_control_plane_only(
    statement: str, acme: TenantRoute, instance: Settings
) -> None:
    with attack(instance, acme) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(statement)


@pytest.mark.parametrize("login", RUNTIME)
def test_other_logins_statements_cannot_be_read(login: Login, instance: Settings) -> None:
    with connect(instance) as owner, connect(instance, login) as connection:
        owner.execute("select 'a secret of the owner'")
        texts = str(connection.execute("select query from pg_stat_activity").fetchall())
    assert "a secret of the owner" not in texts
    assert "insufficient privilege" in texts


def test_the_runtime_logins_own_nothing_and_belong_to_nobody(instance: Settings, superuser_url: str) -> None:
    owned = (
        "select d.classid::regclass, d.objid, r.rolname from pg_shdepend d join pg_roles r on r.oid = d.refobjid "
        "where d.deptype = 'o' and r.rolname in ('tenantry_tenant', 'tenantry_platform')"
    )
    member_of = "select roleid::regrole, member::regrole from pg_auth_members where member::regrole::text = any(%s)"
    with as_superuser(instance, superuser_url) as connection:
        assert connection.execute(owned).fetchall() == []
        assert connection.execute(member_of, (["tenantry_tenant", "tenantry_platform"],)).fetchall() == []


POWERS = {
    "superuser": "alter role {role} superuser",
    "BYPASSRLS": "alter role {role} bypassrls",
    "CREATEROLE": "alter role {role} createrole",
    "CREATEDB": "alter role {role} createdb",
    "REPLICATION": "alter role {role} replication",
    "owner of something": "create table public.evil (); alter table public.evil owner to {role}",
    "owner of something, such as a function": "alter function tenancy.schema_versions() owner to {role}",
    "owner of something, such as a schema": "create schema evil authorization {role}",
    "member of a role": "grant tenantry_tenant to {role}",
}
UNDO = """
drop table if exists public.evil; drop schema if exists evil; revoke tenantry_tenant from {role};
alter function tenancy.schema_versions() owner to tenantry_owner; drop owned by {role}; drop role {role}
"""


@pytest.fixture
def suspect(instance: Settings, superuser_url: str, worker_id: str) -> Iterator[tuple[psycopg.Connection[Any], str]]:
    """A login that may connect and nothing else, and the superuser's connection that can make it powerful."""
    role = f"suspect_{worker_id}"
    with as_superuser(instance, superuser_url) as connection:
        connection.autocommit = True
        connection.execute(f"create role {role} login password '{PASSWORD}'")
        connection.execute(f"grant connect on database tenantry_{worker_id} to {role}")
        yield connection, role
        connection.execute(UNDO.format(role=role))


def engines_with(instance: Settings, login: Login, role: str) -> Engines:
    """Return engines whose login of this kind is another role."""
    address = instance.database_tenant_url.get_secret_value().rpartition("@")[2]
    url = SecretStr(f"postgresql://{role}:{PASSWORD}@{address}")
    return Engines(instance.model_copy(update={f"database_{login}_url": url}), registry())


@pytest.mark.parametrize("login", RUNTIME)
@pytest.mark.parametrize("power", POWERS)
def test_the_boot_check_refuses_a_powerful_login_each_time(
    power: str, login: Login, app: Any, suspect: tuple[psycopg.Connection[Any], str], instance: Settings
) -> None:
    connection, role = suspect
    connection.execute(POWERS[power].format(role=role))
    engine = engines_with(instance, login, role).for_login(login)
    for _ in range(2):
        with pytest.raises(ConfigError, match=power.partition(",")[0]):
            engine.connect()


@pytest.mark.parametrize("login", RUNTIME)
def test_the_boot_check_lets_a_modest_login_pass(
    login: Login, app: Any, suspect: tuple[psycopg.Connection[Any], str], instance: Settings
) -> None:
    connection, role = suspect
    connection.execute(
        f"set role {role}; select lo_create(0); reset role"
    )  # Which anybody may do, and which opens nothing.
    found = engines_with(instance, login, role)
    found.for_login(login).connect().close()
    found.dispose()


@pytest.mark.parametrize("power", ["superuser", "bypassrls", "nocreaterole"])
def test_the_migrate_command_refuses_an_owner_that_is_too_strong_or_too_weak(
    power: str, app: Any, suspect: tuple[psycopg.Connection[Any], str], instance: Settings
) -> None:
    connection, role = suspect
    connection.execute(f"alter role {role} {power}")
    settings = engines_with(instance, Login.OWNER, role).settings
    unfit = settings.model_copy(update={"database_url": settings.database_owner_url})
    with pytest.raises(ConfigError, match="CREATE ROLE tenantry_owner"):
        migrate(unfit)


def tables_of(instance: Settings, schema: str) -> list[sql.Identifier]:
    """Return every table of a schema."""
    with connect(instance) as connection:
        rows = connection.execute("select tablename from pg_tables where schemaname = %s", (schema,)).fetchall()
    assert rows
    return [sql.Identifier(schema, name) for (name,) in rows]


def test_what_belongs_to_no_tenant_is_not_a_tenants_to_change(acme: TenantRoute) -> None:
    with platform_scope("test"):
        seed_catalogue()
    with tenant_scope(acme, reason="test"):
        db.session.scalars(select(Plan).limit(1)).one().name = "Free for ever"
        with pytest.raises(ProgrammingError, match="permission denied"):
            db.session.flush()
