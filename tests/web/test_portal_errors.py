"""Somebody who is signed in keeps the portal around an error; where one is stands out in its navigation."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.plans.services import seed_catalogue
from app.web.context import make_support_link
from app.web.hosts import Portal
from tests.factories import (
    ADMIN_HOST,
    browser,
    host_of,
    make_bob,
    make_member,
    make_staff_user,
    make_tenant,
    sign_in,
    sign_in_as_ada,
    sign_in_as_bob,
    use_cheap_passwords,
)
from tests.page import PageClient

NOBODY = "018f0000-0000-7000-8000-000000000000"


@pytest.fixture
def acme(app: Portal, monkeypatch: pytest.MonkeyPatch) -> TenantRoute:
    use_cheap_passwords(monkeypatch)
    with platform_scope("test"):
        seed_catalogue()
    return make_tenant("acme")


@pytest.fixture
def ada(app: Portal, acme: TenantRoute) -> PageClient:
    make_staff_user()
    return sign_in_as_ada(app)


@pytest.fixture
def bob(app: Portal, acme: TenantRoute) -> PageClient:
    make_bob(acme)
    return sign_in_as_bob(app, acme)


def marked(client: PageClient, path: str) -> list[str]:
    """Return the entries of the navigation that stand out on a page."""
    entries = client.get(path).select(".nav-main a")
    return [entry.get("href") for entry in entries if entry.get("aria-current")]


@pytest.mark.parametrize("path", ["/nothing-here", f"/tenants/{NOBODY}"])
def test_staff_keep_the_portal_around_a_missing_page(ada: PageClient, path: str) -> None:
    page = ada.get(path)
    assert (page.status, bool(page.select("nav.nav-main"))) == (404, True)
    assert "404" in page.texts("h1")[0]


def test_support_keeps_the_portal_around_what_is_not_allowed(app: Portal, acme: TenantRoute) -> None:
    make_staff_user("sam@platform.example", role="support", name="Sam")
    page = sign_in(app, ADMIN_HOST, "sam@platform.example").get("/tenants/new")
    assert (page.status, bool(page.select("nav.nav-main"))) == (403, True)


def test_members_keep_the_portal_of_their_tenant(app: Portal, acme: TenantRoute) -> None:
    make_member(acme, "dora@acme.example")
    page = sign_in(app, host_of(acme), "dora@acme.example").get("/settings")
    assert (page.status, bool(page.select("nav.nav-main")), acme.slug.capitalize() in page.title) == (403, True, True)


def test_visitors_get_no_portal(app: Portal, acme: TenantRoute) -> None:
    for host in (ADMIN_HOST, host_of(acme), "localhost"):
        page = browser(app, host).get("/nothing-here")
        assert (page.status, page.select("nav.nav-main")) == (404, [])


def test_a_fault_of_ours_asks_nobody_who_is_looking(app: Portal, ada: PageClient, monkeypatch) -> None:
    def break_down(**_given: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setitem(app.view_functions, "tenants_admin.list_tenants", break_down)
    monkeypatch.setattr(
        break_down, "tenantry_access", app.view_functions["staff_admin.show_account"].tenantry_access, raising=False
    )
    page = ada.get("/tenants")
    assert (page.status, page.select("nav.nav-main")) == (500, [])


@pytest.mark.parametrize(
    ("contact", "href"),
    [
        ("help@example.com", "mailto:help@example.com"),
        ("https://help.example.com/tickets", "https://help.example.com/tickets"),
    ],
)
def test_an_error_names_those_who_help(app: Portal, ada: PageClient, monkeypatch, contact: str, href: str) -> None:
    assert not ada.get("/nothing-here").select(".error-support")
    monkeypatch.setitem(app.jinja_env.globals, "support", make_support_link(contact))
    for client in (ada, browser(app, "localhost")):
        (link,) = client.get("/nothing-here").select(".error-support a")
        assert link.get("href") == href


@pytest.mark.parametrize(
    ("path", "entries"),
    [
        ("/", ["/"]),
        ("/tenants", ["/tenants"]),
        ("/tenants/new", ["/tenants"]),
        (f"/tenants/{NOBODY}", ["/tenants"]),
        ("/staff/roles", ["/staff"]),
        ("/account", []),
        ("/account/password", []),
        ("/nothing-here", []),
    ],
)
def test_the_platforms_navigation_marks_where_one_is(ada: PageClient, path: str, entries: list[str]) -> None:
    assert marked(ada, path) == entries


@pytest.mark.parametrize(
    ("path", "entries"),
    [
        ("/", ["/"]),
        ("/members/new-invitation", ["/members"]),
        ("/roles", ["/members"]),
        ("/profile", []),
        ("/profile/sessions", []),
    ],
)
def test_a_tenants_navigation_marks_where_one_is(bob: PageClient, path: str, entries: list[str]) -> None:
    assert marked(bob, path) == entries
