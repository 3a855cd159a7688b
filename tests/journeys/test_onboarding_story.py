"""The main story, by forms alone: onboarded by the platform, invited by mail, at work in a portal of their own."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest

from app.core.tenancy.scopes import platform_scope
from app.plans.services import seed_catalogue
from tests.factories import (
    CAROL,
    PASSWORD,
    browser,
    host_of,
    make_carol,
    make_staff_user,
    make_tenant,
    sign_in,
    sign_in_as_ada,
    use_cheap_passwords,
)
from tests.work import run_jobs

FORM = {"name": "Acme", "slug": "acme", "owner_name": "Bob", "owner_email": "bob@acme.example", "plan": "team"}


@pytest.fixture
def ada(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    for mail in app.extensions["tenantry_settings"].mail_dir.glob("*.eml"):
        mail.unlink()
    with platform_scope("test"):
        seed_catalogue()
    make_staff_user()
    return sign_in_as_ada(app)


def onboard_acme(ada):
    ada.get("/tenants/new")
    ada.submit("/tenants", **FORM)
    page = ada.page.url
    run_jobs()
    ada.get(page)
    assert "Active" in ada.text


def invitation_of(app):
    """Read the invitation in the mailbox, as a newcomer would, and return the path of its link."""
    reader = browser(app, "localhost")
    reader.get("/mailbox")
    (mail,) = [link.get("href") for link in reader.select("a") if "invited" in "".join(link.itertext())]
    reader.get(mail)
    return re.search(r"http://acme\.localhost:8000(/invitation/[\w-]+)", reader.text).group(1)


def follow_invitation(app, path):
    bob = browser(app, "acme.localhost")
    bob.get(path)
    bob.submit(path, password=PASSWORD, repeated=PASSWORD)
    return bob


def test_a_tenant_is_onboarded_and_its_owner_works_in_a_portal_of_their_own(app, ada):
    onboard_acme(ada)
    bob = follow_invitation(app, invitation_of(app))
    bob.get("/")
    assert bob.status == 200
    assert "Acme" in bob.page.title
    bob.get("/members")
    assert "bob@acme.example" in bob.text


def test_the_owner_sees_nothing_of_another_tenant(app, ada):
    globex = make_tenant("globex")
    make_carol(globex)
    onboard_acme(ada)
    bob = follow_invitation(app, invitation_of(app))
    for path in ("/", "/members", "/settings", "/audit", "/profile"):
        bob.get(path)
        assert bob.status == 200, path
        assert CAROL not in bob.text
        assert "Globex" not in bob.text


def test_an_invitation_works_once(app, ada):
    onboard_acme(ada)
    path = invitation_of(app)
    follow_invitation(app, path)
    second = browser(app, "acme.localhost")
    second.get(path)
    assert second.status in {404, 410}


def test_an_invitation_of_one_tenant_opens_no_other(app, ada):
    globex = make_tenant("globex")
    onboard_acme(ada)
    thief = browser(app, host_of(globex))
    thief.get(invitation_of(app))
    assert thief.status in {404, 410}


def test_a_suspended_tenants_owner_learns_why_and_comes_back(app, ada):
    onboard_acme(ada)
    bob = follow_invitation(app, invitation_of(app))
    page = urlsplit(ada.page.url).path
    ada.get(f"{page}/suspension")
    ada.submit(f"{page}/suspension", reason="Unpaid invoice")
    bob.get("/members")
    assert bob.status == 403
    assert "Unpaid invoice" in bob.text
    ada.get(f"{page}/reactivation")
    ada.submit(f"{page}/reactivation")
    bob.get("/members")
    assert bob.status == 200


def test_a_session_of_one_tenant_is_none_elsewhere(app, ada):
    globex = make_tenant("globex")
    make_carol(globex)
    carol = sign_in(app, host_of(globex), CAROL)
    cookie = carol.client.get_cookie(app.config["SESSION_COOKIE_NAME"], domain="globex.localhost")
    onboard_acme(ada)
    for host in ("acme.localhost", "admin.localhost"):
        visitor = browser(app, host)
        visitor.client.set_cookie(app.config["SESSION_COOKIE_NAME"], cookie.value, domain=host)
        visitor.get("/", follow=False)
        assert visitor.status == 303, host
