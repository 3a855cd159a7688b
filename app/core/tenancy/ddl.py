"""Walls 2 and 3 as DDL: the only functions through which a migration gives a table its policies and grants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

POOL = "pool"
ALL_VERBS = "select, insert, update, delete"
# In brackets with select it is evaluated once a statement; bare, once a row.
_CURRENT = "(select tenancy.current_tenant())"


@dataclass(frozen=True)
class Roles:
    """The names of the three PostgreSQL roles under one prefix."""

    prefix: str

    @property
    def owner(self) -> str:
        return f"{self.prefix}_owner"

    @property
    def platform(self) -> str:
        return f"{self.prefix}_platform"

    @property
    def tenant(self) -> str:
        return f"{self.prefix}_tenant"


def roles_of(op: Any) -> Roles:
    """Return the roles that the running migration grants to."""
    found: Roles = op.get_context().config.attributes["roles"]
    return found


def protect_home_table(op: Any, table: str, *, verbs: str = ALL_VERBS) -> None:
    """Put a home's table under row-level security and grant the tenant login its verbs.

    One policy that names no role, so that the owner is under it too; the platform login gets nothing.
    """
    op.execute(f"alter table {table} enable row level security, force row level security")
    op.execute(f"create policy tenant on {table} using (tenant_id = {_CURRENT}) with check (tenant_id = {_CURRENT})")
    op.execute(f"grant {verbs} on {table} to {roles_of(op).tenant}")


def protect_control_table(
    op: Any, table: str, *, platform: str = ALL_VERBS, tenant: str = "", tenant_key: str = "tenant_id"
) -> None:
    """Put a control table under row-level security: whole for platform and owner, by equality for a tenant.

    Without `tenant` the tenant login gets neither grant nor policy.
    """
    roles = roles_of(op)
    op.execute(f"alter table {table} enable row level security, force row level security")
    op.execute(f"create policy owner on {table} to {roles.owner} using (true) with check (true)")
    if platform:
        op.execute(f"create policy platform on {table} to {roles.platform} using (true) with check (true)")
        op.execute(f"grant {platform} on {table} to {roles.platform}")
    if tenant:
        same = f"{tenant_key} = {_CURRENT}"
        op.execute(f"create policy tenant on {table} to {roles.tenant} using ({same}) with check ({same})")
        op.execute(f"grant {tenant} on {table} to {roles.tenant}")


def share_reference_table(op: Any, table: str) -> None:
    """Put a control table without tenants under row-level security, readable whole by every tenant."""
    protect_control_table(op, table)
    roles = roles_of(op)
    op.execute(f"create policy tenant on {table} for select to {roles.tenant} using (true)")
    op.execute(f"grant select on {table} to {roles.tenant}")


def add_tenant_foreign_key(
    op: Any, table: str, column: str, target: str, *, on_delete: str = "restrict", name: str | None = None
) -> None:
    """Add a foreign key inside a tenant: (tenant_id, column) to (tenant_id, id).

    FORCE is lifted for this one transaction: validated under a tenant's context, or under none, PostgreSQL would
    see no rows and mark the key valid over orphans.

    Errors: the database's foreign key violation when an orphan exists; nothing has changed then.
    """
    # The column is named, because SET NULL on the whole key would clear the tenant as well.
    action = f"set null ({column})" if on_delete == "set null" else on_delete
    op.execute("set local lock_timeout = '5s'")
    for relation in (table, target):
        op.execute(f"alter table {relation} no force row level security")
    op.execute(
        f"alter table {table} add constraint {name or f'fk_{table}_tenant_id_{column}'} "
        f"foreign key (tenant_id, {column}) references {target} (tenant_id, id) on delete {action}"
    )
    for relation in (table, target):
        op.execute(f"alter table {relation} force row level security")


def add_index(op: Any, name: str, table: str, columns: str, *, unique: bool = False) -> None:
    """Add an index to a home's table: within the transaction of the migration, except in a pool.

    There it would keep every tenant's writers waiting. The step that follows each pool's migration finds that the
    empty home has an index more, and builds it concurrently, outside of every transaction.
    """
    if op.get_context().config.attributes["schema"] != POOL:
        op.execute(f"create {'unique ' if unique else ''}index {name} on {table} ({columns})")


def drop_index(op: Any, name: str) -> None:
    """Take back an index that add_index() adds; in a pool it may be unfinished, or not begun."""
    op.execute(f"drop index if exists {name}")


def publish_function(op: Any, signature: str, *roles: str) -> None:
    """Let only the named roles call a definer function."""
    op.execute(f"revoke all on function {signature} from public")
    for role in roles:
        op.execute(f"grant execute on function {signature} to {role}")
