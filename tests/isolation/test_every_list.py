"""Every list over many tenants: its plan reaches its rows through an index, a tenant's through the tenant."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import text

from app.core import clock
from app.core.config import Settings
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import TenantRoute, platform_scope, tenant_scope
from app.encryption import queries as encryption
from app.jobs import queries as jobs
from app.jobs.queries import JobFilter
from app.members import queries as members
from app.moves import queries as moves
from app.operations import queries as operations
from app.operations.queries import OperationFilter
from app.operations.queries import search_operations as search
from app.settings import queries as settings
from app.staff import queries as staff
from app.tenants import queries as tenants
from app.web.tables import Cursor, TableState, encode_cursor
from tests.architecture.source import APP, ROOT, module_functions, rooms
from tests.isolation import many_rows
from tests.plans import database_of, scans_of
from tests.tenant_rows import make_tenant_rows

NOBODY = uuid4()
BEHIND = encode_cursor(Cursor((clock.now(), NOBODY)), "")
Ask = Callable[[], object]

# What a tenant's portal lists: each of them reaches every table by the tenant's key.
OF_A_TENANT: dict[str, Ask] = {
    "members.list_members": lambda: members.list_members(TableState(search="m 7", filters={"role": "crew"})),
    "members.list_members, active": lambda: members.list_members(TableState(filters={"state": "active"})),
    "members.list_roles": members.list_roles,
    "members.list_roles_to_give": lambda: members.list_roles_to_give(members.find_member_by_email("m1@1.example")),
    "members.list_owners": members.list_owners,
    "members.list_live_sessions": lambda: members.list_live_sessions(NOBODY, clock.now()),
    "members.list_member_events": lambda: members.list_member_events(NOBODY),
    "members.count_members": members.count_members,
    "settings.list_settings": settings.list_settings,
    "settings.has_changed_settings": settings.has_changed_settings,
}
# What the platform's portal lists, and the indexes that serve it.
OF_THE_PLATFORM: dict[str, tuple[Ask, str]] = {
    "operations.search_operations": (partial(search, OperationFilter()), "ix_operations_created_at_id"),
    "operations.search_operations, a later page": (
        partial(search, OperationFilter(), BEHIND),
        "ix_operations_created_at_id",
    ),
    "operations.search_operations, failed": (
        partial(search, OperationFilter(state="failed")),
        "ix_operations_state_created_at_id",
    ),
    "operations.search_operations, a rare kind": (
        partial(search, OperationFilter(kind="erase")),
        "ix_operations_kind_created_at_id",
    ),
    "operations.search_operations, of a tenant": (
        partial(search, OperationFilter(tenant_id=NOBODY)),
        "ix_operations_tenant_id_created_at_id",
    ),
    "operations.find_latest_operation": (
        lambda: operations.find_latest_operation(NOBODY, "provision"),
        "ix_operations_tenant_id_created_at_id",
    ),
    "operations.list_steps": (lambda: operations.list_steps(NOBODY), "pk_operation_steps"),
    "encryption.list_data_keys": (lambda: encryption.list_data_keys(NOBODY), "uq_data_keys_tenant_id_purpose_version"),
    "encryption.list_keks": (lambda: encryption.list_keks(NOBODY), "uq_key_encryption_keys_tenant_id_version"),
    "jobs.list_jobs": (partial(jobs.list_jobs, JobFilter()), "pk_outbox ix_job_index_id"),
    "jobs.list_jobs, failed": (
        partial(jobs.list_jobs, JobFilter(stage="failed")),
        "ix_outbox_failed ix_job_index_failed",
    ),
    "jobs.list_jobs, of a tenant": (
        partial(jobs.list_jobs, JobFilter(tenant_id=NOBODY)),
        "ix_outbox_tenant_id_id pk_job_index",
    ),
    "jobs.list_jobs, scheduled": (
        partial(jobs.list_jobs, JobFilter(stage="scheduled")),
        "ix_outbox_due ix_job_index_due",
    ),
    "moves.search_moves": (lambda: moves.search_moves(TableState()), "ix_moves_created_at_id"),
    "moves.search_moves, of a tenant": (
        lambda: moves.search_moves(TableState(search="tenant 77")),
        "ix_tenants_name_search_id uq_tenants_slug ix_moves_tenant_id_created_at_id",
    ),
    "staff.list_live_sessions": (
        lambda: staff.list_live_sessions(NOBODY, clock.now()),
        "ix_staff_sessions_staff_user_id",
    ),
    "tenants.list_tags": (lambda: tenants.list_tags(NOBODY), "pk_tenant_tags"),
    "tenants.list_metadata": (lambda: tenants.list_metadata(NOBODY), "pk_tenant_metadata"),
    "tenants.list_notes": (lambda: tenants.list_notes(NOBODY), "ix_tenant_notes_tenant_id_created_at"),
    "tenants.list_status_changes": (
        lambda: tenants.list_status_changes(NOBODY),
        "ix_tenant_status_changes_tenant_id_at",
    ),
    "tenants.list_clones": (lambda: tenants.list_clones(NOBODY), "ix_tenants_cloned_from_id_created_at"),
    "tenants.list_facts": (lambda: tenants.list_facts(NOBODY), "pk_tenant_facts"),
    "tenants.list_views": (lambda: tenants.list_views(NOBODY, "tenants"), "uq_saved_views_staff_user_id_list_name"),
}
# Lists that other tests plan, and lists of tables that stay small, with the reason.
ELSEWHERE = {
    "audit.list_events": "tests/audit/test_audit_plans.py",
    "audit.list_tenant_events": "tests/audit/test_audit_plans.py",
    "staff.list_staff_events": "tests/audit/test_audit_plans.py",
    "tenants.list_tenants": "tests/tenants/test_list_at_scale.py",
    "tenants.list_regions": "tests/tenants/test_list_at_scale.py",
    "tenants.list_used_tags": "tests/tenants/test_list_at_scale.py",
}
SMALL = {
    "homes.list_failed_run_homes": "some rows of one run, through its key",
    "homes.search_homes": "a row for each home of its own and each pool, not for each tenant",
    "isolation.list_probed_servers": "the database servers of one platform",
    "isolation.list_reports_of_tenant": "at most a hundred of one server, by a definer function, through its index",
    "isolation.list_standings": "the database servers of one platform",
    "isolation.list_stuck_probes": "at most one a server, through the index of those that are open",
    "isolation.search_probes": "a row for each server and hour, newest first through its indexes",
    "mail.list_mails": "files of a development machine",
    "moves.list_overdue_moves": "no page: a job, through the index of what is kept",
    "onboarding.list_expired_requests": "no page: an hourly job, through the index of status",
    "plans.list_plans": "a handful of plans",
    "servers.list_homes": "at most a page, from the end of the index of placements",
    "servers.list_open_servers": "the database servers of one platform",
    "servers.list_servers": "the database servers of one platform",
    "servers.search_servers": "the database servers of one platform",
    "staff.list_active_admin_ids": "the people of one company",
    "staff.list_staff_page": "the people of one company",
    "staff.list_staff_users": "the people of one company",
    "tenants.list_canaries": "two of each server",
    "tenants.list_expiring": "no page: an hourly job, through the index of days",
    "tenants.list_lines": "at most a page of ids, by the primary key",
}


@pytest.fixture
def acme(app: object, instance: Settings, superuser_url: str) -> TenantRoute:
    """Acme among many tenants, every one with rows in every list."""
    acme = make_tenant_rows("acme")
    many_rows.add_rows(database_of(superuser_url, instance.database_url.get_secret_value()), acme.tenant_id)
    return acme


def test_a_tenants_lists_reach_their_rows_through_the_tenant(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="test"):
        for name, ask in OF_A_TENANT.items():
            scans = scans_of(ask)
            assert scans, name
            assert {scan for scan in scans if not scan.is_narrowed_to_tenant} == set(), name


def test_the_platforms_lists_reach_their_rows_through_their_indexes(acme: TenantRoute) -> None:
    with platform_scope("test"):
        found = {name: {scan.index for scan in scans_of(ask)} for name, (ask, _) in OF_THE_PLATFORM.items()}
    assert found == {name: set(indexes.split()) for name, (_, indexes) in OF_THE_PLATFORM.items()}


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (JobFilter(), "ix_outbox_id"),
        (JobFilter(stage="failed"), "ix_outbox_failed"),
        (JobFilter(stage="pending"), "ix_outbox_due"),
        (JobFilter(tenant_id=NOBODY), "pk_outbox"),
    ],
)
def test_tenants_jobs_are_listed_through_an_index_inside_their_function(
    acme: TenantRoute, wanted: JobFilter, index: str
) -> None:
    with platform_scope("test"), transaction():
        for _ in range(8):  # A function that is called often would otherwise settle on one plan for all.
            before = count_scans()
            jobs.list_jobs(wanted)
            used = {name for name, count in count_scans().items() if count > before[name]}
            assert used == {index}


def count_scans() -> dict[str, int]:
    """Return how often this transaction has scanned the tenants' outbox, by index; "" without one."""
    statement = text(
        "select '', pg_stat_get_xact_numscans('tenancy.outbox'::regclass) union all "
        "select indexrelid::regclass::text, pg_stat_get_xact_numscans(indexrelid) from pg_index "
        "where indrelid = 'tenancy.outbox'::regclass"
    )
    return {name.removeprefix("tenancy."): count for name, count in db.session.execute(statement)}


def test_no_list_is_forgotten() -> None:
    known = {name.partition(",")[0] for name in (*OF_A_TENANT, *OF_THE_PLATFORM, *ELSEWHERE, *SMALL)}
    found = {
        f"{path.relative_to(APP).parts[0]}.{function.name}"
        for path in rooms("queries")
        for function in module_functions(path)
        if function.name.startswith(("list_", "search_"))
    }
    assert found - known == set()
    assert {name for name in known - found if ".list_" in name} == set()
    assert [path for path in ELSEWHERE.values() if not (ROOT / path).is_file()] == []
