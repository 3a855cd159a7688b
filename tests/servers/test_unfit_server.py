"""Servers that are not fit for homes, and logins that are not the owner's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.errors import StateError
from app.core.ids import new_id
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import DatabaseAddress, Login, platform_scope
from app.homes.preparing import drop_template
from app.homes.template_databases import ensure_template_database
from app.instance.databases import prepare_database
from app.instance.postgres import start_postgres
from app.operations.kinds import StepInput
from app.servers.inspection import check_owner, server_connection
from app.web.hosts import Portal
from tests.servers import ANNEX, PASSWORD, make_open_folder
from tests.servers.acts import register, run_to_the_end, see


@pytest.fixture
def standby_url() -> Iterator[str]:
    """The owner's URL of a cluster that follows another one."""
    folder = make_open_folder()
    primary = start_postgres(folder)
    prepare_database(primary.superuser_url, name="homes", prefix="tenantry", owner_password=PASSWORD)
    primary.stop()
    (folder / "data" / "standby.signal").touch()
    standby = start_postgres(folder)
    host = standby.superuser_url.rpartition("@")[2].rpartition("/")[0]
    yield f"postgresql://tenantry_owner:{PASSWORD}@{host}/homes"
    standby.stop()
    shutil.rmtree(folder)


def failure_of(url: str) -> str | None:
    register(url)
    run_to_the_end()
    return see().error


def test_a_standby_is_refused(app: Portal, standby_url: str) -> None:
    assert "is a standby and takes no writes" in str(failure_of(standby_url))
    ServerUrls(app.extensions["tenantry_settings"]).remove("bare")


def test_an_old_server_is_refused(app: Portal, bare_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.servers.inspection.OLDEST_VERSION", 99)
    assert "99 or newer is needed" in str(failure_of(bare_url))


def test_a_login_that_is_not_the_owners_is_refused(app: Portal, annex: str) -> None:
    with (
        server_connection(ANNEX, Login.PLATFORM) as connection,
        pytest.raises(StateError, match="must be"),
    ):
        check_owner(connection)


def test_the_owner_connects_outside_of_every_scope_only(app: Portal) -> None:
    with platform_scope("test"), pytest.raises(ScopeError), owner_connection():
        pass


def test_a_server_without_urls_has_no_stamp(app: Portal) -> None:
    urls = ServerUrls(app.extensions["tenantry_settings"])
    assert [urls.stamp(Login.OWNER, server) for server in ("main", "nowhere")] == [0, 0]


def test_a_template_is_taken_away_once(app: Portal, annex: str) -> None:
    name, given = ensure_template_database(ANNEX), StepInput(new_id(), None, {"server": ANNEX})
    for _again in range(2):
        drop_template(given)
    with owner_connection(DatabaseAddress(ANNEX)) as connection:
        assert connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is None
