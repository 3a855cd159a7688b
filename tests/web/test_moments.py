"""Moments in the time zone and the formats of whose portal it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.core.tenancy.scopes import tenant_scope
from app.settings.services import update_workspace
from app.web.moments import show_moment, show_moments_in
from tests.factories import SETUP, host_of, make_bob, make_member, make_tenant, sign_in_as_bob, use_cheap_passwords

AT = datetime(2026, 5, 14, 23, 30, tzinfo=UTC)


def test_outside_a_tenants_portal_a_moment_is_in_utc():
    assert show_moment(AT) == "14 May 2026, 23:30 UTC"
    assert show_moment(AT, date_only=True) == "14 May 2026"


@pytest.mark.parametrize(
    ("zone", "locale", "words", "day"),
    [
        ("Asia/Tokyo", "en", "15 May 2026, 08:30", "15 May 2026"),
        ("Europe/Berlin", "de", "15.05.2026, 01:30:00", "15.05.2026"),
    ],
)
def test_a_moment_is_written_as_its_portal_writes_it(app, zone, locale, words, day):
    with app.test_request_context():
        show_moments_in(zone, locale)
        assert show_moment(AT).startswith(words)
        assert show_moment(AT, date_only=True) == day


def test_a_tenants_pages_show_its_own_time(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    acme = make_tenant("acme")
    make_bob(acme)
    make_member(acme, "dora@acme.example")
    with tenant_scope(acme, reason="test"):
        update_workspace({"time_zone": "Asia/Tokyo"}, actor=SETUP)
    bob = sign_in_as_bob(app, acme)
    bob.get("/members", host=host_of(acme))
    assert "+0900" in bob.text
    assert "UTC" not in bob.text


def test_an_unknown_host_gets_style_and_a_way_home(app):
    client = app.test_client()
    page = client.get("/", base_url="http://nosuch.localhost")
    assert page.status_code == 404
    assert b'href="http://localhost:8000/"' in page.data
    with client.get("/static/css/app.css", base_url="http://nosuch.localhost") as style:
        assert style.status_code == 200
