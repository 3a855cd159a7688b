"""The list of tenants: search, filters, order, pages and what it says when there is nothing."""

from __future__ import annotations

import pytest

from app.web.tables import Cursor, encode_cursor
from tests.factories import browser
from tests.page import PageClient
from tests.tenants.registry import register


def names_on(page: PageClient, address: str = "/tenants") -> list[str]:
    """Return the slugs that the list shows at an address."""
    return page.get(address).texts("td[data-label=Address]")


def test_an_empty_registry_says_what_to_do_next(ada):
    ada.get("/tenants")
    assert "No tenants yet" in ada.text
    assert ada.select(".empty-state a[href=/tenants/new]")


def test_a_list_without_a_match_offers_to_clear_the_filters(ada):
    register("acme")
    ada.get("/tenants?q=zebra&status=active")
    assert "No tenant matches" in ada.text
    assert ada.select(".empty-state a[href=/tenants]")


def test_newest_tenants_come_first(ada):
    register("acme")
    register("globex")
    assert names_on(ada) == ["globex", "acme"]


@pytest.mark.parametrize("search", ["Acme", "acme s", "  ACME  St", "roadrun", "ROADRUNNER"])
def test_search_finds_the_beginning_of_a_name_or_of_an_address(ada, search):
    register("roadrunner", name="Acme  Stores")
    register("globex")
    assert names_on(ada, f"/tenants?q={search}") == ["roadrunner"]


def test_search_composes_what_looks_the_same(ada):
    register("cafe", name="Café Ole")
    assert names_on(ada, "/tenants?q=Cafe%CC%81") == ["cafe"]


@pytest.mark.parametrize("search", ["stores", "%25", "_cme", "cme"])
def test_search_does_not_look_inside_of_names(ada, search):
    register("acme", name="Acme Stores")
    assert names_on(ada, f"/tenants?q={search}") == []


def test_search_finds_the_whole_address_of_an_owner_only(ada):
    register("acme", owner_email="Bob@Example.com")
    assert names_on(ada, "/tenants?q=bob@EXAMPLE.com") == ["acme"]
    assert names_on(ada, "/tenants?q=bob@example.co") == []


@pytest.mark.parametrize("query", ["status=suspended", "plan=team", "region=us-east", "tag=vip"])
def test_each_filter_leaves_the_tenants_that_have_it(ada, query):
    register("acme", status="suspended", plan="team", region="us-east", tags=["vip"])
    register("globex", region="eu-central")
    assert names_on(ada, f"/tenants?{query}") == ["acme"]


def test_filters_and_search_add_up(ada):
    register("acme", tags=["vip"])
    register("acrobat", tags=["beta"])
    assert names_on(ada, "/tenants?q=ac&tag=vip&status=active&plan=starter") == ["acme"]


def test_the_filters_offer_what_tenants_have(ada):
    register("acme", region="us-east", tags=["vip"])
    page = ada.get("/tenants?tag=vip")
    assert page.texts("#filter-region option") == ["Region: any", "US East"]
    assert page.texts("#filter-tag option[selected]") == ["vip"]


def test_what_no_filter_knows_is_no_filter(ada):
    register("acme")
    assert names_on(ada, "/tenants?status=happy&sort=shoe-size&cursor=rubbish&tag=%00") == ["acme"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["zeta", "acme", "mid"]),
        ("-name", ["mid", "acme", "zeta"]),
        ("slug", ["acme", "mid", "zeta"]),
        ("-slug", ["zeta", "mid", "acme"]),
        ("created", ["mid", "zeta", "acme"]),
        ("-created", ["acme", "zeta", "mid"]),
    ],
)
def test_each_order_goes_both_ways(ada, sort, expected):
    for slug, name in (("mid", "Ćeta"), ("zeta", "alpha"), ("acme", "Beta")):
        register(slug, name=name)
    assert names_on(ada, f"/tenants?sort={sort}") == expected


def follow(page, link):
    """Return the slugs of each page that a link leads to from here, at most nine."""
    found = []
    while page.select(link) and len(found) < 9:
        found.append(names_on(page, page.select(link)[0].get("href")))
    return found


@pytest.mark.parametrize("sort", ["created", "-created", "name", "-name", "slug", "-slug"])
def test_pages_forward_and_back_show_each_tenant_once(ada, add_tenants, sort):
    add_tenants(120)
    forward = [names_on(ada, f"/tenants?sort={sort}"), *follow(ada, "#page-next[href]")]
    back = [forward[-1], *follow(ada, "#page-previous[href]")]
    assert [len(page) for page in forward] == [50, 50, 20]
    assert len({slug for page in forward for slug in page}) == 120
    assert back == forward[::-1]


def test_the_links_of_a_page_keep_search_filters_and_order(ada, add_tenants):
    add_tenants(120)
    ada.get("/tenants?q=tenant&status=active&sort=slug")
    assert "q=tenant&status=active&sort=slug&cursor=" in ada.select("#page-next")[0].get("href")
    assert ada.select("#tenant-table-sort-slug")[0].get("href") == "/tenants?q=tenant&status=active&sort=-slug"
    assert ada.select("a[href='/tenants.csv?q=tenant&status=active&sort=slug']")


@pytest.mark.parametrize(
    "cursor",
    [
        "not-base64!",
        "e30",
        encode_cursor(Cursor(("x", "y")), "-created"),
        encode_cursor(Cursor(("'; drop table control.tenants; --",)), "slug"),
        "A" * 5_000,
    ],
)
def test_a_forged_cursor_shows_the_first_page(ada, cursor):
    register("acme")
    assert names_on(ada, f"/tenants?cursor={cursor}") == ["acme"]


def test_the_count_is_exact_up_to_its_bound_and_honest_above(ada, add_tenants):
    add_tenants(1_001)
    assert "More than 1,000 tenants" in ada.get("/tenants").text
    assert "100 tenants" in ada.get("/tenants?status=suspended").texts(".list-total")


def test_one_tenant_is_counted_as_one(ada):
    register("acme")
    assert ada.get("/tenants").texts(".list-total") == ["1 tenant"]


def test_deleted_tenants_are_shown_to_whoever_asks_for_them(ada):
    register("acme", status="deleted")
    assert names_on(ada) == []
    assert names_on(ada, "/tenants?status=deleted") == ["acme"]


def test_typing_swaps_the_table_alone(ada):
    register("acme")
    page = ada.get("/tenants?q=ac&sort=name", fragment=True)
    assert page.texts("td[data-label=Address]") == ["acme"]
    assert not page.select("#filter")
    assert page.select("input[form=filter]")[0].get("value") == "name"


def test_support_sees_the_list_and_none_of_its_actions(sam):
    register("acme")
    page = sam.get("/tenants")
    assert page.texts("td[data-label=Address]") == ["acme"]
    assert not page.select("#bulk")
    assert not page.select("a[href=/tenants/new]")


def test_who_is_signed_out_is_asked_to_sign_in_and_comes_back(app):
    page = browser(app, "admin.localhost").get("/tenants?q=acme", follow=False)
    assert page.status == 303
    assert page.response.location.endswith("/sign-in?next=%2Ftenants%3Fq%3Dacme")
