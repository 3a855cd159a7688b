"""Keeping homes ready: as many as a server wants, made anew when they are old, gone with the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import psycopg
import pytest

from app.core.config import Settings
from app.core.database.migrations import migrate, migrate_database
from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.job_names import JobName
from app.core.runtime import current_settings
from app.core.tenancy.scopes import DatabaseAddress, Login, Tier, platform_scope
from app.homes import making, ready_homes, services
from app.homes.models import HomeVersionCopy
from app.jobs.schedules import list_schedules
from app.servers.services import remove_server
from app.web.hosts import Portal
from tests.factories import SETUP, make_staff_user, rows_of, sign_in_as_ada
from tests.homes.fleets import migrate as migrate_fleet
from tests.homes.fleets import outcomes
from tests.homes.placing import make_home
from tests.homes.ready import OWN_TIERS, alone_with_ready_homes, fill, known, there, want  # noqa: F401  # One is a fixture.
from tests.homes.releases import Release
from tests.servers import ANNEX
from tests.servers.acts import add_annex, see
from tests.work import run_jobs


@pytest.mark.parametrize("server", ["main", ANNEX])
def test_homes_are_made_up_to_the_number_and_dropped_above_it(app: Portal, annex: str, server: str) -> None:
    add_annex()
    want(2, 1, server)
    fill()
    assert (len(there(server)), known(server)) == (3, there(server))
    fill()
    assert len(there(server)) == 3
    want(1, 0, server)
    fill()
    assert (len(there(server)), known(server)) == (1, there(server))


def test_those_of_an_old_version_are_never_claimed_and_soon_replaced(app: Portal, release: Release) -> None:
    want(1, 1)
    fill()
    old, newest = there(), release.add()
    fill()
    assert there() == known()
    assert (
        len(there()) == 1
    )  # What schemas are made of is not migrated yet; what databases are made of comes by itself.
    migrate(current_settings())
    fill()
    assert len(there()) == 2
    assert not set(there()) & set(old)
    assert {make_home(f"in-{tier}", tier, "main").home_version for tier in OWN_TIERS} == {newest}
    assert there() == []


def test_a_killed_making_is_finished_and_not_begun_twice(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    want(1, 1)
    monkeypatch.setattr(ready_homes, "_READY", "select pg_terminate_backend(pg_backend_pid()), %s")
    for _tier in OWN_TIERS:
        with pytest.raises(psycopg.OperationalError):
            services.fill_ready_homes()
    begun = known()
    assert len(begun) == 1
    make_home("acme", Tier.SCHEMA, "main")
    assert known() == begun
    monkeypatch.undo()
    fill()
    assert there() == known()
    assert (len(there()), begun[0] in there()) == (2, True)


def test_a_fill_that_takes_long_goes_on_in_another_job(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    want(3, 0)
    monkeypatch.setattr(services, "FILL_SECONDS", 0.0)
    services.fill_ready_homes()
    assert len(there()) == 1
    run_jobs()
    assert len(there()) == 3


def test_a_second_fill_leaves_the_first_alone(app: Portal) -> None:
    want(2, 0)
    with owner_connection() as control:
        control.execute(f"select pg_advisory_lock({ready_homes._LOCK})", ("main",))
        services.fill_ready_homes()
        assert there() == []


def test_a_server_that_is_away_stops_no_other(app: Portal, annex: str, annex_away: Callable[[], None]) -> None:
    add_annex()
    want(1, 0, ANNEX)
    want(1, 0)
    fill()
    want(2, 0, ANNEX)
    want(2, 0)
    annex_away()
    fill()
    assert (len(there()), len(known(ANNEX))) == (2, 2)


def test_a_server_that_takes_no_homes_keeps_none_ready(app: Portal) -> None:
    want(1, 1)
    fill()
    want(1, 1, accepts=False)
    fill()
    assert there() == known() == []


def test_a_home_that_is_being_claimed_is_not_dropped(app: Portal) -> None:
    want(1, 0)
    fill()
    want(0, 0)
    with owner_connection() as other, other.transaction():
        other.execute("select from control.ready_homes for update")
        services.fill_ready_homes()
        assert len(there()) == 1
    fill()
    assert there() == []


@pytest.fixture
def restore_annex(annex_urls: dict[Login, str], instance: Settings) -> Iterator[Callable[[], None]]:
    """Give the URLs of the second server back, which other tests use; at the end it is in the fleet again, too."""

    def restore() -> None:
        ServerUrls(instance).replace(ANNEX, annex_urls)

    yield restore
    restore()
    migrate_database(instance, DatabaseAddress(ANNEX))


def test_a_removed_server_drops_its_ready_homes(
    app: Portal, instance: Settings, restore_annex: Callable[[], None]
) -> None:
    annex_id = add_annex()
    want(1, 1, ANNEX)
    fill()
    with platform_scope("test"):
        remove_server(annex_id, actor=SETUP)
    run_jobs()
    assert not ServerUrls(instance).has(ANNEX, Login.OWNER)
    restore_annex()
    assert there(ANNEX) == known(ANNEX) == []


def test_a_server_that_is_away_is_removed_all_the_same(
    app: Portal, annex_away: Callable[[], None], restore_annex: Callable[[], None]
) -> None:
    annex_id = add_annex()
    want(1, 0, ANNEX)
    fill()
    [left] = there(ANNEX)
    annex_away()
    with platform_scope("test"):
        remove_server(annex_id, actor=SETUP)
    run_jobs()
    assert known(ANNEX) == []
    restore_annex()
    with owner_connection(DatabaseAddress(ANNEX)) as connection:
        making.drop_schema(connection, left)


def test_runs_and_comparisons_pass_ready_homes_by(app: Portal, release: Release) -> None:
    want(1, 1)
    fill()
    release.add()
    run = migrate_fleet()
    assert set(outcomes(run.id)) == {"main"}
    run_jobs()
    assert [row.schema_name for row in rows_of(HomeVersionCopy) if row.server == "main"] == ["pool"]


def test_the_job_comes_every_minute() -> None:
    assert [each.every_seconds for each in list_schedules() if each.job == JobName.HOMES_FILL] == [60]


def test_ada_sets_the_number_and_sees_how_many_are_ready(app: Portal) -> None:
    make_staff_user()
    ada, path = sign_in_as_ada(app), f"/servers/{see('main').id}"
    ada.get(f"{path}/edit")
    assert ada.submit(f"{path}/edit", ready_schema_count=101).status == 422
    assert "from 0 to 100" in ada.field_error("ready_schema_count")
    ada.submit(f"{path}/edit", ready_schema_count=2)
    assert "0 of 2" in ada.text
    fill()
    assert "2 of 2" in ada.get(path).text
    assert "2 more homes are ready for the next tenants" in ada.get("/fleet").text
