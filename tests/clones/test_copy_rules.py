"""The rules of a copy: each table is declared by a feature, and one that is not makes the clone refuse."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from uuid import UUID

import pytest

from app.clones import copying
from app.clones.copying import Way
from app.core import copy_rules
from app.core.copy_rules import CopyWay, TableRule, list_copy_rules, recoded, register_copy_rule, switched_off
from app.core.database.owner import owner_connection
from app.core.errors import StateError
from app.core.ids import new_id
from app.core.tenancy.scopes import TenantRoute, Tier
from app.homes.building import place_home, read_template
from app.moves.ends import open_end
from app.moves.extracts import Extract
from app.moves.places import HomeSource
from app.web.hosts import Portal
from tests.clones.acts import ask, read, use_up_attempts
from tests.homes.placing import write_placement
from tests.moves.stock import make_stocked
from tests.tenant_rows import insert_tenant

Block = bytes | bytearray | memoryview
HOOKS = (
    "tenant_id uuid not null, id uuid not null, url text, secret text, active boolean, "
    "constraint pk_hooks primary key (tenant_id, id)"
)


@pytest.fixture
def acme(app: Portal, annex: str) -> TenantRoute:
    """A tenant with a table that no feature has declared, as a product's own migration might add it."""
    acme = make_stocked("acme", Tier.SCHEMA, "main")
    with owner_connection() as owner:
        owner.execute(f"create table {acme.placement.schema}.hooks ({HOOKS})")
        owner.execute(
            f"insert into {acme.placement.schema}.hooks values (%s, %s, %s, %s, true), (%s, %s, null, null, true)",
            (acme.tenant_id, new_id(), "https://a\\b\tc", "s3cret\n", acme.tenant_id, new_id()),
        )
    return acme


@pytest.fixture
def rules(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Rules that are forgotten after the test."""
    monkeypatch.setattr(copy_rules, "_rules", dict(copy_rules._rules))
    return None


def way_to(acme: TenantRoute, tier: Tier = Tier.SCHEMA, server: str = "main") -> Way:
    clone_id = insert_tenant("acme-copy", status="provisioning")
    target = place_home(clone_id, tier, server)
    write_placement(clone_id, target)
    return Way(acme.tenant_id, acme.placement, clone_id, target)


def hooks_of(way: Way) -> list[tuple]:
    with open_end(way.target_id, way.target) as end:
        copying.open_home(way)
        query = f"select url, secret, active from {way.target.schema}.hooks order by url"
        with end.transaction():
            return end.connection.execute(query).fetchall()


def test_every_table_of_the_newest_home_has_a_rule_whose_columns_exist(app: Portal) -> None:
    template = read_template()
    rules = {rule.table: rule for rule in list_copy_rules()}
    assert set(template.tables) <= set(rules)
    for table in template.tables:
        assert set(rules[table].columns) <= set(template.columns(table)), table


def test_a_table_that_no_feature_declared_is_named_and_nothing_is_cloned(acme: TenantRoute) -> None:
    clone_id = ask(acme, tier=Tier.SCHEMA)
    use_up_attempts()
    clone = read(clone_id)
    assert clone.status == "deleted"
    assert "No feature says what a clone does with the table hooks" in clone.status_reason
    with owner_connection() as owner:
        assert owner.execute("select to_regnamespace(%s)", (f"t_{clone_id.hex}",)).fetchone() == (None,)


def test_a_feature_switches_off_what_would_act_on_the_world(acme: TenantRoute, rules: None) -> None:
    register_copy_rule(TableRule("hooks", "Hooks", "Off.", columns={"active": switched_off("false")}))
    way = way_to(acme)
    copying.copy(way, lambda _text: None)
    assert hooks_of(way) == [("https://a\\b\tc", "s3cret\n", False), (None, None, False)]


@pytest.mark.parametrize(("tier", "server"), [(Tier.SCHEMA, "main"), (Tier.DATABASE, "annex")])
def test_a_column_is_rewritten_by_a_function_as_encryption_will_need_it(
    acme: TenantRoute, rules: None, tier: Tier, server: str
) -> None:
    seen: list[tuple[CopyWay, str]] = []

    def turn(way: CopyWay, text: str) -> str:
        seen.append((way, text))
        return text[::-1] + "\\N\r\n"

    register_copy_rule(TableRule("hooks", "Hooks", "Turned.", columns={"secret": recoded(turn)}))
    way = way_to(acme, tier, server)
    copying.copy(way, lambda _text: None)
    assert hooks_of(way) == [("https://a\\b\tc", "\nterc3s\\N\r\n", True), (None, None, True)]
    assert seen == [(CopyWay(acme.tenant_id, way.target_id), "s3cret\n")]


def test_rows_that_would_refer_to_rows_that_stay_behind_are_refused(acme: TenantRoute, rules: None) -> None:
    register_copy_rule(TableRule("hooks", "Hooks", "Copied."))
    register_copy_rule(TableRule("roles", "Roles", "None.", is_emptied=True))
    with pytest.raises(StateError, match="takes the rows of members and none of roles, to which their role_id leads"):
        copying.check(way_to(acme))


def test_a_rule_whose_rows_refer_to_none_is_found_before_anybody_sees_them(acme: TenantRoute, rules: None) -> None:
    register_copy_rule(TableRule("hooks", "Hooks", "Copied."))
    stray = {"role_id": copy_rules.renewed(f"'{UUID(int=7)}'::uuid")}
    register_copy_rule(TableRule("members", "Members", "Astray.", columns=stray))
    way = way_to(acme)
    with pytest.raises(StateError, match="of table members refers to a row of roles that does not exist"):
        copying.copy(way, lambda _text: None)
    with owner_connection() as owner:
        assert owner.execute("select to_regnamespace(%s)", (way.target.schema,)).fetchone() == (None,)


def test_a_copy_that_lacks_a_row_is_found(acme: TenantRoute, rules: None, monkeypatch: pytest.MonkeyPatch) -> None:
    register_copy_rule(TableRule("hooks", "Hooks", "Copied.", columns={"secret": recoded(lambda _way, text: text)}))
    read = HomeSource.read

    def read_less(self: HomeSource, extract: Extract) -> Iterator[Block]:
        # Text, so that each block is one row.
        return itertools.islice(read(self, extract), 1) if extract.recoded else read(self, extract)

    monkeypatch.setattr(HomeSource, "read", read_less)
    with pytest.raises(StateError, match="Table hooks has 2 rows at the source and 1 copied"):
        copying.copy(way_to(acme), lambda _text: None)
