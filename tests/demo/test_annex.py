"""The demo's second server: registered once, followed to another port, with two tenants on it."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from app.core.config import Settings
from app.core.database.server_urls import ServerUrls
from app.core.errors import StateError
from app.core.tenancy.scopes import DatabaseAddress, Login, platform_scope
from app.demo import annex as demo_annex
from app.demo import seeding
from app.plans.services import seed_catalogue
from app.web.hosts import Portal
from tests.factories import sign_in, use_cheap_passwords
from tests.tenant_rows import owner_connection


@pytest.fixture(autouse=True)
def _plans(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    use_cheap_passwords(monkeypatch)
    with platform_scope("test"):
        seed_catalogue()


def ensure(app: Portal, monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    known = app.extensions["tenantry_settings"]
    given = known.model_copy(update={"demo_server_url": SecretStr(url)})
    with monkeypatch.context() as context:
        context.setitem(app.extensions, "tenantry_settings", given)
        done = app.test_cli_runner().invoke(args=["demo", "server"])
    assert done.exit_code == 0, done.output
    return done.output.strip()


def test_two_tenants_live_on_a_server_that_is_registered_once_and_followed(
    app: Portal,
    instance: Settings,
    bare_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo_annex, "ANNEX", "bare")
    monkeypatch.setattr(seeding, "ANNEX", "bare")
    assert ensure(app, monkeypatch, bare_url) == "The second server was prepared."
    assert ensure(app, monkeypatch, bare_url) == "The second server is where it was."
    moved = bare_url.replace("127.0.0.1", "localhost")
    assert ensure(app, monkeypatch, moved) == "The second server is followed to its port."
    assert ServerUrls(instance).get(Login.OWNER, DatabaseAddress("bare")) == moved
    seeding.seed_demo()
    with owner_connection() as connection:
        found = connection.execute("select tier from control.placements where server = 'bare' order by 1").fetchall()
    assert found == [("database",), ("schema",)]
    carol = sign_in(app, "globex.localhost", "carol@globex.example", seeding.demo_password())
    assert "Judy Keller" in carol.get("/members").text


def test_a_preparation_that_was_cut_short_goes_on(
    app: Portal,
    bare_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo_annex, "ANNEX", "bare")
    with monkeypatch.context() as cut:
        cut.setattr(demo_annex, "run_operation", lambda _operation_id: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(BaseException):  # noqa: B017, PT011  # Whatever the runner makes of it.
            ensure(app, monkeypatch, bare_url)
    with owner_connection() as connection:
        connection.execute("update control.operations set state = 'failed' where kind = 'servers.prepare'")
    assert ensure(app, monkeypatch, bare_url) == "The second server was prepared."


def test_without_its_url_it_is_refused(app: Portal) -> None:
    with pytest.raises(StateError):
        demo_annex.ensure_annex()
