"""Where a new tenant's home lies: chosen, by the plan, or where there is room; and what can go wrong there."""

from __future__ import annotations

import subprocess
import sys
from uuid import UUID

import pytest

from app.core.config import Settings
from app.core.database.owner import owner_connection as owner_at
from app.core.database.server_urls import ServerUrls
from app.core.database.session import engines
from app.core.errors import InputError
from app.core.tenancy.scopes import DatabaseAddress, Login, Tier, platform_scope
from app.onboarding.services import onboard_tenant, request_tenant
from app.operations.queries import find_latest_operation
from app.operations.services import retry_operation
from app.plans.services import seed_catalogue
from app.servers.services import ServerTerms, update_server
from app.tenants.queries import find_placement, get_tenant
from app.tenants.services import TenantDraft
from app.web.hosts import Portal
from tests.factories import (
    NEW_PASSWORD,
    SETUP,
    browser,
    deliver_mails,
    link_in,
    make_staff_user,
    sign_in,
    sign_in_as_ada,
    while_uncommitted,
)
from tests.operations.toys import expire_leases
from tests.servers import ANNEX, environment_of
from tests.servers.acts import add_annex, run_to_the_end
from tests.tenant_rows import owner_connection, route_of
from tests.tenants.registry import read_tenant
from tests.work import make_jobs_due, run_jobs


def onboard(slug: str = "acme", plan: str = "team", **more: object) -> UUID:
    with platform_scope("test"):
        seed_catalogue()
        draft = TenantDraft(slug.title(), slug, "Bob", f"bob@{slug}.example", plan, **more)
        return onboard_tenant(draft, actor=SETUP)


def place_of(tenant_id: UUID) -> tuple[str, str]:
    with platform_scope("test"):
        found = find_placement(tenant_id)
        return found.tier, found.server


def status_of(tenant_id: UUID) -> str:
    with platform_scope("test"):
        return get_tenant(tenant_id).status


def limit(name: str, capacity: int) -> None:
    with owner_connection() as connection:
        connection.execute("update control.servers set capacity = %s where name = %s", (capacity, name))


@pytest.mark.parametrize("tier", list(Tier))
def test_a_tenant_in_any_tier_on_another_server_is_onboarded_invited_and_works(
    app: Portal, annex: str, tier: Tier
) -> None:
    add_annex()
    make_staff_user()
    with platform_scope("test"):
        seed_catalogue()
    ada = sign_in_as_ada(app)
    ada.get("/tenants/new")
    owner = {"owner_name": "Bob Builder", "owner_email": "bob@acme.example"}
    ada.submit("/tenants", name="Acme", slug="acme", plan="team", tier=tier.value, server=ANNEX, **owner)
    link = link_in(deliver_mails()[-1])
    page = ada.get(ada.page.url)
    assert (tier.capitalize() in page.text, "annex" in page.text) == (True, True)
    bob = browser(app, "acme.localhost")
    bob.get(link.partition("localhost:8000")[2])
    bob.submit("form", password=NEW_PASSWORD, repeated=NEW_PASSWORD)
    assert bob.status == 200, bob.text
    bob = sign_in(app, "acme.localhost", "bob@acme.example", NEW_PASSWORD)
    assert "Bob Builder" in bob.get("/members").text


def test_the_plan_decides_the_tier_unless_somebody_does(app: Portal) -> None:
    assert place_of(onboard("acme", "enterprise")) == ("database", "main")
    assert place_of(onboard("globex", "team")) == ("pool", "main")
    assert place_of(onboard("initech", "team", tier=Tier.SCHEMA)) == ("schema", "main")


def test_a_sign_up_takes_the_plans_default(app: Portal) -> None:
    with platform_scope("test"):
        seed_catalogue()
        draft = TenantDraft("Acme", "acme", "Bob", "bob@acme.example", "enterprise")
        tenant_id = request_tenant(draft, actor=SETUP)
    assert place_of(tenant_id) == ("database", "main")


def test_a_server_of_the_region_comes_before_the_main_one_and_that_before_others(app: Portal, annex: str) -> None:
    add_annex(region="eu-west")
    assert place_of(onboard("acme", region="eu-west")) == ("pool", ANNEX)
    assert place_of(onboard("globex", region="us-east")) == ("pool", "main")


def test_a_tenant_is_in_the_region_of_the_server_that_was_chosen(app: Portal, annex: str) -> None:
    add_annex(region="us-east")
    tenant_id = onboard("acme", server=ANNEX)
    with pytest.raises(InputError, match="annex lies in another region") as refusal:
        onboard("globex", server=ANNEX, region="eu-central")
    make_staff_user()
    elsewhere = onboard("initech", region="eu-west")
    ada = sign_in_as_ada(app)
    assert (read_tenant(tenant_id).region, refusal.value.field) == ("us-east", "server")
    assert "main lies in EU Central: no server in EU West took the home" in ada.get(f"/tenants/{elsewhere}").text
    assert "took the home" not in ada.get(f"/tenants/{tenant_id}").text


def test_a_full_server_is_passed_over_and_a_chosen_one_refused(app: Portal, annex: str) -> None:
    add_annex(capacity=1)
    onboard("acme", server=ANNEX)
    with pytest.raises(InputError, match="annex is full: 1 of 1 homes") as refusal:
        onboard("globex", server=ANNEX)
    assert refusal.value.field == "server"
    assert place_of(onboard("initech", region="eu-west")) == ("pool", "main")
    limit("main", 1)
    with pytest.raises(InputError, match="No database server has room"):
        onboard("umbrella")


def test_of_two_for_the_last_place_one_gets_it(app: Portal, annex: str) -> None:
    add_annex(capacity=1)
    with platform_scope("test"):
        seed_catalogue()

    def take(slug: str) -> None:
        draft = TenantDraft(slug, slug, "Bob", "bob@x.example", "team", server=ANNEX)
        onboard_tenant(draft, actor=SETUP)

    raised = while_uncommitted(app, lambda: platform_scope("test"), lambda: take("acme"), lambda: take("globex"))
    assert isinstance(raised, InputError)
    assert "is full" in str(raised)


def test_a_place_lost_since_the_look_is_looked_for_elsewhere(app: Portal, annex: str) -> None:
    server_id = add_annex(region="eu-west")
    with platform_scope("test"):
        seed_catalogue()
    closed = ServerTerms("eu-west", 100, accepts_homes=False)

    def take() -> None:
        onboard_tenant(TenantDraft("Acme", "acme", "Bob", "bob@x.example", "team", region="eu-west"), actor=SETUP)

    def close() -> None:
        update_server(server_id, closed, actor=SETUP)

    assert while_uncommitted(app, lambda: platform_scope("test"), close, take) is None
    with owner_connection() as connection:
        assert connection.execute("select server from control.placements").fetchall() == [("main",)]


@pytest.mark.parametrize("moment", ["begin", "inside", "after"])
@pytest.mark.parametrize("tier", [Tier.SCHEMA, Tier.DATABASE])
def test_a_worker_killed_in_the_home_step_leaves_one_whole_home(
    app: Portal, instance: Settings, annex: str, tier: Tier, moment: str
) -> None:
    add_annex()
    tenant_id = onboard(tier=tier, server=ANNEX)
    command = [sys.executable, "-m", "tests.onboarding.killed_worker", "home", moment]
    done = subprocess.run(command, env=environment_of(instance), timeout=60, check=False, capture_output=True)
    assert done.returncode == -9, done.stderr.decode()[-2000:]
    expire_leases()
    make_jobs_due()
    run_jobs()
    assert status_of(tenant_id) == "active"
    assert homes_on_annex(tenant_id) == 1


def homes_on_annex(tenant_id: UUID) -> int:
    names = "select nspname from pg_namespace union all select datname from pg_database"
    with owner_at(DatabaseAddress(ANNEX)) as connection:
        return [name for (name,) in connection.execute(names)].count(f"t_{tenant_id.hex}")


@pytest.mark.parametrize("tier", list(Tier))
def test_a_server_that_is_away_fails_the_provisioning_which_then_goes_on(
    app: Portal, instance: Settings, annex: str, tier: Tier
) -> None:
    add_annex()
    urls = ServerUrls(instance)
    known = {login: urls.get(login, DatabaseAddress(ANNEX)) for login in Login}
    urls.replace(ANNEX, {login: f"{url.rpartition(':')[0]}:1/annex" for login, url in known.items()})
    tenant_id = onboard(tier=tier, server=ANNEX)
    run_to_the_end()
    urls.replace(ANNEX, known)
    with platform_scope("test"):
        operation = find_latest_operation(tenant_id)
        assert operation.state == "failed"
        assert "annex" in operation.error
        assert "does not answer; please try again" in operation.error
        retry_operation(operation.id, actor=SETUP)
    run_jobs()
    assert status_of(tenant_id) == "active"


def test_a_spent_connection_budget_is_a_page_that_says_to_try_again(
    app: Portal, annex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_annex()
    route = route_of(onboard(tier=Tier.SCHEMA, server=ANNEX))
    run_jobs()
    engines().dispose()
    visitor = browser(app, f"{route.slug}.localhost")
    monkeypatch.setattr(engines().budget, "limit", 0)
    page = visitor.get("/sign-in")
    monkeypatch.undo()
    assert (page.status, page.response.headers["Retry-After"]) == (503, "5")
    assert "Every database connection of this process is in use" in page.text
    assert visitor.get("/sign-in").status == 200


def test_the_command_names_tier_and_server(app: Portal, annex: str) -> None:
    add_annex()
    with platform_scope("test"):
        seed_catalogue()
    arguments = ["tenant", "create", "acme", "--name", "Acme", "--owner", "bob@acme.example", "--tier", "schema"]
    run = app.test_cli_runner().invoke
    refused = run(args=[*arguments, "--server", "nowhere"])
    assert (refused.exit_code, "There is no server “nowhere”." in refused.output) == (1, True)
    assert run(args=[*arguments, "--server", ANNEX]).exit_code == 0
    with owner_connection() as connection:
        found = connection.execute("select tier, server from control.placements").fetchall()
    assert found == [("schema", ANNEX)]


def test_the_list_is_narrowed_to_a_tier_and_a_server(app: Portal, annex: str) -> None:
    add_annex()
    onboard("acme", tier=Tier.SCHEMA, server=ANNEX)
    onboard("globex", tier=Tier.SCHEMA)
    onboard("initech")
    make_staff_user()
    ada = sign_in_as_ada(app)
    names = "#tenant-table tbody th a"
    assert sorted(ada.get("/tenants?tier=schema").texts(names)) == ["Acme", "Globex"]
    assert ada.get("/tenants?server=annex").texts(names) == ["Acme"]
    assert '"schema","annex"' in ada.get("/tenants.csv?tier=schema&server=annex").text


def test_a_form_with_a_server_that_is_full_comes_back(app: Portal, annex: str) -> None:
    add_annex(capacity=1)
    make_staff_user()
    ada = sign_in_as_ada(app)
    with platform_scope("test"):
        seed_catalogue()
    ada.get("/tenants/new")
    onboard("globex", server=ANNEX)
    owner = {"owner_name": "Bob", "owner_email": "bob@acme.example"}
    page = ada.submit("/tenants", name="Acme", slug="acme", plan="team", server=ANNEX, **owner)
    assert (page.status, page.field_error("server")) == (422, "Choose one of the options.")
