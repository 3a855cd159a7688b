"""What is known of servers: measured every minute, away shown as away, listed, exported, by page and by command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.core.config import Settings
from app.core.database.owner import owner_connection as owner_at
from app.core.database.transactions import transaction
from app.core.job_names import JobName
from app.core.jobs import enqueue
from app.core.tenancy.scopes import DatabaseAddress, Tier, platform_scope
from app.jobs.schedules import list_schedules
from app.servers.services import measure_servers
from app.web.hosts import Portal
from tests.factories import make_staff_user, sign_in_as_ada
from tests.homes.placing import make_home
from tests.servers import ANNEX
from tests.servers.acts import add_annex, see
from tests.tenant_rows import owner_connection
from tests.work import run_jobs


def look() -> None:
    with platform_scope("test"):
        measure_servers()


def test_each_server_is_measured(app: Portal, annex: str) -> None:
    add_annex()
    make_home("acme", Tier.DATABASE, ANNEX)
    look()
    for server in (see("main"), see(ANNEX)):
        assert (server.is_reachable, server.is_away) == (True, False)
        assert 0 < server.latency_seconds < 1
        assert server.version.split(".")[0].isdigit()
        assert 0 < server.connection_count < server.connection_limit
    # The home's own database counts.
    with owner_at(DatabaseAddress(ANNEX)) as connection:
        alone = connection.execute("select pg_database_size(current_database())").fetchone()[0]
    assert see(ANNEX).size_bytes > alone


def test_a_server_that_is_away_is_shown_so_and_stops_no_other(app: Portal, annex_away: object) -> None:
    add_annex()
    look()
    version = see(ANNEX).version
    annex_away()
    look()
    assert (see("main").is_reachable, see(ANNEX).is_reachable) == (True, False)
    assert (see(ANNEX).version, see(ANNEX).takes_homes) == (version, False)
    make_staff_user()
    ada = sign_in_as_ada(app)
    assert "Away" in ada.get("/servers").text
    assert "annex is away" in ada.get(f"/servers/{see(ANNEX).id}").text


def test_the_job_measures_them(app: Portal) -> None:
    with platform_scope("test"), transaction():
        enqueue(JobName.SERVERS_MEASURE)
    run_jobs()
    assert see("main").is_reachable


def test_a_server_whose_urls_are_unknown_is_away(app: Portal) -> None:
    with owner_connection() as connection:
        connection.execute(
            "insert into control.servers (id, name, region, capacity, accepts_homes, state, created_at) "
            "values (gen_random_uuid(), 'lost', 'eu-west', 1, true, 'ready', now())"
        )
    look()
    assert see("lost").is_away


def test_a_server_removed_meanwhile_is_passed_over(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    add_annex()
    monkeypatch.setattr("app.servers.services.queries.find_server_by_name", lambda *_given, **_more: None)
    look()
    monkeypatch.undo()
    assert see("main").measured_at is None


def test_servers_are_measured_every_minute(app: Portal) -> None:
    assert [each.every_seconds for each in list_schedules() if each.job == "servers.measure"] == [60]


def test_the_list_is_searched_sorted_paged_and_exported(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    add_annex()
    monkeypatch.setattr("app.servers.queries.PAGE_ROWS", 1)
    make_staff_user()
    ada = sign_in_as_ada(app)
    names = "#server-table tbody th a"
    assert ada.get("/servers").texts(names) == ["annex"]
    forward = ada.page.select("#page-next")[0].get("href")
    assert ada.get(forward).texts(names) == ["main"]
    assert ada.get(ada.page.select("#page-previous")[0].get("href")).texts(names) == ["annex"]
    assert ada.get("/servers?sort=-created").texts(names) == ["annex"]
    assert ada.get(ada.page.select("#page-next")[0].get("href")).texts(names) == ["main"]
    assert ada.get("/servers?q=eu-w").texts(names) == ["annex"]
    assert ada.get("/servers?q=MA").texts(names) == ["main"]
    assert ada.get("/servers?state=failed").texts(names) == []
    assert ada.get("/servers?region=eu-central").texts(names) == ["main"]
    lines = ada.get("/servers.csv?sort=-name").text.splitlines()
    assert [line.split(",")[0] for line in lines] == ['"name"', '"main"', '"annex"']


def test_a_servers_page_names_the_homes_on_it(app: Portal, annex: str) -> None:
    add_annex()
    make_home("acme", Tier.SCHEMA, ANNEX)
    make_staff_user()
    page = sign_in_as_ada(app).get(f"/servers/{see(ANNEX).id}")
    assert page.texts("#home-table tbody th a") == ["Acme"]
    assert "room for 99 more" in page.text
    assert "Open connections" in page.text


def test_the_command_lists_servers(app: Portal) -> None:
    run = app.test_cli_runner().invoke
    assert "main" in run(args=["server", "list"]).output
    facts = json.loads(run(args=["server", "list", "--json"]).output)
    assert (facts[0]["name"], facts[0]["homes"]) == ("main", 0)


def test_the_command_registers_a_server(app: Portal, bare_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.servers.commands.WAIT_SECONDS", 0)
    arguments = ["server", "register", "bare", "--region", "eu-west", "--storage-mib", "512"]
    done = app.test_cli_runner().invoke(args=[*arguments, "--wait"], input=f"{bare_url}\n")
    assert (done.exit_code, "are the workers up?" in done.output) == (1, True)
    assert bare_url not in done.output
    assert see("bare").storage_bytes == 512 * 2**20
    again = app.test_cli_runner().invoke(args=arguments, input=f"{bare_url}\n")
    assert (again.exit_code, "There is a server bare already." in again.output) == (1, True)


@pytest.mark.parametrize(("state", "code"), [("ready", 0), ("failed", 1)])
def test_the_command_waits_for_the_end(
    app: Portal, bare_url: str, monkeypatch: pytest.MonkeyPatch, state: str, code: int
) -> None:
    def settle(_seconds: float) -> None:
        with owner_connection() as connection:
            connection.execute("update control.servers set state = %s, error = 'why' where name = 'bare'", (state,))

    monkeypatch.setattr("app.servers.commands.time.sleep", settle)
    arguments = ["server", "register", "bare", "--region", "eu-west", "--wait"]
    done = app.test_cli_runner().invoke(args=arguments, input=f"{bare_url}\n")
    assert (done.exit_code, {"ready": "is ready", "failed": "failed: why"}[state] in done.output) == (code, True)


def test_no_file_of_urls_is_left_by_these_tests(instance: Settings) -> None:
    assert not Path(instance.var_dir / "servers" / "bare").exists()
