"""A platform admin onboards a tenant in one form."""

from __future__ import annotations

import threading
from urllib.parse import urlencode

import pytest

from app.audit.models import ControlAuditEvent
from app.core.actors import Actor
from app.core.errors import ConflictError, InputError
from app.core.tenancy.scopes import platform_scope
from app.onboarding.services import onboard_tenant
from app.plans.services import seed_catalogue
from app.tenants.models import Tenant
from app.tenants.services import TenantDraft
from tests.factories import (
    ADMIN_HOST,
    actions_of,
    make_staff_user,
    rows_of,
    sign_in,
    sign_in_as_ada,
    use_cheap_passwords,
)

FORM = {"name": "Acme", "slug": "acme", "owner_name": "Bob", "owner_email": "bob@acme.example", "plan": "team"}


@pytest.fixture
def ada(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    with platform_scope("test"):
        seed_catalogue()
    make_staff_user()
    return sign_in_as_ada(app)


def onboard(ada, **changes):
    ada.get("/tenants/new")
    ada.submit("/tenants", **(FORM | changes))


def draft(slug="acme", key="test:1"):
    return TenantDraft(slug, slug, "Bob", "bob@acme.example", "team", submission_key=key)


def test_the_form_makes_a_tenant_and_leads_to_its_page(ada):
    onboard(ada, region="us-east", time_zone="America/New_York", currency="USD")
    assert ada.page.url.split("/")[-2:-1] == ["tenants"]
    (tenant,) = rows_of(Tenant)
    assert (tenant.slug, tenant.region, tenant.time_zone, tenant.currency) == (
        "acme",
        "us-east",
        "America/New_York",
        "USD",
    )


def test_what_is_left_empty_is_the_plans(ada):
    onboard(ada)
    (tenant,) = rows_of(Tenant)
    assert (tenant.region, tenant.time_zone, tenant.currency) == ("eu-central", "Europe/Berlin", "EUR")


def test_onboarding_is_recorded_with_the_admin(ada):
    onboard(ada)
    events = [event for event in rows_of(ControlAuditEvent) if event.tenant_id]
    assert actions_of(events) == ["tenant.created", "operation.started"]
    assert {event.actor_label for event in events} == {"ada@platform.example"}


def test_a_slug_taken_between_check_and_submit_stands_beside_its_field(ada):
    ada.get("/tenants/new")
    form = ada.page
    onboard(ada)
    ada.page = form
    ada.submit("/tenants", **(FORM | {"name": "Another"}))
    assert ada.status == 422
    assert ada.field_error("slug")


def test_the_same_form_sent_twice_leads_to_one_tenant(ada):
    ada.get("/tenants/new")
    form = ada.page
    ada.submit("/tenants", **FORM)
    first, ada.page = ada.page.url, form
    ada.submit("/tenants", **FORM)
    assert ada.page.url == first
    assert len(rows_of(Tenant)) == 1


def test_a_form_whose_key_was_tampered_with_is_asked_for_again(ada):
    onboard(ada, submission="no-uuid")
    assert ada.status == 422
    assert rows_of(Tenant) == []


def test_a_form_that_made_a_tenant_does_not_make_another_one(app):
    with platform_scope("test"):
        seed_catalogue()
        onboard_tenant(draft("acme"), actor=Actor.system("test"))
        with pytest.raises(ConflictError):
            onboard_tenant(draft("globex"), actor=Actor.system("test"))


@pytest.mark.parametrize("keys", [("test:1", "test:2"), ("test:1", "test:1")], ids=["two forms", "one form twice"])
def test_a_race_for_one_slug_has_one_winner(app, keys):
    with platform_scope("test"):
        seed_catalogue()
    outcomes = []

    start = threading.Barrier(2)

    def race(key):
        with app.app_context(), platform_scope("test"):
            start.wait()
            try:
                outcomes.append(onboard_tenant(draft(key=key), actor=Actor.system("test")))
            except InputError as error:
                outcomes.append(error.field)

    threads = [threading.Thread(target=race, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows_of(Tenant)) == 1
    assert len(set(outcomes)) == (2 if keys[0] != keys[1] else 1), outcomes
    assert ("slug" in outcomes) is (keys[0] != keys[1])


def test_support_staff_may_not_onboard(app, ada):
    make_staff_user("sam@platform.example", role="support", name="Sam")
    sam = sign_in(app, ADMIN_HOST, "sam@platform.example")
    sam.get("/tenants/new")
    assert sam.status == 403


def test_the_live_check_answers_while_the_address_is_typed(ada):
    onboard(ada)
    for slug, words in (("globex", "is free"), ("acme", "taken"), ("-x", "")):
        ada.get(f"/tenants/slug-checks?slug={slug}", fragment=True)
        assert words in ada.text


def test_an_address_that_was_left_out_is_made_from_the_name_and_confirmed(ada):
    onboard(ada, name="Zürich & Söhne", slug="")
    assert (ada.status, rows_of(Tenant)) == (422, [])
    assert "made from the name" in ada.field_error("slug")
    ada.submit("/tenants")
    assert [tenant.slug for tenant in rows_of(Tenant)] == ["zurich-and-sohne"]


def test_without_a_name_to_make_it_from_the_address_is_asked_for(ada):
    onboard(ada, name="株式会社", slug="")
    assert (ada.status, ada.field_error("slug")) == (422, "Fill in this field.")


def suggest(ada, **values):
    """Ask as htmx does while the name is typed; return the address in the field, None where it stays as it is."""
    page = ada.get(f"/tenants/slug-suggestions?{urlencode(values)}", fragment=True)
    return page.select("[name=slug]")[0].get("value") if page.status == 200 else None


def test_an_address_is_offered_while_the_name_is_typed(ada):
    assert suggest(ada, name="Acme", slug="", suggested="") == "acme"
    assert "“acme” is free." in ada.text
    assert ada.select("[name=suggested]")[0].get("value") == "acme"
    assert suggest(ada, name="Acme Inc", slug="acme", suggested="acme") == "acme-inc"
    assert suggest(ada, name="", slug="acme", suggested="acme") == ""


def test_an_address_that_somebody_wrote_themselves_stays(ada):
    assert suggest(ada, name="Acme Inc", slug="mine", suggested="acme") is None


def test_a_namesake_is_offered_a_number_until_there_are_too_many(ada):
    for number, offered in enumerate(("acme", "acme-2", "acme-3", "acme-4", "acme-5", "")):
        assert suggest(ada, name="Acme", slug="", suggested="") == offered
        onboard(ada, slug=offered or f"other-{number}", owner_email=f"bob{number}@acme.example")
