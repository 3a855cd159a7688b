"""Moving a home from the platform portal."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.core.database.owner import owner_connection
from app.core.database.session import engines
from app.core.errors import InputError, StateError
from app.core.tenancy.scopes import TenantRoute, Tier, platform_scope
from app.moves.queries import find_open_move
from app.moves.services import start_move
from app.moves.views.admin import CSV_HEADER
from app.servers.services import measure_servers
from app.web.hosts import Portal
from tests.factories import SETUP, make_staff_user, sign_in
from tests.moves.stock import make_stocked
from tests.page import PageClient
from tests.servers.acts import add_annex
from tests.tenant_rows import make_tenant_rows, route_of
from tests.work import run_jobs


@pytest.fixture
def ada(ada: PageClient, annex: str) -> PageClient:
    """Ada's browser; there is a second server."""
    add_annex()
    return ada


@pytest.fixture
def acme(ada: PageClient) -> TenantRoute:
    return make_stocked("acme", Tier.POOL, "main")


def move_url(tenant: TenantRoute) -> str:
    with platform_scope("test"):
        return f"/moves/{find_open_move(tenant.tenant_id).id}"


def ask_for(ada: PageClient, tenant: TenantRoute, tier: str, server: str) -> None:
    ada.get(f"/tenants/{tenant.tenant_id}/moves/new")
    ada.submit(f"/tenants/{tenant.tenant_id}/moves", tier=tier, server=server)


def test_ada_moves_a_home_sees_it_arrive_and_takes_it_back(ada: PageClient, acme: TenantRoute) -> None:
    ada.get(f"/tenants/{acme.tenant_id}")
    assert "Move the home" in ada.text
    ada.get(f"/tenants/{acme.tenant_id}/moves/new")
    assert [option.get("value") for option in ada.select("main option[selected]")] == ["schema", "main"]
    ask_for(ada, acme, "schema", "annex")
    assert "The move has begun" in ada.text
    assert [bar.get("value") for bar in ada.select("progress")] == ["0"]
    run_jobs()
    url = move_url(acme)
    ada.get(url)
    assert "Kept" in ada.text
    assert route_of(acme.tenant_id).placement.server == "annex"
    ada.get(f"{url}/return")
    assert "What was written since" in ada.text
    ada.submit(f"{url}/return")
    run_jobs()
    ada.get(url)
    assert "Returned" in ada.text
    assert route_of(acme.tenant_id).placement.server == "main"


def test_the_old_home_goes_only_by_the_tenants_name(ada: PageClient, acme: TenantRoute) -> None:
    ask_for(ada, acme, "database", "annex")
    run_jobs()
    url = move_url(acme)
    ada.get(f"{url}/purge")
    assert "cannot be undone" in ada.text
    ada.submit(f"{url}/purge", name="globex")
    assert (ada.status, "Type acme to confirm." in ada.text) == (422, True)
    ada.submit(f"{url}/purge", name="acme")
    assert "being dropped" in ada.text
    run_jobs()
    ada.get(url)
    assert "Finished" in ada.text


def test_ada_sees_what_is_needed_and_free_before_and_what_was_found_afterwards(
    ada: PageClient, acme: TenantRoute, annex_away: Callable[[], None]
) -> None:
    page = f"/tenants/{acme.tenant_id}/moves/new"
    assert "Measured in the first step" in ada.get(page).text
    assert "Not measured yet" in ada.text
    with platform_scope("test"):
        measure_servers()
    assert "room is not checked, because no limit is set" in ada.get(page).text
    with owner_connection() as owner:
        owner.execute("update control.servers set storage_bytes = size_bytes + 300 * 1048576 where name = 'annex'")
    assert "300.0 MiB of" in ada.get(page).text
    globex = make_stocked("globex", Tier.SCHEMA, "annex")
    assert "About" in ada.get(f"/tenants/{globex.tenant_id}/moves/new").text
    ask_for(ada, acme, "schema", "annex")
    run_jobs()
    assert "It needs about" in ada.get(move_url(acme)).text
    annex_away()
    engines().dispose()
    assert "Measured in the first step" in ada.get(f"/tenants/{globex.tenant_id}/moves/new").text


def test_where_the_home_lies_already_is_an_error_beside_the_field(ada: PageClient, acme: TenantRoute) -> None:
    ask_for(ada, acme, "pool", "main")
    assert ada.status == 422
    assert "there already" in ada.field_error("tier")


def test_a_tier_that_is_none_comes_back_and_a_move_that_is_none_is_404(ada: PageClient, acme: TenantRoute) -> None:
    ada.get(f"/tenants/{acme.tenant_id}/moves/new")
    token = ada.select("input[name=csrf_token]")[0].get("value")
    data = {"csrf_token": token, "tier": "cellar", "server": "annex"}
    path = f"/tenants/{acme.tenant_id}/moves"
    assert ada.client.post(path, data=data, base_url="http://admin.localhost").status_code == 422
    assert ada.get(f"/moves/{acme.tenant_id}").status == 404


def test_a_server_that_takes_no_more_homes_is_an_error_beside_the_field(ada: PageClient, acme: TenantRoute) -> None:
    ada.get(f"/tenants/{acme.tenant_id}/moves/new")
    with owner_connection() as owner:
        owner.execute("update control.servers set accepts_homes = false where name = 'annex'")
    with platform_scope("test"), pytest.raises(InputError, match="annex"):
        start_move(acme.tenant_id, tier=Tier.SCHEMA, server="annex", actor=SETUP)
    with platform_scope("test"):
        assert find_open_move(acme.tenant_id) is None


def test_a_tenant_whose_last_move_is_open_says_so(ada: PageClient, acme: TenantRoute) -> None:
    ask_for(ada, acme, "schema", "annex")
    run_jobs()
    ada.get(f"/tenants/{acme.tenant_id}/moves/new")
    assert "It cannot move now" in ada.text
    with platform_scope("test"), pytest.raises(StateError, match="finish it or go back"):
        start_move(acme.tenant_id, tier=Tier.DATABASE, server="annex", actor=SETUP)


def test_the_list_shows_moves_filters_them_and_exports_them(ada: PageClient, acme: TenantRoute) -> None:
    ada.get("/moves")
    assert "No home has moved yet" in ada.text
    ask_for(ada, acme, "schema", "annex")
    ada.get("/moves")
    assert "schema on annex" in ada.text
    ada.get("/moves?state=kept")
    assert "No move matches" in ada.text
    ada.get("/moves.csv")
    header, line = ada.text.strip().splitlines()
    assert header.replace('"', "") == ",".join(CSV_HEADER)
    assert f'"{acme.tenant_id}","running","pool on main","schema on annex"' in line


def test_a_list_of_many_moves_has_pages(ada: PageClient, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.moves.queries.PAGE_ROWS", 1)
    globex = make_tenant_rows("globex")
    ask_for(ada, acme, "schema", "annex")
    ask_for(ada, globex, "schema", "annex")
    ada.get("/moves")
    assert ("globex" in ada.text, "acme" in ada.text) == (True, False)
    [following] = [link.get("href") for link in ada.select("a#page-next")]
    ada.get(following)
    assert ("globex" in ada.text, "acme" in ada.text) == (False, True)
    [before] = [link.get("href") for link in ada.select("a#page-previous")]
    ada.get(before)
    assert "globex" in ada.text


def test_support_may_look_and_not_move(app: Portal, ada: PageClient, acme: TenantRoute) -> None:
    ask_for(ada, acme, "schema", "annex")
    make_staff_user("sam@platform.example", role="support", name="Sam Vimes")
    sam = sign_in(app, "admin.localhost", "sam@platform.example")
    sam.get(move_url(acme))
    assert sam.status == 200
    sam.get(f"/tenants/{acme.tenant_id}/moves/new")
    assert sam.status == 403


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=GLO", ["globex"]),
        ("?q=ac", ["acme"]),
        ("?q=lobex", []),
        ("?q=acme&state=kept", []),
        ("?q=a&state=running", ["acme"]),
    ],
)
def test_moves_are_found_by_the_beginning_of_a_tenants_name(
    ada: PageClient, acme: TenantRoute, query: str, found: list[str]
) -> None:
    for tenant in (acme, make_tenant_rows("globex")):
        ask_for(ada, tenant, "schema", "annex")
    ada.get(f"/moves{query}")
    assert ada.page.texts("#move-table tbody th a") == found
    assert len(ada.get(f"/moves.csv{query}").text.strip().splitlines()) == 1 + len(found)
    assert ("No move matches" in ada.get(f"/moves{query}").text) == (not found)
