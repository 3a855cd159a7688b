"""The list as CSV: all of it as narrowed and ordered, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io

from tests.tenants.registry import counted_statements, register


def rows_at(client, address):
    """Return the rows of an export, each by its header."""
    return list(csv.DictReader(io.StringIO(client.get(address).text)))


def test_the_export_holds_every_row_and_not_only_a_page(ada, add_tenants):
    add_tenants(1_234)
    rows = rows_at(ada, "/tenants.csv?sort=slug&cursor=ignored")
    assert [row["slug"] for row in rows] == [f"tenant-{number:05}" for number in range(1, 1_235)]


def test_the_export_asks_once_however_many_rows_there_are(ada, add_tenants):
    add_tenants(2_000)
    with counted_statements() as asked:
        ada.get("/tenants.csv")
    assert sum("array(" in statement for statement in asked) == 1


def test_the_export_keeps_search_and_filters(ada):
    register("acme", tags=["vip", "beta"], owner_email="bob@acme.example")
    register("globex")
    (row,) = rows_at(ada, "/tenants.csv?q=ac&tag=vip")
    assert (row["slug"], row["tags"], row["owner_email"]) == ("acme", "beta vip", "bob@acme.example")


def test_no_cell_is_a_formula(ada):
    register("acme", name='=HYPERLINK("http://evil.example","click")')
    (row,) = rows_at(ada, "/tenants.csv")
    assert row["name"] == '\'=HYPERLINK("http://evil.example","click")'


def test_the_export_comes_as_a_file_of_its_day(ada):
    page = ada.get("/tenants.csv")
    assert page.response.mimetype == "text/csv"
    assert "attachment; filename=tenants-20" in page.response.headers["Content-Disposition"]


def test_support_may_export_what_it_may_read(sam):
    register("acme")
    assert len(rows_at(sam, "/tenants.csv")) == 1
