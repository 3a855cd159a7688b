"""The catalog: every home table has row-level security on, forced, and exactly one policy, a plain equality."""

from __future__ import annotations

from app.core.runtime import current_settings
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import Login
from app.isolation.canaries import Pair
from app.isolation.grounds import Connection, connect, list_home_tables
from app.isolation.outcomes import Breach, Check

_EQUAL = "(tenant_id = ( SELECT tenancy.current_tenant() AS current_tenant))"
_FACTS = """
select c.relrowsecurity, c.relforcerowsecurity, c.relowner::regrole::text,
    array(select concat_ws('|', p.polpermissive, p.polroles::text, p.polcmd, pg_get_expr(p.polqual, p.polrelid),
        pg_get_expr(p.polwithcheck, p.polrelid)) from pg_policy p where p.polrelid = c.oid),
    array(select distinct a.grantee::regrole::text from aclexplode(c.relacl) a where a.grantee <> c.relowner
        union select distinct a.grantee::regrole::text from pg_attribute t, aclexplode(t.attacl) a
        where t.attrelid = c.oid and a.grantee <> c.relowner)
from pg_class c where c.oid = to_regclass(%s)
"""
_POLICY = f"t|{{0}}|*|{_EQUAL}|{_EQUAL}"


def check_policies(pair: Pair) -> str:
    """Compare what guards every home table with what must."""
    roles = Roles(current_settings().role_prefix)
    with connect(Login.TENANT, pair.address) as connection:
        tables = list_home_tables(connection, pair.schema)
        faults = [fault for table in tables for fault in _faults(connection, f"{pair.schema}.{table}", roles)]
    if faults:
        raise Breach(" ".join(faults))
    return f"{len(tables)} tables: switched on, forced, one policy by equality, granted to the tenant login alone."


CHECKS = (Check("rls.policies", "2 row-level security", "Every table is guarded by its one policy", check_policies),)


def _faults(connection: Connection, table: str, roles: Roles) -> list[str]:
    ((is_on, is_forced, owner, policies, grantees),) = connection.execute(_FACTS, (table,)).fetchall()
    found = {
        "row-level security is off.": not is_on,
        "it is not forced on the owner.": not is_forced,
        f"it belongs to {owner}.": owner != roles.owner,
        f"it has {len(policies)} policies instead of one.": len(policies) != 1,
        "its policy is another than tenant_id = the running tenant.": any(policy != _POLICY for policy in policies),
        f"it is granted to {', '.join(grantees)}.": set(grantees) - {roles.tenant} != set(),
    }
    return [f"{table}: {fault}" for fault, is_so in found.items() if is_so]
