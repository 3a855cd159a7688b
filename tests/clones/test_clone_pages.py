"""Cloning from the platform portal, and what the list, the tenants' pages and the clone's own portal say of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.core import clock
from app.core.tenancy.scopes import TenantRoute, Tier, platform_scope
from app.tenants.models import Tenant
from app.tenants.queries import get_tenant_by_slug
from app.web.hosts import Portal
from tests.clones.acts import EVE, ask, clone, read, set_expiry
from tests.factories import (
    PASSWORD,
    browser,
    deliver_mails,
    host_of,
    link_in,
    make_staff_user,
    sign_in,
    sign_in_as_ada,
    use_cheap_passwords,
)  # fmt: skip
from tests.moves.stock import make_stocked
from tests.page import PageClient
from tests.servers.acts import add_annex
from tests.tenant_rows import insert_tenant, make_tenant_rows, route_of, set_tenant
from tests.work import run_jobs


@pytest.fixture
def ada(app: Portal, annex: str, monkeypatch: pytest.MonkeyPatch) -> PageClient:
    use_cheap_passwords(monkeypatch)
    make_staff_user()
    add_annex()
    return sign_in_as_ada(app)


@pytest.fixture
def acme(ada: PageClient) -> TenantRoute:
    return make_stocked("acme", Tier.POOL, "main")


def fill_in(ada: PageClient, acme: TenantRoute, **fields: str) -> None:
    ada.get(f"/tenants/{acme.tenant_id}/clones/new")
    ada.submit(f"/tenants/{acme.tenant_id}/clones", **fields)


def made(slug: str = "acme-copy") -> Tenant:
    with platform_scope("test"):
        return get_tenant_by_slug(slug)


def test_ada_clones_a_tenant_as_the_form_suggests_it_and_sees_it_arrive(ada: PageClient, acme: TenantRoute) -> None:
    ada.get(f"/tenants/{acme.tenant_id}")
    assert "It has no clones." in ada.text
    fill_in(ada, acme)
    assert "Acme copy is being made; Acme works on meanwhile." in ada.text
    assert [bar.get("value") for bar in ada.select("progress")] == ["0"]
    tenant = made()
    assert (tenant.owner_email, tenant.expires_on) == ("bob@example.com", clock.now().date() + timedelta(days=30))
    run_jobs()
    ada.get(f"/tenants/{tenant.id}")
    assert "Copy from one snapshot and verify" in ada.text
    assert [link.get("href") for link in ada.select("#clones dd a")] == [f"/tenants/{acme.tenant_id}"]
    ada.get(f"/tenants/{acme.tenant_id}")
    assert [link.text for link in ada.select("#clones dd a")] == ["Acme copy"]


def test_the_form_says_what_becomes_of_each_table(ada: PageClient, acme: TenantRoute) -> None:
    ada.get(f"/tenants/{acme.tenant_id}/clones/new")
    titles = [title.text for title in ada.select("dt")]
    assert titles[:6] == ["Audit trail", "Failed sign-ins", "Members", "Roles", "Sessions", "Settings"]
    assert ada.select("input[name=slug]")[0].get("value") == "acme-copy"
    clone(acme)
    ada.get(f"/tenants/{acme.tenant_id}/clones/new")
    assert ada.select("input[name=slug]")[0].get("value") == "acme-copy-2"
    assert "1 of at most 3" in ada.text


def test_everything_on_the_form_can_be_chosen(ada: PageClient, acme: TenantRoute) -> None:
    fill_in(
        ada, acme, name="Acme test", slug="acme-test", owner_name="Eve Adams", owner_email=EVE, names="kept",
        expires_on="", tier="schema", server="annex",
    )  # fmt: skip
    run_jobs()
    tenant = made("acme-test")
    place = route_of(tenant.id).placement
    assert (tenant.name, tenant.expires_on, place.tier, place.server) == ("Acme test", None, "schema", "annex")


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("slug", "acme", "taken"),
        ("expires_on", "2020-01-01", "at most 365 days away"),
        ("expires_on", "tomorrow", "Write a day, such as 2026-12-24."),
        ("owner_email", "nobody", "Write an e-mail address"),
        ("name", "", "Fill in this field."),
    ],
)
def test_a_refusal_stands_beside_its_field(
    ada: PageClient, acme: TenantRoute, field: str, value: str, says: str
) -> None:
    fill_in(ada, acme, **{field: value})
    assert ada.status == 422
    assert says in ada.field_error(field)


def test_a_tenant_with_all_its_clones_says_so_before_and_after_sending(ada: PageClient, acme: TenantRoute) -> None:
    for number in (1, 2, 3):
        ask(acme, slug=f"acme-{number}")
    ada.get(f"/tenants/{acme.tenant_id}/clones/new")
    assert "3 is the most that a tenant may have" in ada.text
    ada.submit(f"/tenants/{acme.tenant_id}/clones")
    assert (ada.status, "Acme has 3 living clones" in ada.text) == (422, True)


def test_one_that_cannot_be_cloned_says_why_instead_of_asking(ada: PageClient, acme: TenantRoute) -> None:
    set_tenant(acme.tenant_id, status="archived")
    ada.get(f"/tenants/{acme.tenant_id}/clones/new")
    assert "Unarchive it first." in ada.text
    assert ada.select("input[name=slug]") == []


def test_an_address_that_is_too_long_for_an_end_is_left_to_be_written(ada: PageClient) -> None:
    ada.get(f"/tenants/{make_tenant_rows('a' * 62).tenant_id}/clones/new")
    assert ada.select("input[name=slug]")[0].get("value") in (None, "")


def test_a_tenant_without_a_home_is_no_source(ada: PageClient, acme: TenantRoute) -> None:
    ada.get(f"/tenants/{insert_tenant('initech', status='requested')}/clones/new")
    assert (ada.status, "Initech has no home to copy." in ada.text) == (409, True)
    clone_id = ask(acme)
    ada.get(f"/tenants/{clone_id}/clones/new")
    assert "It cannot be cloned now" in ada.text


def test_the_list_names_the_source_and_shows_clones_alone(ada: PageClient, acme: TenantRoute) -> None:
    clone(acme)
    ada.get("/tenants?origin=clones")
    assert ("clone of Acme" in ada.text, len(ada.select("tbody tr"))) == (True, 1)
    ada.get("/tenants?origin=originals")
    assert ("clone of Acme" in ada.text, len(ada.select("tbody tr"))) == (False, 1)
    ada.get("/tenants.csv?origin=clones")
    assert '"Acme"' in ada.text.splitlines()[1]


def test_the_day_is_changed_and_taken_away(ada: PageClient, acme: TenantRoute) -> None:
    tenant_id, day = clone(acme).tenant_id, clock.now().date() + timedelta(days=90)
    ada.get(f"/tenants/{tenant_id}/expiry")
    assert "It stays: no day is set." in ada.text
    ada.submit(f"/tenants/{tenant_id}/expiry", expires_on=day.isoformat())
    assert ("The clone has its new day." in ada.text, read(tenant_id).expires_on) == (True, day)
    ada.get(f"/tenants/{tenant_id}/expiry")
    ada.submit(f"/tenants/{tenant_id}/expiry", expires_on="2020-01-01")
    assert (ada.status, "at most 365" in ada.field_error("expires_on")) == (422, True)
    ada.submit(f"/tenants/{tenant_id}/expiry", expires_on="soon")
    assert (ada.status, "Write a day" in ada.field_error("expires_on")) == (422, True)
    ada.submit(f"/tenants/{tenant_id}/expiry", expires_on="")
    assert ("The clone stays." in ada.text, read(tenant_id).expires_on) == (True, None)


def test_an_archived_clone_says_what_is_kept_and_how_it_is_opened_again(ada: PageClient, acme: TenantRoute) -> None:
    tenant_id = clone(acme).tenant_id
    set_tenant(tenant_id, status="archived")
    ada.get(f"/tenants/{tenant_id}")
    assert "An archived clone keeps its data" in ada.text
    ada.get(f"/tenants/{tenant_id}/expiry")
    assert "then unarchive it" in ada.text


def test_what_is_no_clone_has_no_day(ada: PageClient, acme: TenantRoute) -> None:
    ada.get(f"/tenants/{acme.tenant_id}/expiry")
    assert (ada.status, "is no clone" in ada.text) == (409, True)


def test_support_sees_clones_and_makes_none(app: Portal, ada: PageClient, acme: TenantRoute) -> None:
    tenant_id = clone(acme).tenant_id
    make_staff_user("sam@platform.example", role="support", name="Sam Vimes")
    sam = sign_in(app, "admin.localhost", "sam@platform.example")
    sam.get(f"/tenants/{tenant_id}")
    assert ("A clone of" in sam.text, f"/tenants/{tenant_id}/clones/new" in sam.text) == (True, False)
    sam.get(f"/tenants/{tenant_id}/clones/new")
    assert sam.status == 403


def test_the_clones_owner_is_told_by_a_banner_and_members_of_the_source_are_not(
    app: Portal, ada: PageClient, acme: TenantRoute
) -> None:
    tenant = clone(acme)
    mail = [mail for mail in deliver_mails() if mail["To"] == EVE][-1]
    eve = browser(app, host_of(tenant))
    path = link_in(mail).split("localhost:8000")[1]
    eve.get(path)
    eve.submit(path, password=PASSWORD, repeated=PASSWORD)
    eve.get("/")
    assert ("This workspace is a copy" in eve.text, "changes nothing at the workspace" in eve.text) == (True, True)
    set_expiry(tenant.tenant_id, clock.now().date().replace(year=2099, month=3, day=4))
    eve.get("/")
    assert "It closes when 4 Mar 2099 begins." in eve.text
    bob = sign_in(app, host_of(acme), "bob@acme.example")
    bob.get("/")
    assert "This workspace is a copy" not in bob.text
