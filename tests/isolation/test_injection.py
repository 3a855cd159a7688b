"""SQL injection into a request of Acme's, in each tier: no row of Globex's, no key, a clean connection afterwards."""

from __future__ import annotations

import re

import pytest

from app.core.database.session import engines, registry
from app.core.tenancy.context import BEGIN_IN_TENANT
from app.core.tenancy.scopes import DatabaseAddress, Login, Tier
from tests.isolation.grounds import Ground, connect_to, context_of, every_tier, ground, grounds, home_of
from tests.isolation.injectable import list_settings, search_settings
from tests.servers import ANNEX

__all__ = ["ground", "grounds"]
MAC = re.compile(r"[0-9a-f]{64}")
SHOW = "select to_jsonb(s)::text from {home}.settings s; select to_jsonb(m)::text from {home}.members m"
# Each is tried with every foreign context that an attacker could come by; `{home}` is Globex's.
CONTEXTS = {
    "for the transaction": "'; select set_config('tenantry.context', '{context}', true); " + SHOW + " --",
    "for the session": "'; select set_config('tenantry.context', '{context}', false); " + SHOW + " --",
    "in a transaction of its own": "'; commit; begin; set local tenantry.context = '{context}'; " + SHOW + " --",
    "in a savepoint": "'; savepoint s; set tenantry.context = '{context}'; "
    + SHOW
    + "; rollback to s; "
    + SHOW
    + " --",
    "as the login's default": "'; alter role current_user set tenantry.context = '{context}'; " + SHOW + " --",
    "inside one statement": "' union select s.value::text from {home}.settings s, "
    "(select set_config('tenantry.context', '{context}', true)) c --",
}
READS = {
    "a union": "' union select to_jsonb(m)::text from {home}.members m --",
    "always true": "' or tenant_id = '{globex}' or true --",
    "a row in an error": "' or (select s::text from {home}.settings s where s.tenant_id = '{globex}')::int = 1 --",
    "an error for each row": "' or 1 / (case when tenant_id = '{globex}' then 0 else 1 end) = 2 --",
    "a document of the table": "' union select table_to_xml('{home}.settings', true, false, '')::text --",
    "a document of the query": "' union select query_to_xml('select * from {home}.members', true, false, '')::text --",
    "without a context": "'; reset tenantry.context; " + SHOW + " --",
    "reset all": "'; commit; reset all; " + SHOW + " --",
    "discard all": "'; commit; discard all; " + SHOW + " --",
    "row security off": "'; set row_security = off; " + SHOW + " --",
    "another search path": "'; set search_path = pg_temp, public, {home}; select to_jsonb(s)::text from settings s --",
    "a prepared statement": "'; prepare p as select s::text from {home}.settings s; execute p; commit; execute p --",
    "a cursor that is held": "'; declare c cursor with hold for select * from {home}.settings; commit; fetch all c --",
    "a block": "'; do $$ begin perform set_config('x.y', (select string_agg(s::text, '') from {home}.settings s),"
    " false); end $$; select current_setting('x.y') --",
    "statistics": "' union select most_common_vals::text from pg_stats where schemaname = '{schema}' --",
    "other sessions": "' union select query from pg_stat_activity --",
    "settings": "' union select setting from pg_settings union select current_setting('tenantry.context', true) "
    "where false --",
}
REFUSED = {
    "set role": "set role tenantry_owner",
    "set role of the platform": "set role tenantry_platform",
    "set session authorization": "set session authorization postgres",
    "read a file": "select pg_read_file('/etc/passwd')",
    "list files": "select pg_ls_dir('.')",
    "copy to a program": "copy (select 1) to program 'true'",
    "copy from a program": "copy {home}.settings from program 'id'",
    "copy to a file": "copy (select 1) to '/tmp/evil'",
    "import a file": "select lo_import('/etc/passwd')",
    "export a file": "select lo_export(1, '/tmp/evil')",
    "dblink": "create extension dblink",
    "postgres_fdw": "create extension postgres_fdw",
    "a foreign server": "create server evil foreign data wrapper postgres_fdw",
    "a language": "create extension plpython3u",
    "a library": "load 'evil'",
    "a temporary table": "create temporary table settings (tenant_id uuid)",
    "a temporary function": "create function pg_temp.current_tenant() returns uuid language sql as 'select null::uuid'",
    "a function": "create function public.now() returns int language sql as 'select 1'",
    "a view": "create view {home}.evil as select 1",
    "the keys": "select * from tenancy.context_keys",
    "the wrapped keys": "select * from control.context_keys",
    "the homes": "update tenancy.homes set epoch = 1",
    "the function": "create or replace function tenancy.current_tenant() returns uuid language sql as 'select null'",
    "a policy": "create policy evil on {home}.settings using (true)",
    "triggers off": "set session_replication_role = replica",
    "activity of others": "select pg_read_binary_file('global/pg_control')",
}
REFUSALS = ("42501", "42P01", "58P01", "42704", "0A000", "3F000")
NO_TABLE = "This workspace is being maintained"  # What users read when a table is not there.
FUNCTIONS = """
select p.oid::regprocedure::text, array(select format_type(t, null) from unnest(p.proargtypes) t),
    has_function_privilege('tenantry_tenant', p.oid, 'execute')
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.prosecdef and n.nspname !~ '^(pg_|information_schema$)' and p.prorettype <> 'trigger'::regtype order by 1
"""
# What the tenant login may call: who it is, and the reports of the server on which it lives.
REACHABLE = {"tenancy.current_tenant()", "tenancy.list_isolation_reports(integer)"}
ARGUMENTS = {"uuid": "'{globex}'", "text": "'{slug}'", "integer": "9", "boolean": "false"}


def fill(ground: Ground, payload: str, context: str = "") -> str:
    """Write what an attacker knows into a payload: ids, names and a context that he has come by."""
    globex = ground.globex
    known = {"globex": str(globex.tenant_id), "slug": globex.slug, "context": context}
    known |= dict.fromkeys(("home", "schema"), home_of(globex).schema)
    return re.sub(r"\{(home|schema|globex|context|slug)\}", lambda match: known[match[1]], payload)


def assert_clean(ground: Ground, seen: str) -> None:
    """Find nothing of Globex's in what came back, nor in what its next request meets on the same connection."""
    assert not re.search(rf"planted \d+ for {ground.globex.tenant_id}", seen), seen
    keys, _pid = list_settings(ground.globex)
    assert [str(ground.globex.tenant_id) in key for key in keys] == [True]


def foreign_contexts(ground: Ground) -> list[str]:
    """Return contexts of Globex's: expired, forged, with Acme's signature, and for another database genuine."""
    genuine, own = context_of(ground.globex), context_of(ground.acme)
    found = [context_of(ground.globex, age=400), genuine[:-64] + "0" * 64, genuine[:36] + own[36:]]
    elsewhere = home_of(ground.acme).address != home_of(ground.globex).address
    return [*found, genuine if elsewhere else context_of(ground.globex, DatabaseAddress(ANNEX))]


@every_tier
def test_the_hole_is_one(ground: Ground) -> None:
    seen = search_settings(ground.acme, "' or true; select 'second' --")
    assert "second" in seen
    assert (
        search_settings(
            ground.acme, f"' union select to_jsonb(m)::text from {home_of(ground.acme).schema}.members m --"
        ).count("planted")
        > 0
    )


@every_tier
@pytest.mark.parametrize("way", CONTEXTS)
def test_no_foreign_context_is_taken(ground: Ground, way: str) -> None:
    for context in foreign_contexts(ground):
        assert_clean(ground, search_settings(ground.acme, fill(ground, CONTEXTS[way], context)))
    engines().dispose()


@every_tier
@pytest.mark.parametrize("way", READS)
def test_no_foreign_row_is_read(ground: Ground, way: str) -> None:
    assert_clean(ground, search_settings(ground.acme, fill(ground, READS[way])))
    engines().dispose()


@every_tier
@pytest.mark.parametrize("way", REFUSED)
def test_no_step_beyond_the_login_is_allowed(ground: Ground, way: str) -> None:
    payload = REFUSED[way].replace("{home}", home_of(ground.acme).schema)
    seen = search_settings(ground.acme, f"'; {payload} --")
    assert seen.startswith((*REFUSALS, NO_TABLE)), seen
    assert_clean(ground, seen)


@every_tier
def test_no_definer_function_shows_or_changes_anything_foreign(ground: Ground) -> None:
    with connect_to(ground.settings, Login.OWNER, home_of(ground.acme).address) as owner:
        functions = owner.execute(FUNCTIONS).fetchall()
    assert "tenancy.current_tenant()" in {name for name, _types, reachable in functions if reachable} <= REACHABLE
    for name, types, reachable in functions:
        arguments = ", ".join(ARGUMENTS.get(kind, "null") for kind in types)
        call = fill(ground, f"select * from {name.partition('(')[0]}({arguments})")
        seen = search_settings(ground.acme, f"'; {call} --")
        assert (seen[:5] == "42501") != reachable, (name, seen)
        assert_clean(ground, seen)


@every_tier
def test_nothing_of_a_working_neighbour_can_be_harvested(ground: Ground) -> None:
    home = home_of(ground.globex)
    with connect_to(ground.settings, Login.TENANT, home.address) as neighbour:
        neighbour.execute(BEGIN_IN_TENANT, (context_of(ground.globex), str(ground.globex.tenant_id)))
        neighbour.execute(f"select * from {home.schema}.settings")
        for source in ("pg_stat_activity", "pg_locks", "pg_settings", "pg_cursors", "pg_prepared_statements"):
            seen = search_settings(ground.acme, f"'; select to_jsonb(x)::text from {source} x --")
            assert not MAC.search(seen), source
            assert not re.search(rf"planted \d+ for {ground.globex.tenant_id}", seen), source
        neighbour.rollback()


@every_tier
def test_the_key_is_nowhere_to_be_seen(ground: Ground) -> None:
    key = registry().context_key(home_of(ground.acme).address)
    with connect_to(ground.settings, Login.TENANT, home_of(ground.acme).address) as connection:
        functions = str(connection.execute("select prosrc from pg_proc where proname = 'current_tenant'").fetchall())
    assert key.hex() not in functions
    assert "42501" in search_settings(ground.acme, "'; select inner_block::text from tenancy.context_keys --")


@pytest.mark.parametrize("ground", [Tier.POOL, Tier.SCHEMA], indirect=True, ids=str)  # Who share connections.
def test_the_next_request_comes_over_the_same_connection(ground: Ground) -> None:
    engines().dispose()
    before = list_settings(ground.acme)[1]
    search_settings(ground.acme, fill(ground, CONTEXTS["for the session"], context_of(ground.acme)))
    search_settings(ground.acme, "'; select pg_advisory_lock(1); set search_path = pg_temp; listen evil --")
    keys, after = list_settings(ground.globex)
    assert (before, len(keys)) == (after, 1)
    engines().dispose()


def test_the_catalog_tells_that_neighbours_exist_and_how_large_they_are(grounds: dict[Tier, Ground]) -> None:
    # Not a wall but a limit, which docs/isolation.md names: what shares a database shares its catalog.
    schema, apart = grounds[Tier.SCHEMA], grounds[Tier.DATABASE]
    assert home_of(schema.globex).schema in search_settings(schema.acme, "'; select nspname::text from pg_namespace --")
    size = "'; select pg_total_relation_size('{home}.settings')::text --"
    assert int(re.sub(r"\D", "", search_settings(schema.acme, fill(schema, size)))) > 0
    assert home_of(apart.globex).address.name in search_settings(
        apart.acme, "'; select datname::text from pg_database --"
    )
    assert home_of(schema.globex).schema not in search_settings(
        apart.acme, "'; select nspname::text from pg_namespace --"
    )
