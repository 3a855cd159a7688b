"""A visitor signs up, confirms by mail, and gets a workspace."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from app.core import clock
from app.core.actors import Actor
from app.core.tenancy.scopes import platform_scope
from app.mail.composers import get_composer
from app.onboarding.confirmation import make_confirmation
from app.onboarding.services import confirm_request, expire_requests
from app.operations.models import Operation
from app.plans.services import seed_catalogue
from app.tenants.models import Tenant
from tests.factories import browser, rows_of
from tests.work import run_jobs

FORM = {
    "name": "Acme",
    "slug": "acme",
    "owner_name": "Bob",
    "owner_email": "bob@acme.example",
    "plan": "starter",
    "accept": True,
}


@pytest.fixture
def visitor(app):
    with platform_scope("test"):
        seed_catalogue()
    for mail in app.extensions["tenantry_settings"].mail_dir.glob("*.eml"):
        mail.unlink()
    return browser(app, "localhost")


def sign_up(visitor, **changes):
    visitor.get("/sign-up")
    visitor.submit("/sign-up", **(FORM | changes))


def mailed_link(app):
    run_jobs()
    texts = [mail.read_text() for mail in app.extensions["tenantry_settings"].mail_dir.glob("*.eml")]
    text = "".join(texts).replace("=\n", "")
    return re.search(r"/sign-up/confirmations/[\w-]+", text).group()


def tenants():
    return {tenant.slug: tenant.status for tenant in rows_of(Tenant)}


def test_the_home_page_leads_to_the_form(visitor):
    visitor.get("/")
    assert "Starter" in visitor.text
    assert visitor.select("a[href=/sign-up]")


def test_a_visitor_confirms_and_the_workspace_is_set_up(app, visitor):
    sign_up(visitor)
    assert "Check your mail" in visitor.text
    assert tenants() == {"acme": "requested"}
    link = mailed_link(app)
    visitor.get(link)
    visitor.submit(link)
    run_jobs()
    visitor.get(link)
    assert "Your workspace is ready" in visitor.text
    assert tenants() == {"acme": "active"}


def test_a_mail_scanner_that_opens_the_link_confirms_nothing(app, visitor):
    sign_up(visitor)
    visitor.get(mailed_link(app))
    assert tenants() == {"acme": "requested"}


def test_confirming_twice_makes_one_workspace(app, visitor):
    sign_up(visitor)
    link = mailed_link(app)
    for _ in range(2):
        visitor.get(link)
        if visitor.select("form"):
            visitor.submit(link)
    run_jobs()
    assert tenants() == {"acme": "active"}


def test_two_confirmations_at_once_start_one_set_up(app, visitor):
    sign_up(visitor)
    [tenant] = rows_of(Tenant)
    token = make_confirmation(tenant.id)
    for _ in range(2):
        with platform_scope("test"):
            assert confirm_request(token, actor=Actor.visitor(None)) == tenant.id
    assert len(rows_of(Operation)) == 1


def test_a_forged_link_leads_nowhere(visitor):
    visitor.get(f"/sign-up/confirmations/{'A' * 76}")
    assert visitor.status == 404


def test_a_link_is_void_after_a_day_and_the_address_is_free_again(app, visitor):
    sign_up(visitor)
    link = mailed_link(app)
    with clock.shifted(timedelta(hours=25)):
        visitor.get(link)
        assert visitor.status == 404
        with platform_scope("test"):
            assert expire_requests(actor=Actor.system("test")) == 1
    sign_up(visitor, owner_email="other@acme.example")
    assert tenants()["acme"] == "requested"


def test_a_mail_that_is_sent_after_the_confirmation_is_not_sent(app, visitor):
    sign_up(visitor)
    (tenant,) = rows_of(Tenant)
    with app.test_request_context(), platform_scope("test"):
        tenant_id = {"tenant_id": str(tenant.id)}
        assert get_composer("sign-up-confirmation")(tenant_id) is not None
    link = f"/sign-up/confirmations/{make_confirmation(tenant.id)}"
    visitor.get(link)
    visitor.submit(link)
    with platform_scope("test"):
        assert get_composer("sign-up-confirmation")(tenant_id) is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "admin"}, "slug"),
        ({"slug": "a b"}, "slug"),
        ({"owner_email": "nobody"}, "owner_email"),
        ({"name": "  "}, "name"),
        ({"accept": False}, "accept"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(visitor, change, field):
    sign_up(visitor, **change)
    assert visitor.status == 422
    assert visitor.field_error(field)
    assert tenants() == {}


def test_an_address_that_looks_like_another_is_refused(visitor):
    sign_up(visitor)
    sign_up(visitor, name="Other", slug="acrne", owner_email="eve@evil.example")
    assert visitor.field_error("slug")


def test_the_live_check_says_whether_an_address_can_be_had(visitor):
    sign_up(visitor)
    for slug, words in (("globex", "is free"), ("acme", "taken"), ("admin", "reserved"), ("", "")):
        visitor.get(f"/sign-up/slug-checks?slug={slug}", fragment=True)
        assert words in visitor.text


def test_a_flood_of_sign_ups_is_slowed_down(visitor):
    # The limit counts by the clock's hour, and the flood may cross one.
    for number in range(41):
        sign_up(visitor, slug=f"flood-{number}")
        if visitor.status == 429:
            break
    assert visitor.status == 429
    wait_seconds = int(visitor.page.response.headers["Retry-After"])
    assert 0 < wait_seconds <= 3600
    assert "Too many tries. Wait" in visitor.text
    # Nothing that was typed is lost.
    assert visitor.select("[name=slug]")[0].get("value") == f"flood-{number}"
    assert visitor.select("[name=owner_email]")[0].get("value") == FORM["owner_email"]


def test_a_visitor_is_offered_an_address_too(visitor):
    page = visitor.get("/sign-up/slug-suggestions?name=Acme&slug=&suggested=", fragment=True)
    assert page.select("[name=slug]")[0].get("value") == "acme"
