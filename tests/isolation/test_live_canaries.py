"""Canaries are tenants of the platform's own: no list, count or command of the platform shows them or acts on them."""

from __future__ import annotations

import pytest

from app.core.database.migrate import migrate_database
from app.core.errors import InputError, NotFoundError, StateError
from app.core.tenancy.scopes import DatabaseAddress, TenantRoute, platform_scope
from app.dashboard.queries import get_platform_overview
from app.isolation.canaries import canary_slug
from app.isolation.preparing import find_pair, prepare_pair
from app.servers import queries as servers
from app.servers import services as server_services
from app.tenants import queries as tenants
from app.tenants import services as tenant_services
from app.tenants.slugs import check_slug
from app.web.hosts import Portal
from app.web.tables import TableState
from tests.factories import SETUP, browser, host_of, make_staff_user, make_tenant, sign_in_as_ada
from tests.isolation.probing import pair_of, probe
from tests.servers.acts import add_annex
from tests.work import run_jobs


@pytest.fixture
def canary(app: Portal) -> TenantRoute:
    """A canary beside Acme."""
    make_tenant("acme")
    probe()
    return pair_of().a.route


def test_no_list_and_no_count_holds_a_canary(canary: TenantRoute) -> None:
    state = TableState(sort="created")
    with platform_scope("test"):
        assert [line.slug for line in tenants.list_tenants(state).rows] == ["acme"]
        assert [line.slug for line in tenants.iterate_tenants(state)] == ["acme"]
        assert tenants.count_tenants(state).count == 1
        assert tenants.list_lines([canary.tenant_id]) == []
        assert servers.count_homes()["main"].total == 1
        assert [home.slug for home in servers.list_homes("main")] == ["acme"]


def test_the_overview_knows_no_canary(canary: TenantRoute) -> None:
    with platform_scope("test"):
        overview = get_platform_overview()
    assert (overview.total, overview.new_this_week) == (1, 1)
    assert [tenant.slug for tenant in overview.newest] == ["acme"]


def test_no_job_and_no_mail_is_made_for_a_canary(canary: TenantRoute) -> None:
    assert run_jobs() == 0


@pytest.mark.parametrize(
    "path", ["/", "/tenants", "/tenants.csv", "/jobs", "/operations", "/audit", "/servers", "/fleet"]
)
def test_no_page_of_the_platform_names_a_canary(app: Portal, canary: TenantRoute, path: str) -> None:
    make_staff_user()
    client = sign_in_as_ada(app)
    page = client.get(path).response.get_data(as_text=True)
    assert "acme" in page.casefold() or path not in ("/", "/tenants", "/tenants.csv")
    assert canary.slug not in page
    assert str(canary.tenant_id) not in page


def test_nobody_acts_on_a_canary(canary: TenantRoute) -> None:
    with platform_scope("test"):
        for act in (tenant_services.suspend_tenant, tenant_services.archive_tenant):
            with pytest.raises(NotFoundError):
                act(canary.tenant_id, reason="because", actor=SETUP)
        with pytest.raises(NotFoundError):
            tenants.get_tenant_by_slug(canary.slug)


def test_a_canary_s_page_is_a_404_for_staff(app: Portal, canary: TenantRoute) -> None:
    make_staff_user()
    client = sign_in_as_ada(app)
    assert client.get(f"/tenants/{canary.tenant_id}").status == 404


@pytest.mark.parametrize("slug", ["isolation-canary-x", "isolation-canary-0a1b-a", "isolation-canary-"])
def test_nobody_signs_up_beside_a_canary(slug: str) -> None:
    with pytest.raises(InputError):
        check_slug(slug)


def test_a_canary_s_host_tells_no_name_of_a_server() -> None:
    assert "frankfurt" not in canary_slug("frankfurt", "a")
    assert canary_slug("frankfurt", "a") != canary_slug("main", "a")


def test_a_canary_s_portal_is_a_portal_like_any_other(app: Portal, canary: TenantRoute) -> None:
    client = browser(app, host_of(canary))
    client.get("/sign-in")
    assert client.status == 200


def test_a_server_that_is_being_removed_gets_no_canaries(app: Portal, annex: str) -> None:
    annex_id = add_annex()
    make_tenant("acme")
    with platform_scope("test"):
        server_services.remove_server(annex_id, actor=SETUP)
    with pytest.raises(StateError, match="annex is being removed"):
        prepare_pair(annex)
    assert find_pair(annex) is None


def test_a_server_with_canaries_alone_can_be_removed_and_comes_back_with_others(app: Portal, annex: str) -> None:
    server_id = add_annex()
    first = set(probe(annex).facts["canaries"])
    files = app.extensions["tenantry_settings"].var_dir / "servers" / annex
    kept = {path: path.read_text() for path in files.iterdir()}
    with platform_scope("test"):
        server_services.remove_server(server_id, actor=SETUP)
    run_jobs()
    with platform_scope("test"):
        assert tenants.list_canaries(annex) == []
    files.mkdir(exist_ok=True)
    for path, text in kept.items():
        path.write_text(text)
    # As registering it again does; the tests after this one want its pool's version in control too.
    migrate_database(app.extensions["tenantry_settings"], DatabaseAddress(annex))
    add_annex()
    assert not first & set(probe(annex).facts["canaries"])
