"""The pages about keys: staff see and rotate them, a tenant sees its own, and nobody sees a key."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.encryption.keys import KeyPurpose, key_source
from app.core.tenancy.scopes import platform_scope
from app.encryption.queries import list_data_keys
from tests.factories import host_of, make_bob, make_member, make_tenant, sign_in, use_cheap_passwords
from tests.work import run_jobs

pytestmark = pytest.mark.usefixtures("soon", "tables")


def states(owner_id: Any) -> dict[int, str]:
    with platform_scope("test"):
        return {row.version: row.state for row in list_data_keys(owner_id) if row.purpose == KeyPurpose.FIELDS}


def test_an_admin_rotates_a_key_of_the_platform_and_follows_it(ada: Any) -> None:
    key_source().keyring(None, KeyPurpose.FIELDS).list_keys()
    ada.get("/keys")
    assert "file:" in ada.text
    ada.submit("Rotate fields")
    assert "Rotate a key" in ada.text
    run_jobs()
    ada.get("/keys")
    assert [row for row in ada.page.texts("#key-table tbody tr") if "Retired" in row]
    assert states(None) == {1: "retired", 2: "active"}


def test_an_admin_rotates_a_tenants_key_from_the_tenants_page(ada: Any) -> None:
    acme = make_tenant("acme")
    key_source().keyring(acme.tenant_id, KeyPurpose.FIELDS).list_keys()
    ada.get(f"/tenants/{acme.tenant_id}")
    assert "Keys of its own" in ada.text
    ada.get(f"/tenants/{acme.tenant_id}/keys")
    ada.submit("Rotate fields")
    run_jobs()
    ada.get(f"/tenants/{acme.tenant_id}/keys")
    assert "Done" in ada.text
    assert states(acme.tenant_id) == {1: "retired", 2: "active"}


def test_a_second_rotation_at_once_is_refused_in_words(ada: Any) -> None:
    key_source().keyring(None, KeyPurpose.FIELDS).list_keys()
    ada.get("/keys")
    ada.submit("Rotate fields")
    ada.get("/keys")
    ada.submit("Rotate fields")
    assert ada.status == 409
    assert "wait for its end" in ada.text


def test_a_key_that_is_none_is_refused(ada: Any) -> None:
    key_source().keyring(None, KeyPurpose.FIELDS).list_keys()
    ada.get("/keys")
    token = ada.select("[name=csrf_token]")[0].get("value")
    data = {"csrf_token": token, "purpose": "master"}
    answer = ada.client.post("/keys/rotations", base_url="http://admin.localhost", data=data)
    assert answer.status_code == 422


def test_before_the_first_key_the_page_says_when_there_will_be_one(ada: Any) -> None:
    acme = make_tenant("acme")
    ada.get(f"/tenants/{acme.tenant_id}/keys")
    assert "No key yet" in ada.text


def test_support_sees_keys_and_is_offered_no_rotation(sam: Any) -> None:
    key_source().keyring(None, KeyPurpose.FIELDS).list_keys()
    sam.get("/keys")
    assert sam.status == 200
    assert not sam.select("#key-table form")


def test_an_owner_sees_the_workspaces_own_keys_and_nothing_of_what_they_are(app: Any, monkeypatch: Any) -> None:
    use_cheap_passwords(monkeypatch)
    acme, globex = make_tenant("acme"), make_tenant("globex")
    for route in (acme, globex):
        key_source().keyring(route.tenant_id, KeyPurpose.FIELDS).list_keys()
    make_bob(acme)
    bob = sign_in(app, host_of(acme), "bob@acme.example")
    bob.get("/encryption")
    assert len(bob.page.texts("#key-table tbody tr")) == 1
    assert "pen_friends.email" in bob.text
    assert "pen_pals" not in bob.text
    assert "file:" not in bob.text


def test_a_member_without_the_permission_is_refused(app: Any, monkeypatch: Any) -> None:
    use_cheap_passwords(monkeypatch)
    acme = make_tenant("acme")
    make_member(acme, "dora@acme.example")
    dora = sign_in(app, host_of(acme), "dora@acme.example")
    dora.get("/encryption")
    assert dora.status == 403
