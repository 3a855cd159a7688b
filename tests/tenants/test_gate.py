"""The gate of a tenant's portal: what each status lets through, for people and for programs."""

from __future__ import annotations

import pytest

from app.core.tenancy.scopes import platform_scope
from app.tenants import services
from app.web.context import make_support_link
from app.web.static import static_url
from tests.factories import (
    BOB,
    SETUP,
    browser,
    make_bob,
    make_member,
    make_tenant,
    sign_in,
    sign_in_as_bob,
    use_cheap_passwords,
)
from tests.tenant_rows import make_tenant_rows, owner_connection, route_of, set_tenant
from tests.tenants.registry import register

HOST = "acme.localhost"
PUBLIC = "http://localhost:8000/"
UNREADY = {"requested": "Confirm the sign-up first", "provisioning": "is being prepared", "failed": "is not ready yet"}


@pytest.fixture
def visitor(app):
    """Somebody who opens Acme's portal."""
    return browser(app, HOST)


@pytest.mark.parametrize("status", ["active", "past_due"])
def test_an_open_tenant_lets_everybody_come_as_far_as_its_sign_in(visitor, status):
    make_tenant_rows("acme", status=status)
    assert visitor.get("/", follow=False).response.location == "/sign-in"


@pytest.mark.parametrize("status", UNREADY)
def test_a_tenant_without_a_home_yet_says_so_and_when_to_come_back(visitor, status):
    register("acme", status=status)
    page = visitor.get("/members")
    assert page.status == 503
    assert UNREADY[status] in page.text
    assert int(page.response.headers["Retry-After"]) > 0


def test_the_page_of_a_tenant_that_is_being_prepared_asks_by_itself(visitor):
    register("acme", status="provisioning")
    page = visitor.get("/")
    assert page.select("#preparing[hx-get=/preparing]")
    assert page.select("noscript")
    assert visitor.get("/preparing", fragment=True).select("#preparing")


def test_once_the_tenant_is_open_the_question_leads_to_its_start_page(visitor):
    make_tenant_rows("acme")
    assert visitor.get("/preparing", fragment=True, follow=False).response.headers["HX-Redirect"] == "/"
    assert visitor.get("/preparing", follow=False).response.location == "/"


def test_a_suspended_tenant_tells_strangers_only_whom_to_ask(visitor):
    tenant_id = make_tenant_rows("acme").tenant_id
    with platform_scope("test"):
        services.suspend_tenant(tenant_id, reason="Two invoices are <unpaid>.", actor=SETUP)
    for path in ("/", "/members", "/no-such-page"):
        page = visitor.get(path)
        assert page.status == 403
        assert "invoices" not in page.text
        assert "the team that runs this platform" in page.text
        assert page.select("a[href=/sign-in]")


def test_who_works_there_signs_in_and_reads_why(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    acme = make_tenant("acme")
    make_bob(acme)
    make_member(acme, "dora@acme.example")
    with platform_scope("test"):
        services.suspend_tenant(acme.tenant_id, reason="Two invoices are <unpaid>.", actor=SETUP)
    for email, sees_details in ((BOB, True), ("dora@acme.example", False)):
        page = sign_in(app, HOST, email).get("/members")
        assert (page.status, "Two invoices are <unpaid>." in page.text) == (403, True)
        assert bool(page.select("a[href=/suspended]")) is sees_details


def test_a_member_who_is_signed_in_sees_it_at_the_next_page(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    acme = make_tenant("acme")
    make_bob(acme)
    bob = sign_in_as_bob(app, acme)
    assert bob.get("/").status == 200
    with platform_scope("test"):
        services.suspend_tenant(acme.tenant_id, reason="Unpaid.", actor=SETUP)
    assert bob.get("/").status == 403
    with platform_scope("test"):
        services.reactivate_tenant(acme.tenant_id, actor=SETUP)
    assert bob.get("/").status == 200


def test_signing_in_and_out_stay_possible_while_suspended(visitor):
    make_tenant_rows("acme", status="suspended")
    assert visitor.get("/sign-in").status == 200
    assert visitor.get("/suspended", follow=False).status == 303
    assert visitor.get("/sign-ins").status == 403
    assert visitor.client.post("/sign-out", base_url=f"http://{HOST}").status_code == 400


def test_a_suspension_without_words_says_that_none_were_given(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    acme = make_tenant("acme")
    make_bob(acme)
    set_tenant(acme.tenant_id, status="suspended")
    assert "No reason was given." in sign_in_as_bob(app, acme).get("/").text


def test_a_closed_portal_leads_to_the_public_site(visitor):
    make_tenant_rows("acme", status="archived")
    page = visitor.get("/members")
    assert [link.get("href") for link in page.select(".error-actions a") + page.select("a.brand")] == [PUBLIC] * 2


def test_those_who_help_are_named_where_the_settings_name_them(app, visitor, monkeypatch):
    monkeypatch.setitem(app.jinja_env.globals, "support", make_support_link("help@example.com"))
    for status in ("suspended", "archived"):
        make_tenant_rows(f"t-{status}", status=status)
        assert browser(app, f"t-{status}.localhost").get("/").select("a[href=mailto:help@example.com]")


def test_style_and_scripts_come_through(visitor):
    for status in ("suspended", "archived", "provisioning"):
        make_tenant_rows(f"t-{status}", status=status)
        answer = visitor.client.get(static_url("css/app.css"), base_url=f"http://t-{status}.localhost", buffered=True)
        assert answer.status_code == 200


@pytest.mark.parametrize(("status", "code"), [("archived", 403), ("deleting", 410), ("deleted", 404)])
def test_a_closed_tenant_answers_nobody(visitor, status, code):
    make_tenant_rows("acme", status=status)
    assert visitor.get("/").status == code
    assert visitor.get("/sign-in").status == code


@pytest.mark.parametrize(
    ("status", "code"),
    [("requested", 503), ("provisioning", 503), ("failed", 503), ("suspended", 403), ("archived", 403),
     ("deleting", 410), ("deleted", 404)],
)  # fmt: skip
def test_programs_get_the_same_as_problem_json(visitor, status, code):
    make_tenant_rows("acme", status=status)
    response = visitor.get("/api/members").response
    assert (response.status_code, response.mimetype) == (code, "application/problem+json")
    assert response.json["status"] == code


def test_a_suspended_program_without_a_session_is_not_told_the_reason(visitor):
    tenant_id = make_tenant_rows("acme", status="suspended").tenant_id
    set_tenant(tenant_id, status_reason="Unpaid.")
    assert visitor.get("/api/members").response.json["detail"] == "Who works here is told why after signing in."


def test_posts_stop_at_the_gate_too(visitor):
    make_tenant_rows("acme", status="archived")
    assert visitor.client.post("/sign-in", base_url=f"http://{HOST}").status_code == 403


def test_a_cookie_of_before_asks_no_home_that_is_not_there(app, visitor):
    register("acme", status="provisioning")
    visitor.client.set_cookie(app.config["SESSION_COOKIE_NAME"], "x.y.z", domain=HOST)
    assert visitor.get("/").status == 503


def test_other_surfaces_have_no_gate(app):
    assert browser(app, "localhost").get("/").status == 200


def test_a_tenant_whose_home_has_no_place_yet_is_being_prepared(visitor):
    acme = make_tenant_rows("acme", status="provisioning")
    with owner_connection() as connection:
        connection.execute("delete from control.placements where tenant_id = %s", (acme.tenant_id,))
    assert route_of(acme.tenant_id).placement is None
    assert "is being prepared" in visitor.get("/").text
