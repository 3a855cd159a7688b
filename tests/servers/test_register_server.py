"""Registering a server: prepared once, whatever is killed on the way, and its URL seen nowhere."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

from app.core.config import Settings
from app.core.database.server_urls import ServerUrls
from app.core.errors import InputError
from app.core.tenancy.scopes import DatabaseAddress, Login, Tier, platform_scope
from app.instance.databases import prepare_database
from app.operations.services import compensate_operation, retry_operation
from app.web.hosts import Portal
from tests.factories import SETUP, make_staff_user, sign_in, sign_in_as_ada
from tests.homes.placing import make_home
from tests.servers import PASSWORD, environment_of
from tests.servers.acts import latest_operation, register, run_to_the_end, see
from tests.tenant_rows import owner_connection
from tests.work import run_jobs

STEPS = ("check", "logins", "schema", "template", "ready")
EVERYTHING = """
select (select jsonb_agg(to_jsonb(o)) from control.operations o)::text || coalesce((select jsonb_agg(to_jsonb(o))
    from control.outbox o)::text, '') || coalesce((select jsonb_agg(to_jsonb(a)) from control.audit_events a)::text, '')
    || (select jsonb_agg(to_jsonb(s)) from control.servers s)::text
"""


def actions() -> list[str]:
    with owner_connection() as connection:
        rows = connection.execute("select action from control.audit_events order by id").fetchall()
    return [action for (action,) in rows if action.startswith("server.")]


def test_a_registered_server_is_prepared_and_takes_homes_of_every_tier(app: Portal, bare_url: str) -> None:
    register(bare_url)
    assert (see().state, see().takes_homes) == ("preparing", False)
    run_jobs()
    assert (see().state, see().takes_homes) == ("ready", True)
    assert actions() == ["server.registered", "server.prepared"]
    for number, tier in enumerate(Tier):
        assert make_home(f"acme{number}", tier, "bare").home_state == "active"


def test_the_urls_lie_in_files_of_their_user_alone_and_nowhere_else(
    app: Portal, bare_url: str, instance: Settings
) -> None:
    register(bare_url)
    run_jobs()
    files = list((instance.var_dir / "servers" / "bare").iterdir())
    assert sorted(path.name for path in files) == ["owner.url", "platform.url", "tenant.url"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    passwords = [path.read_text().split(":")[2].split("@")[0] for path in files]
    assert len(set(passwords)) == 3
    with owner_connection() as connection:
        text = connection.execute(EVERYTHING).fetchone()[0]
    assert not [password for password in passwords if password in text]


@pytest.mark.parametrize("moment", ["begin", "inside", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_in_any_step_leaves_a_server_that_ends_ready_once(
    app: Portal, instance: Settings, bare_url: str, step: str, moment: str
) -> None:
    register(bare_url)
    command = [sys.executable, "-m", "tests.onboarding.killed_worker", step, moment]
    done = subprocess.run(command, env=environment_of(instance), timeout=60, check=False, capture_output=True)
    assert done.returncode == -9, done.stderr.decode()[-2000:]
    run_to_the_end()
    assert (see().state, latest_operation().state) == ("ready", "done")
    assert actions() == ["server.registered", "server.prepared"]
    assert make_home("acme", Tier.DATABASE, "bare").home_state == "active"


def test_a_preparation_that_failed_says_why_and_goes_on_when_it_is_retried(
    app: Portal, bare_url: str, bare_superuser_url: str
) -> None:
    with psycopg.connect(bare_superuser_url, autocommit=True) as connection:
        connection.execute("alter role tenantry_owner nocreatedb")
    register(bare_url)
    run_to_the_end()
    assert see().state == "failed"
    assert "needs the rights CREATEROLE and CREATEDB" in see().error
    prepare_database(bare_superuser_url, name="homes", prefix="tenantry", owner_password=PASSWORD)
    operation_id = latest_operation().id
    with platform_scope("test"):
        retry_operation(operation_id, actor=SETUP)
    assert see().state == "preparing"
    run_jobs()
    assert (see().state, see().error) == ("ready", None)
    assert actions() == [f"server.{word}" for word in ("registered", "preparation_failed", "updated", "prepared")]


def test_a_preparation_that_is_taken_back_leaves_nothing(
    app: Portal, instance: Settings, bare_url: str, bare_superuser_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.servers.preparing.queries.get_server_by_name", _refuse)
    register(bare_url)
    run_to_the_end()
    monkeypatch.undo()
    operation_id = latest_operation().id
    with platform_scope("test"):
        compensate_operation(operation_id, actor=SETUP)
    run_jobs()
    assert latest_operation().state == "compensated"
    assert not (instance.var_dir / "servers" / "bare").exists()
    assert left_on(bare_superuser_url, bare_url) == ([("tenantry_owner",)], [("homes",)], [])
    register(bare_url)
    run_jobs()
    assert see().state == "ready"


def _refuse(*_given: object, **_more: object) -> None:
    raise RuntimeError("the last step fails")


def left_on(superuser_url: str, owner_url: str) -> tuple[list, list, list]:
    with psycopg.connect(superuser_url) as connection:
        roles = connection.execute("select rolname from pg_roles where rolname ~ '^tenantry'").fetchall()
        homes = "select datname from pg_database where datname !~ '^(postgres|template.)$'"
        databases = connection.execute(homes).fetchall()
    with psycopg.connect(owner_url) as connection:
        found = "select nspname from pg_namespace where nspname in ('tenancy', 'pool')"
        return roles, databases, connection.execute(found).fetchall()


def failure_of(url: str, name: str = "other") -> str:
    register(url, name)
    run_to_the_end()
    assert see(name).state == "failed"
    return see(name).error


def test_a_database_that_is_registered_already_is_refused(app: Portal, bare_url: str, instance: Settings) -> None:
    register(bare_url)
    run_jobs()
    assert "This is the database of server bare already." in failure_of(bare_url)
    main_url = instance.database_url.get_secret_value()
    assert "This is the database of server main already." in failure_of(main_url, "mirror")


def test_a_database_with_a_strange_key_is_refused(app: Portal, bare_url: str) -> None:
    with psycopg.connect(bare_url) as connection:
        connection.execute("create schema tenancy")
        connection.execute("create table tenancy.context_keys (version int, inner_block bytea, outer_block bytea)")
    register(bare_url, "empty")
    with psycopg.connect(bare_url) as connection:
        connection.execute("insert into tenancy.context_keys values (1, 'a', 'b')")
    run_to_the_end()
    assert "of another installation" in see("empty").error


def test_logins_of_another_database_on_the_same_cluster_keep_their_passwords(
    app: Portal, bare_url: str, bare_superuser_url: str, instance: Settings
) -> None:
    register(bare_url)
    run_jobs()
    second = prepare_database(bare_superuser_url, name="second", prefix="tenantry", owner_password=PASSWORD)
    assert "exists on this database server already" in failure_of(second)
    url = ServerUrls(instance).get(Login.TENANT, DatabaseAddress("bare"))
    with psycopg.connect(url) as connection:
        assert connection.info.user == "tenantry_tenant"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("alter role tenantry_owner superuser", "is a superuser"),
        ("alter role tenantry_owner bypassrls", "passes row-level security by"),
        (
            "alter database homes owner to postgres; grant connect on database homes to tenantry_owner",
            "must own the database",
        ),
        ("alter role tenantry_owner password 'another'", "does not let the owner login in"),
    ],
)
def test_an_owner_that_is_not_fit_is_refused(
    app: Portal, bare_url: str, bare_superuser_url: str, change: str, words: str
) -> None:
    with psycopg.connect(bare_superuser_url, autocommit=True) as connection:
        connection.execute(change)
    assert words in failure_of(bare_url)


def test_a_server_that_does_not_answer_is_named_so(app: Portal, bare_url: str) -> None:
    host, port = bare_url.rpartition("@")[2].partition("/")[0].split(":")
    assert "does not answer" in failure_of(bare_url.replace(f"{host}:{port}", f"{host}:1"))


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "postgresql://tenantry_owner:secret@host",
        "postgresql://tenantry_owner@host/homes",
        "postgresql://tenantry_owner:secret@host/homes?no_such_option=1",
        "postgresql://somebody:secret@host/homes",
    ],
)
def test_what_is_no_owners_url_is_refused_without_repeating_it(app: Portal, bare_url: str, url: str) -> None:
    with pytest.raises(InputError) as refusal:
        register(url)
    assert refusal.value.field == "url"
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("name", ["Annex", "1st", "an_nex", "a" * 32, "annex~next", "../etc"])
def test_a_name_is_small_letters_digits_and_dashes(app: Portal, bare_url: str, name: str) -> None:
    with pytest.raises(InputError, match="small letters"):
        register(bare_url, name)


def test_a_name_that_is_taken_keeps_the_first_ones_url(app: Portal, bare_url: str, instance: Settings) -> None:
    register(bare_url)
    with pytest.raises(InputError, match="There is a server bare already"):
        register(bare_url.replace("/homes", "/other"))
    assert ServerUrls(instance).get(Login.OWNER, DatabaseAddress("bare")) == bare_url


def test_a_registration_that_fails_leaves_no_url(
    app: Portal, bare_url: str, instance: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.servers.services.start_operation", _refuse)
    with pytest.raises(RuntimeError):
        register(bare_url)
    assert not ServerUrls(instance).has("bare", Login.OWNER)


def test_ada_registers_a_server_in_the_portal(app: Portal, bare_url: str) -> None:
    make_staff_user()
    ada = sign_in_as_ada(app)
    ada.get("/servers/new")
    ada.submit("/servers", name="bare", region="eu-west", capacity=5, url="postgresql://wrong:secret@host/homes")
    assert ada.status == 422
    assert "tenantry_owner" in ada.field_error("url")
    assert "secret" not in ada.page.response.get_data(as_text=True)
    ada.submit("/servers", name="", url=bare_url)
    assert (ada.status, PASSWORD in ada.page.response.get_data(as_text=True)) == (422, False)
    ada.submit("/servers", name="bare", region="eu-west", capacity=5, url=bare_url)
    assert "bare is being prepared." in ada.text
    run_jobs()
    page = ada.get(ada.page.url)
    assert "Prepare server" in page.text
    assert PASSWORD not in page.response.get_data(as_text=True)


def test_support_reads_servers_and_registers_none(app: Portal) -> None:
    make_staff_user("sam@platform.example", role="support", name="Sam Support")
    sam = sign_in(app, "admin.localhost", "sam@platform.example")
    assert "Register server" not in sam.get("/servers").text
    assert sam.get("/servers/new").status == 403
