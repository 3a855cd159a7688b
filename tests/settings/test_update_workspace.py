"""A tenant changes how it calls and shows itself."""

from __future__ import annotations

import pytest

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.settings.models import Setting
from app.settings.services import create_default_settings, update_workspace
from app.tenants.queries import get_tenant
from tests.factories import (
    SETUP,
    actions_of,
    host_of,
    make_bob,
    make_carol,
    make_member,
    make_tenant,
    rows_of,
    sign_in,
    sign_in_as_bob,
    use_cheap_passwords,
)


@pytest.fixture
def acme(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    acme = make_tenant("acme")
    make_bob(acme)
    return acme


def test_the_owner_saves_the_settings_and_sees_them(app, acme):
    bob = sign_in_as_bob(app, acme)
    bob.get("/settings")
    bob.submit("/settings", name="Acme Corp", time_zone="Asia/Tokyo", welcome_message="Hello\nthere", support_email="")
    assert "The settings are saved." in bob.text
    bob.get("/")
    assert "Acme Corp" in bob.text
    assert "Asia/Tokyo" in bob.text


def test_an_invalid_time_zone_and_an_empty_name_stand_beside_their_fields(app, acme):
    bob = sign_in_as_bob(app, acme)
    bob.get("/settings")
    bob.submit("/settings", name=" ", support_email="no address")
    assert bob.status == 422
    assert bob.field_error("name")
    assert bob.field_error("support_email")


def test_each_half_of_a_change_is_recorded_where_it_is_written(app, acme):
    with tenant_scope(acme, reason="test"):
        update_workspace({"name": "Acme Corp", "welcome_message": "Hi"}, actor=SETUP)
    control = [event for event in rows_of(ControlAuditEvent) if event.action == "tenant.updated"]
    home = [event for event in rows_of(HomeAuditEvent, acme) if event.action == "settings.updated"]
    assert [event.changes for event in control] == [{"name": ["Acme", "Acme Corp"]}]
    assert [event.changes for event in home] == [{"welcome_message": ["", "Hi"]}]


def test_saving_what_is_in_force_leaves_no_trace(app, acme):
    with tenant_scope(acme, reason="test"):
        update_workspace({"name": "Acme", "locale": "en", "welcome_message": ""}, actor=SETUP)
    assert "settings.updated" not in actions_of(rows_of(HomeAuditEvent, acme))


def test_a_change_reaches_no_other_tenant(app, acme):
    globex = make_tenant("globex")
    make_carol(globex)
    carol = sign_in(app, host_of(globex), "carol@globex.example")
    carol.get("/settings")
    carol.submit("/settings", name="Globex Corp", welcome_message="Mine")
    assert rows_of(Setting, acme) == []
    with platform_scope("test"):
        assert get_tenant(acme.tenant_id).name == "Acme"


def test_a_plain_member_may_not_open_the_settings(app, acme):
    make_member(acme, "dora@acme.example")
    dora = sign_in(app, host_of(acme), "dora@acme.example")
    dora.get("/settings")
    assert dora.status == 403


def test_default_settings_are_written_once(app, acme):
    with tenant_scope(acme, reason="test"):
        create_default_settings(actor=SETUP)
        create_default_settings(actor=SETUP)
    assert sorted(row.key for row in rows_of(Setting, acme)) == ["support_email", "welcome_message"]
