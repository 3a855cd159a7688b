"""Editing, moving to another address, and removing a server."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest

from app.core.config import Settings
from app.core.database.server_urls import ServerUrls
from app.core.errors import ConflictError, InputError, StateError
from app.core.tenancy.scopes import DatabaseAddress, Login, Tier, platform_scope
from app.operations.services import compensate_operation
from app.servers import services
from app.servers.services import ServerTerms
from app.web.hosts import Portal
from tests.factories import SETUP, make_staff_user, sign_in_as_ada
from tests.homes.placing import make_home
from tests.servers import ANNEX
from tests.servers.acts import TERMS, add_annex, latest_operation, register, run_to_the_end, see
from tests.tenant_rows import owner_connection
from tests.work import run_jobs


@pytest.fixture
def bare_id(bare_url: str) -> UUID:
    """The id of a prepared server."""
    server_id = register(bare_url)
    run_jobs()
    return server_id


def change(server_id: UUID, url: str) -> None:
    with platform_scope("test"):
        services.change_url(server_id, url=url, actor=SETUP)


def urls_of(settings: Settings) -> list[str]:
    return [ServerUrls(settings).get(login, DatabaseAddress("bare")) for login in Login]


def test_a_new_address_of_the_same_database_is_used_by_every_login(
    app: Portal, instance: Settings, bare_url: str, bare_id: UUID
) -> None:
    before = urls_of(instance)
    change(bare_id, bare_url.replace("127.0.0.1", "localhost"))
    assert urls_of(instance) == before
    run_jobs()
    assert urls_of(instance) == [url.replace("127.0.0.1", "localhost") for url in before]
    assert not (instance.var_dir / "servers" / "bare~next").exists()
    assert make_home("acme", Tier.SCHEMA, "bare").home_state == "active"
    with owner_connection() as connection:
        found = connection.execute("select count(*) from control.audit_events where action = 'server.url_changed'")
        assert found.fetchone() == (1,)


def test_another_database_is_refused_and_the_old_address_stays(
    app: Portal, instance: Settings, bare_superuser_url: str, bare_url: str, bare_id: UUID
) -> None:
    before = urls_of(instance)
    with psycopg.connect(bare_superuser_url, autocommit=True) as connection:
        connection.execute("create database empty owner tenantry_owner")
    change(bare_id, bare_url.replace("/homes", "/empty"))
    run_to_the_end()
    assert "This is not the database of server bare" in latest_operation().error
    assert urls_of(instance) == before
    operation_id = latest_operation().id
    with platform_scope("test"):
        compensate_operation(operation_id, actor=SETUP)
    run_jobs()
    assert not (instance.var_dir / "servers" / "bare~next").exists()


def test_an_address_at_which_a_runtime_login_does_not_get_in_is_refused(
    app: Portal, instance: Settings, bare_superuser_url: str, bare_url: str, bare_id: UUID
) -> None:
    before = urls_of(instance)
    with psycopg.connect(bare_superuser_url, autocommit=True) as connection:
        connection.execute("alter role tenantry_tenant password 'another'")
    change(bare_id, bare_url.replace("127.0.0.1", "localhost"))
    run_to_the_end()
    assert "does not let the tenant login in" in latest_operation().error
    assert urls_of(instance) == before


def test_one_change_at_a_time(app: Portal, bare_url: str, bare_id: UUID) -> None:
    change(bare_id, bare_url)
    with pytest.raises(ConflictError, match="is going on"):
        change(bare_id, bare_url)
    with platform_scope("test"), pytest.raises(ConflictError):
        services.remove_server(bare_id, actor=SETUP)


def test_only_a_ready_server_moves_and_never_the_main_one(app: Portal, bare_url: str) -> None:
    server_id = register(bare_url)
    run_jobs()
    with owner_connection() as connection:
        connection.execute("update control.servers set state = 'failed' where name = 'bare'")
    with pytest.raises(StateError, match="is not ready"):
        change(server_id, bare_url)
    with pytest.raises(StateError, match="main server is configured"):
        change(see("main").id, bare_url)


def test_a_change_that_cannot_begin_leaves_no_url(
    app: Portal, instance: Settings, bare_url: str, bare_id: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_given: object, **_more: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(services, "start_operation", refuse)
    with pytest.raises(RuntimeError):
        change(bare_id, bare_url)
    assert not ServerUrls(instance).has("bare~next", Login.OWNER)


def test_terms_are_changed_with_one_event_and_none_when_they_stay(app: Portal) -> None:
    server_id = add_annex()
    for _turn in range(2):
        with platform_scope("test"):
            services.update_server(server_id, ServerTerms("us-east", 7, accepts_homes=False), actor=SETUP)
    found = see(ANNEX)
    assert (found.region, found.capacity, found.takes_homes) == ("us-east", 7, False)
    with owner_connection() as connection:
        rows = connection.execute("select changes from control.audit_events where action = 'server.updated'").fetchall()
    assert rows == [({"region": ["eu-west", "us-east"], "capacity": [100, 7], "accepts_homes": [True, False]},)]


def test_a_server_with_homes_stays_and_one_without_is_forgotten(
    app: Portal, instance: Settings, bare_id: UUID, bare_url: str
) -> None:
    home = make_home("acme", Tier.POOL, "bare")
    with platform_scope("test"), pytest.raises(StateError, match="1 homes lie on bare"):
        services.remove_server(bare_id, actor=SETUP)
    with owner_connection() as connection:
        connection.execute("delete from control.placements where tenant_id = %s", (home.tenant_id,))
    with platform_scope("test"):
        services.remove_server(bare_id, actor=SETUP)
    run_jobs()
    assert not (instance.var_dir / "servers" / "bare").exists()
    register(bare_url)
    run_to_the_end()
    assert "exists on this database server already" in see().error


def test_a_server_that_is_gone_does_not_stop_its_failed_preparation(app: Portal, bare_url: str) -> None:
    server_id = register(bare_url)
    with owner_connection() as connection:
        connection.execute("delete from control.servers where id = %s", (server_id,))
    run_to_the_end()
    assert latest_operation().state == "failed"
    operation_id = latest_operation().id
    with platform_scope("test"):
        compensate_operation(operation_id, actor=SETUP)
    run_jobs()
    assert latest_operation().state == "compensated"


def test_a_place_is_kept_on_servers_that_take_homes_only(app: Portal) -> None:
    add_annex()
    with platform_scope("test"):
        with pytest.raises(InputError, match="There is no server"):
            services.reserve_place("nowhere")
        services.update_server(see_id(ANNEX), ServerTerms("eu-west", 7, accepts_homes=False), actor=SETUP)
        with pytest.raises(InputError, match="takes no homes now"):
            services.reserve_place(ANNEX)


def see_id(name: str) -> UUID:
    with owner_connection() as connection:
        return connection.execute("select id from control.servers where name = %s", (name,)).fetchone()[0]


def test_ada_edits_moves_and_removes_a_server(app: Portal, bare_url: str, bare_id: UUID) -> None:
    make_staff_user()
    ada, path = sign_in_as_ada(app), f"/servers/{bare_id}"
    ada.get(f"{path}/edit")
    assert ada.submit(f"{path}/edit", capacity=0).status == 422
    ada.submit(f"{path}/edit", capacity=12, region=TERMS.region)
    assert ("12 homes" in ada.text, "None; room is not checked" in ada.text) == (True, True)
    ada.get(f"{path}/edit")
    ada.submit(f"{path}/edit", storage_mib=512)
    assert ("512.0 MiB" in ada.text, see().storage_bytes) == (True, 512 * 2**20)
    assert [box.get("value") for box in ada.get(f"{path}/edit").select("#storage_mib")] == ["512"]
    ada.submit(f"{path}/edit", storage_mib="")
    assert see().storage_bytes is None
    ada.get(f"{path}/url-changes")
    assert ada.submit(f"{path}/url-changes", url="").status == 422
    ada.submit(f"{path}/url-changes", url="nonsense")
    assert "tenantry_owner" in ada.field_error("url")
    ada.submit(f"{path}/url-changes", url=bare_url)
    assert "is being checked" in ada.text
    run_jobs()
    ada.get(f"{path}/removal")
    assert ada.submit(f"{path}/removal", confirm_name="other").status == 422
    ada.submit(f"{path}/removal", confirm_name="bare")
    assert "bare is being removed." in ada.text
    run_jobs()
    assert ada.get(path).status == 404


def test_the_main_server_says_where_it_is_configured_and_that_it_stays(app: Portal) -> None:
    make_staff_user()
    ada, main_id = sign_in_as_ada(app), see_id("main")
    assert "configured elsewhere" in ada.get(f"/servers/{main_id}/url-changes").text
    assert "cannot be removed" in ada.get(f"/servers/{main_id}/removal").text
    assert ada.get("/servers/01a20129-f203-765d-b288-40fa91cd290d").status == 404
