"""One wall is taken down, and the attacks say in which table: a suite that nothing could make red proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import pytest

from app.core.database.owner import owner_connection
from app.core.tenancy.scopes import Tier
from tests.isolation import raids
from tests.isolation.grounds import Ground, every_tier, ground, grounds, home_of

__all__ = ["ground", "grounds"]
OPEN = "create policy wide on {table} using (true) with check (true)"
CLOSE = "drop policy wide on {table}"
READ = "create policy wide on {table} for select using (true)"
OFF = ("alter table {table} disable row level security", "alter table {table} enable row level security")
# What is switched off and on again, and the raid that has to notice.
HOLES: dict[str, tuple[str, str, Callable[[Ground], Iterable[str]]]] = {
    "row-level security off, read": (*OFF, lambda ground: raids.row_faults(ground, "select")),
    "row-level security off, written": (*OFF, lambda ground: raids.row_faults(ground, "insert")),
    "row-level security off, copied": (*OFF, raids.copy_faults),
    "row-level security off, planted": (*OFF, lambda ground: raids.row_faults(ground, "insert or nothing")),
    "a second policy, read": (READ, CLOSE, lambda ground: raids.sweep_faults(ground, "select")),
    "a second policy, deleted": (OPEN, CLOSE, lambda ground: raids.row_faults(ground, "delete")),
    "a second policy, updated": (OPEN, CLOSE, lambda ground: raids.row_faults(ground, "update")),
    "a second policy, upserted": (OPEN, CLOSE, lambda ground: raids.row_faults(ground, "upsert")),
}
# What PostgreSQL takes for a good key, and what lets one tenant refer to another's row.
PLAIN_KEY = """
alter table {schema}.roles add constraint plain_target unique (id);
alter table {schema}.members drop constraint fk_members_tenant_id_role_id, add constraint fk_members_tenant_id_role_id
    foreign key (role_id) references {schema}.roles (id) on delete cascade not valid
"""
WHOLE_KEY = """
alter table {schema}.members drop constraint fk_members_tenant_id_role_id, add constraint fk_members_tenant_id_role_id
    foreign key (tenant_id, role_id) references {schema}.roles (tenant_id, id) not valid;
alter table {schema}.roles drop constraint plain_target
"""
FUNCTION = "select pg_get_functiondef('tenancy.current_tenant()'::regprocedure)"
SIGNATURE = "if length(raw) > 133 or not exists ("


@contextmanager
def changed(ground: Ground, change: str, undo: str) -> Iterator[None]:
    """Change Globex's home as a careless migration would, for the length of the block."""
    with owner_connection(home_of(ground.globex).address) as owner:
        owner.execute(change)
        try:
            yield
        finally:
            owner.execute(undo)


@pytest.mark.parametrize("ground", [Tier.POOL, Tier.SCHEMA], indirect=True, ids=str)
@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_in_one_table_is_named(ground: Ground, hole: str) -> None:
    change, undo, raid = HOLES[hole]
    table = f"{home_of(ground.globex).schema}.settings"
    with changed(ground, change.format(table=table), undo.format(table=table)):
        found = list(raid(ground))
    assert found
    assert all(fault.startswith(table) for fault in found), found


@pytest.mark.parametrize("ground", [Tier.SCHEMA], indirect=True, ids=str)  # Whose tables are dropped afterwards.
def test_a_key_without_the_tenant_is_named(ground: Ground) -> None:
    schema = home_of(ground.globex).schema
    with changed(ground, PLAIN_KEY.format(schema=schema), WHOLE_KEY.format(schema=schema)):
        found = list(raids.row_faults(ground, "reference"))
    assert f"{schema}.members" in "".join(found)


@every_tier
def test_a_database_that_does_not_check_signatures_is_noticed(ground: Ground, grounds: dict[Tier, Ground]) -> None:
    with owner_connection(home_of(ground.globex).address) as owner:
        row = owner.execute(FUNCTION).fetchone()
    assert row is not None
    whole = row[0]
    assert SIGNATURE in whole
    with changed(ground, whole.replace(SIGNATURE, "if false and not exists ("), whole):
        found = list(raids.replay_faults(ground, grounds))
    assert found
    assert list(raids.replay_faults(ground, grounds)) == []
