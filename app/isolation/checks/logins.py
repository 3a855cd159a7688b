"""Wall 3: what the runtime logins are, and what they may not do at all."""

from __future__ import annotations

from collections.abc import Iterable

from psycopg import sql

from app.core.errors import ConfigError
from app.core.runtime import current_settings
from app.core.tenancy.boot_check import refuse_powerful_login
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import Login
from app.isolation.canaries import Pair
from app.isolation.grounds import NOT_ALLOWED, connect, expect_refusal, list_home_tables
from app.isolation.outcomes import Breach, Check

WALL = "3 logins"
RUNTIME = (Login.TENANT, Login.PLATFORM)
# Each is refused before it takes a lock; should one be done, it is rolled back.
_ON_A_TABLE = (
    "alter table {table} disable row level security",
    "alter table {table} no force row level security",
    "alter table {table} owner to current_user",
    "alter policy tenant on {table} using (true)",
    "drop policy tenant on {table}",
    "create policy evil on {table} using (true)",
    "truncate {table}",
    "drop table {table}",
)
_STEPS = (
    "create table {schema}.evil (i int)",
    "create table tenancy.evil (i int)",
    "create table public.evil (i int)",
    "create temporary table evil (i int)",
    "create schema evil",
    "create role evil",
    "create function {schema}.evil() returns int language sql as 'select 1'",
    "drop function tenancy.current_tenant()",
    "alter role current_user bypassrls",
    "alter role current_user superuser",
    "set role {owner}",
    "set session authorization {owner}",
    "grant {owner} to current_user",
    "set session_replication_role = replica",
)
_SECRETS = (
    "select * from tenancy.context_keys",
    "select * from tenancy.homes",
    "update tenancy.homes set state = 'active'",
    "select * from tenancy.changed_keys",
    "select * from pg_authid",
    "select pg_read_file('postgresql.conf')",
    "select pg_ls_dir('.')",
    "select lo_import('/etc/passwd')",
    "copy (select 1) to program 'true'",
)
_ANY_RIGHT = """
select exists (select from pg_namespace n where n.nspname = %(schema)s
        and has_schema_privilege(%(role)s, n.oid, 'usage'))
    or exists (select from pg_class c where c.relnamespace = to_regnamespace(%(schema)s) and c.relkind in ('r', 'p')
        and (has_table_privilege(%(role)s, c.oid, 'select, insert, update, delete, truncate, references, trigger')
            or has_any_column_privilege(%(role)s, c.oid, 'select, insert, update, references')))
"""


def check_attributes(pair: Pair) -> str:
    """Look whether a runtime login has a power with which it could step over the walls."""
    for login in RUNTIME:
        with connect(login, pair.address) as connection:
            try:
                refuse_powerful_login(connection)
            except ConfigError as error:
                raise Breach(f"The {login} login: {error}") from None
    return "Neither runtime login is a superuser, passes row-level security by, owns anything or is anybody’s member."


def step_beyond(pair: Pair) -> str:
    """Try to change the schema, to become somebody else, and to read keys and files, as either login."""
    tried = 0
    for login in RUNTIME:
        with connect(login, pair.address) as connection:
            table = list_home_tables(connection, pair.schema)[0]
            for statement in _statements(pair, (*_ON_A_TABLE, *_STEPS, *_SECRETS), table):
                what = f"The {login} login, {statement.as_string(connection).partition(' (')[0]}"
                expect_refusal(connection, statement, (NOT_ALLOWED,), what=what)
                tried += 1
    return f"{tried} statements were refused."


def read_homes_as_platform(pair: Pair) -> str:
    """Try to read and write every home table as the platform's login."""
    role = Roles(current_settings().role_prefix).platform
    with connect(Login.PLATFORM, pair.address) as connection:
        row = connection.execute(_ANY_RIGHT, {"schema": pair.schema, "role": role}).fetchone()
        if row is None or row[0]:
            raise Breach(f"The platform’s login has a right in schema {pair.schema}.")
        tables = list_home_tables(connection, pair.schema)
        for table in tables:
            for statement in _statements(pair, ("select * from {table}", "delete from {table}"), table):
                expect_refusal(connection, statement, (NOT_ALLOWED,), what=f"The platform’s login, {table}")
    return f"The platform’s login was refused at {len(tables)} tables and has no right on any."


CHECKS = (
    Check("logins.powers", WALL, "The runtime logins have no power over the walls", check_attributes),
    Check("logins.steps", WALL, "No schema change, no other role, no keys, no files", step_beyond),
    Check("logins.platform", WALL, "The platform’s login reads no home", read_homes_as_platform),
)


def _statements(pair: Pair, texts: Iterable[str], table: str) -> Iterable[sql.Composed]:
    owner = Roles(current_settings().role_prefix).owner
    names = {"table": sql.Identifier(pair.schema, table), "schema": sql.Identifier(pair.schema)}
    for text in texts:
        template = sql.SQL(text)
        yield template.format(owner=sql.Identifier(owner), **names)
