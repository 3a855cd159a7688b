"""Tenants of a pool, put into schemas of their own by plain SQL: the same rows in the other tier."""

from __future__ import annotations

import psycopg
from psycopg import sql

from app.core.database.home_versions import HomeKey, HomeVersion, copy_version
from app.core.database.owner import owner_connection
from app.core.database.versions import newest_version
from app.core.tenancy.scopes import Tier
from app.homes.building import read_template
from app.homes.making import make_schema, open_schema
from tests.bench.peers import FILLED

SETTLE = """
update control.placements set tier = 'schema', schema_name = 't_' || replace(tenant_id::text, '-', '');
update control.registry_version set version = version + 1;
delete from pool.member_sessions; delete from pool.members; delete from pool.roles
"""


def make_schemas(schemas: list[str]) -> None:
    """Build homes in schemas as provisioning does, without tenants around them."""
    template = read_template()
    version = HomeVersion(newest_version("tenant"), newest_version("tenancy"))
    with owner_connection() as connection:
        for schema in schemas:
            with connection.transaction():
                make_schema(connection, schema, template)
                open_schema(connection, schema)
            copy_version(connection, HomeKey("main", "", schema), Tier.SCHEMA, version)


def put_in_schemas(superuser: psycopg.Connection) -> None:
    """Build a schema for each tenant of the pool, take its rows there, and let routing know."""
    ids = [tenant_id for (tenant_id,) in superuser.execute("select id from control.tenants order by slug")]
    make_schemas([f"t_{tenant_id.hex}" for tenant_id in ids])
    superuser.execute("set session_replication_role = replica")
    copy = sql.SQL("insert into {} select * from {} where tenant_id = {}")
    for tenant_id in ids:
        for table in FILLED:
            own, source = sql.Identifier(f"t_{tenant_id.hex}", table), sql.Identifier("pool", table)
            superuser.execute(copy.format(own, source, sql.Literal(tenant_id)))
    superuser.execute(SETTLE)
    superuser.execute("reset session_replication_role")
    superuser.execute("vacuum (analyze, freeze)")
    superuser.execute("checkpoint")
