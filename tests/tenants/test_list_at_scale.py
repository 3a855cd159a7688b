"""The list over 10,000 tenants: as many statements as over none, and an index for every one of them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.dialects import postgresql
from werkzeug.datastructures import MultiDict

from app.core.database.session import db
from app.core.tenancy.scopes import platform_scope
from app.tenants.queries import choices, listing
from app.web.tables import TableState
from tests.tenants.registry import counted_statements, register

COUNT = 10_000
NARROWED = [
    {},
    {"q": "name a"},
    {"q": "tenant-000"},
    {"q": "no such"},
    {"q": "bob77@example.com"},
    {"status": "active"},
    {"status": "suspended"},
    {"plan": "team"},
    {"region": "us-east"},
    {"q": "name 5", "status": "suspended", "plan": "team", "region": "us-east"},
]


SORTS = ["-created", "created", "name", "-name", "slug", "-slug"]
TAGGED = [{"tag": "tag-03"}, {"tag": "no such"}, {"tag": "tag-03", "status": "suspended"}]


@pytest.fixture
def many(add_tenants: Any) -> None:
    add_tenants(COUNT)


def state_of(sort: str, args: dict[str, str]) -> TableState:
    filters = dict.fromkeys(listing.FILTERS)
    return TableState.from_args(MultiDict({"sort": sort, **args}), sorts=list(listing.SORTS), filters=filters)


def plan_of(statement: Any, options: str = "") -> list[dict[str, Any]]:
    """Return the nodes of the plan that the platform login gets for a statement."""
    compiled = statement.compile(dialect=postgresql.psycopg.dialect(), compile_kwargs={"literal_binds": True})
    rows = db.session.connection().exec_driver_sql(f"explain ({options}format json) {compiled}".replace("%", "%%"))
    return list(nodes_of(rows.scalar_one()[0]["Plan"]))


def nodes_of(node: dict[str, Any]) -> Any:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes_of(child)


@pytest.mark.parametrize("sort", SORTS)
def test_every_page_of_the_list_is_served_by_an_index(many, sort):
    with platform_scope("test"):
        plans = [plan_of(listing.page_statement(state_of(sort, args))) for args in NARROWED]
    scanned = {node["Relation Name"] for nodes in plans for node in nodes if node["Node Type"] == "Seq Scan"}
    assert scanned <= {"plans"}


@pytest.mark.parametrize("statement", [listing.page_statement, listing.count_statement])
def test_a_tag_is_found_in_its_own_index(many, statement):
    with platform_scope("test"):
        plans = [plan_of(statement(state_of("-created", args))) for args in TAGGED]
    for nodes in plans:
        assert "ix_tenant_tags_tag_tenant_id" in [node.get("Index Name") for node in nodes]


def test_a_page_far_down_is_served_by_the_index_of_its_order(many):
    with platform_scope("test"):
        statement = listing.page_statement(state_of("slug", {}), ("tenant-09000",))
        nodes = plan_of(statement)
    assert any("tenant-09000" in str(node.get("Index Cond")) for node in nodes)


def test_search_reaches_the_index_under_row_level_security(many):
    with platform_scope("test"):
        nodes = plan_of(listing.page_statement(state_of("-created", {"q": "name abc"})))
    conditions = [str(node.get("Index Cond")) for node in nodes]
    assert any("name_search >=" in condition and "name_search <" in condition for condition in conditions)


def test_counting_stops_at_its_bound(many):
    with platform_scope("test"):
        nodes = plan_of(listing.count_statement(state_of("-created", {})), "analyze, ")
    read = [node["Actual Rows"] for node in nodes if node.get("Relation Name") == "tenants"]
    assert read == [listing.MOST_COUNTED + 1]


@pytest.mark.parametrize("query", ["", "?q=name", "?status=active&tag=tag-03", "?sort=name&plan=team"])
def test_a_page_asks_as_much_over_ten_thousand_tenants_as_over_two(ada, add_tenants, query):
    register("acme")
    register("globex")
    with counted_statements() as few:
        ada.get(f"/tenants{query}")
    add_tenants(COUNT)
    with counted_statements() as many:
        ada.get(f"/tenants{query}")
    assert len(many) == len(few)


def test_the_choices_cost_a_probe_a_value(many):
    with platform_scope("test"):
        assert choices.list_regions() == ["ap-south", "eu-central", "us-east"]
        assert len(choices.list_used_tags()) == 40
        assert listing.count_tenants(state_of("slug", {"tag": "tag-03"})).count == COUNT // 40
