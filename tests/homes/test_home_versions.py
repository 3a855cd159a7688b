"""Each home's version: written with the home, copied for routing, and what a version means to who works in the home."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.core.database.owner import owner_connection
from app.core.database.transactions import transaction
from app.core.database.versions import newest_version, serves
from app.core.job_names import JobName
from app.core.jobs import JobState, TenantJob, enqueue
from app.core.tenancy.scopes import TenantRoute, Tier, tenant_scope
from app.homes.building import drop_home
from app.web.hosts import Portal
from tests.factories import browser, host_of, rows_of
from tests.homes.placing import PLACES, make_home
from tests.homes.releases import Release
from tests.tenant_rows import route_of
from tests.work import run_jobs

RECORDED = "select version from tenancy.home_versions where schema_name = %s"
COPIED = "select count(*) from control.home_versions where schema_name = %s"


def set_copy(route: TenantRoute, version: str) -> TenantRoute:
    """Let routing believe that a home has a version."""
    with owner_connection() as control:
        control.execute(
            "update control.home_versions set version = %s where schema_name = %s and server = %s",
            (version, route.placement.schema, route.placement.server),
        )
    return route_of(route.tenant_id)


def recorded_version(route: TenantRoute) -> str | None:
    """Return what the home's own database says."""
    with owner_connection(route.placement.address) as connection:
        row = connection.execute(RECORDED, (route.placement.schema,)).fetchone()
    return row[0] if row else None


@pytest.mark.parametrize(("tier", "server"), PLACES)
def test_a_new_home_has_its_version_where_it_lies_and_in_its_route(app: Portal, annex: str, tier: Tier, server: str):
    acme = make_home("acme", tier, server)
    newest = newest_version("tenant")
    assert (recorded_version(acme), acme.home_version) == (newest, newest)


@pytest.mark.parametrize(("tier", "server"), PLACES)
def test_a_home_taken_down_leaves_no_version(app: Portal, annex: str, tier: Tier, server: str) -> None:
    acme = make_home("acme", tier, server)
    drop_home(acme.tenant_id, acme.placement)
    with owner_connection() as control:
        kept = control.execute(COPIED, (acme.placement.schema,)).fetchone()[0]
    assert kept == (2 if tier is Tier.POOL else 0)  # Two servers' pools.
    if tier is Tier.SCHEMA:
        assert recorded_version(acme) is None


def test_a_release_serves_its_version_and_the_one_before(release: Release) -> None:
    before, newest = newest_version("tenant"), release.add()
    older, newer = f"{int(before) - 1:04}", f"{int(newest) + 1:04}"
    assert [serves(version) for version in (older, before, newest, newer, None)] == [False, True, True, False, False]


@pytest.mark.parametrize("version", ["0000", "9999"])
def test_a_home_behind_or_ahead_answers_503_and_its_neighbour_works(app: Portal, version: str) -> None:
    acme, globex = make_home("acme", Tier.SCHEMA, "main"), make_home("globex", Tier.SCHEMA, "main")
    set_copy(acme, version)
    refused, served = browser(app, host_of(acme)).get("/sign-in"), browser(app, host_of(globex)).get("/sign-in")
    assert (refused.status, refused.response.headers["Retry-After"], served.status) == (503, "30", 200)
    assert "is being upgraded" in refused.text


def test_jobs_of_a_home_that_is_behind_wait_and_run_when_it_is_not(app: Portal) -> None:
    acme = make_home("acme", Tier.SCHEMA, "main")
    job_id = enqueue_facts(acme)
    set_copy(acme, "0000")
    run_jobs()
    assert states(acme, job_id) == JobState.PENDING
    set_copy(acme, newest_version("tenant"))
    with owner_connection() as connection:
        connection.execute("update tenancy.outbox set run_at = now() - interval '1 s', lease_until = null")
    run_jobs()
    assert states(acme, job_id) == JobState.DONE


def enqueue_facts(route: TenantRoute) -> UUID:
    """Write a small job of a tenant."""
    with tenant_scope(route, reason="test"), transaction():
        return enqueue(JobName.MEMBERS_PUBLISH_FACTS)


def states(route: TenantRoute, job_id: UUID) -> str:
    """Return the state of a tenant's job."""
    return next(job.state for job in rows_of(TenantJob, route) if job.id == job_id)
