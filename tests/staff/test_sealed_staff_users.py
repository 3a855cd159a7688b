"""What is stored of staff users is sealed; they sign in by it all the same, before and after its keys have rotated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.core.actors import Actor
from app.core.config import Settings
from app.core.encryption.keys import KeyPurpose, key_source
from app.core.tenancy.scopes import platform_scope
from app.encryption import key_store, services
from app.staff import services as staff
from app.web.hosts import Portal
from tests.encryption.pen_friends import tables
from tests.factories import ADA, ADMIN_HOST, PASSWORD, browser, make_staff_user, sign_in_as_ada, use_cheap_passwords
from tests.tenant_rows import owner_connection
from tests.work import run_jobs

__all__ = ["tables"]
NAME = "Ada Lovelace"


@pytest.fixture
def _ada(app: Portal, tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cheap_passwords(monkeypatch)
    monkeypatch.setattr(key_store, "FRESH_SECONDS", 0.1)
    make_staff_user(ADA, name=NAME)


@pytest.fixture
def without_root_key(instance: Settings) -> Any:
    path = instance.root_key_path
    away = path.rename(path.with_suffix(".away"))
    key_source().forget()
    yield lambda: away.rename(path)
    if away.exists():
        away.rename(path)


@pytest.mark.usefixtures("_ada")
def test_neither_name_nor_address_is_stored_in_clear() -> None:
    with owner_connection() as connection:
        row = connection.execute("select u::text from control.staff_users u").fetchone()
    assert row is not None
    for clear in (ADA, NAME):
        assert clear not in row[0]
        assert clear.encode().hex() not in row[0]


@pytest.mark.usefixtures("_ada")
@pytest.mark.parametrize("email", [ADA, ADA.upper(), f" {ADA} "])
def test_an_address_finds_its_user_however_it_is_written(app: Portal, email: str) -> None:
    ada = browser(app, ADMIN_HOST)
    ada.get("/sign-in")
    ada.submit("/sign-in", email=email, password=PASSWORD)
    assert NAME in ada.text


@pytest.mark.usefixtures("_ada")
@pytest.mark.parametrize("purpose", [KeyPurpose.FIELDS, KeyPurpose.BLIND_INDEX])
def test_ada_signs_in_after_a_rotation_as_before(app: Portal, purpose: KeyPurpose) -> None:
    with platform_scope("test"):
        services.start_rotation(None, purpose, actor=Actor.system("test"))
    run_jobs()
    assert NAME in sign_in_as_ada(app).get("/staff").text


@pytest.mark.usefixtures("_ada")
def test_while_keys_cannot_be_unwrapped_pages_say_so_and_go_on_by_themselves(
    app: Portal, without_root_key: Callable[[], None]
) -> None:
    visitor = browser(app, ADMIN_HOST)
    visitor.get("/sign-in")
    visitor.submit("/sign-in", email=ADA, password=PASSWORD)
    assert visitor.status == 503
    assert "cannot be opened just now" in visitor.text
    assert "root_key" not in visitor.text
    assert browser(app, "localhost").get("/").status == 200
    without_root_key()
    assert NAME in sign_in_as_ada(app).get("/staff").text


@pytest.mark.usefixtures("_ada")
def test_an_address_is_taken_once(app: Portal) -> None:
    with platform_scope("test"), pytest.raises(Exception, match="already"):
        staff.create_staff_user(email=ADA.upper(), name="Eve", role="support", actor=Actor.system("test"))
