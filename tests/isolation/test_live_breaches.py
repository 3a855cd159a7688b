"""The evidence itself is attacked: a wall is taken down or a value leaks, and the probe names it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import structlog
from sqlalchemy import event, select

from app.audit.models import ControlAuditEvent
from app.core import job_names
from app.core.audit_actions import AuditAction
from app.core.database.owner import owner_connection
from app.core.database.session import db
from app.core.database.tenant_criteria import add_tenant_criterion
from app.core.database.transactions import transaction
from app.core.jobs import enqueue
from app.core.redis import get_redis
from app.core.runtime import current_settings
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.isolation.canaries import Pair
from app.isolation.checks import CHECKS, http
from app.isolation.models import ProbeState
from app.isolation.outcomes import Check
from app.members.models import Member
from app.settings.models import Setting
from app.web.hosts import Portal
from tests.factories import actions_of, rows_of
from tests.isolation.probing import bad_checks, pair_of, probe, see
from tests.isolation.test_attacks_can_fail import FUNCTION, SIGNATURE

Hole = Callable[[Pair], AbstractContextManager[None]]
# What is changed in the database and changed back, and the checks that must notice, all of them.
CHANGES = {
    "row-level security off": (
        "alter table pool.settings disable row level security",
        "alter table pool.settings enable row level security",
        {"rls.read", "rls.change", "rls.add", "rls.policies", "context.missing"} - {"context.missing"},
    ),
    "not forced on the owner": (
        "alter table pool.settings no force row level security",
        "alter table pool.settings force row level security",
        {"rls.policies"},
    ),
    "a second policy": (
        "create policy wide on pool.members for select using (true)",
        "drop policy wide on pool.members",
        {"rls.read", "rls.copy", "rls.policies"},
    ),
    "the platform's login may read": (
        "grant select on pool.members to tenantry_platform",
        "revoke select on pool.members from tenantry_platform",
        {"rls.policies", "logins.platform"},
    ),
    "the platform's login may enter": (
        "grant usage on schema pool to tenantry_platform",
        "revoke usage on schema pool from tenantry_platform",
        {"logins.platform"},
    ),
    "keys can be read": (
        "grant select on tenancy.context_keys to tenantry_tenant",
        "revoke select on tenancy.context_keys from tenantry_tenant",
        {"logins.steps"},
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_wall_that_is_down_is_named(app: Portal, name: str) -> None:
    probe()
    change, undo, expected = CHANGES[name]
    with owner_connection() as owner:
        owner.execute(change)
        try:
            report = probe()
        finally:
            owner.execute(undo)
    found = {check for check, outcome in bad_checks(report).items() if outcome == "failed"}
    assert report.state == "failed"
    assert expected <= found, report.checks
    assert bad_checks(probe()) == {}


def test_a_database_that_does_not_check_signatures_is_noticed(app: Portal) -> None:
    probe()
    with owner_connection() as owner:
        ((whole,),) = owner.execute(FUNCTION).fetchall()
        owner.execute(whole.replace(SIGNATURE, "if false and not exists ("))
        try:
            found = bad_checks(probe())
        finally:
            owner.execute(whole)
    assert found["context.forged"] == found["context.injected"] == "failed"


def test_an_orm_without_its_filter_is_noticed_where_the_database_is_open_too(app: Portal) -> None:
    probe()
    event.remove(db.session, "do_orm_execute", add_tenant_criterion)
    with owner_connection() as owner:
        owner.execute("alter table pool.settings disable row level security")
        try:
            found = bad_checks(probe())
        finally:
            owner.execute("alter table pool.settings enable row level security")
            event.listen(db.session, "do_orm_execute", add_tenant_criterion)
    assert found["orm.filter"] == "failed"


@contextmanager
def redis_key(pair: Pair) -> Iterator[None]:
    get_redis().hset("cache:acme", "name", f"x{pair.b.planted}x")
    yield


@contextmanager
def job_payload(pair: Pair) -> Iterator[None]:
    with platform_scope("test"), transaction():
        enqueue(job_names.JobName.JOBS_PRUNE, {"name": pair.a.planted})
    yield


@contextmanager
def log_file(pair: Pair) -> Iterator[None]:
    path = current_settings().var_dir / "log" / "web.log"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{{"event": "{pair.b.planted}"}}\n')
    try:
        yield
    finally:
        path.unlink()


@contextmanager
def page(pair: Pair) -> Iterator[None]:
    """Let A's own page show what is B's, as a page from a mixed-up cache would."""
    with tenant_scope(pair.a.route, reason="test"), transaction():
        for setting in db.session.scalars(select(Setting)):
            setting.value = pair.b.planted
    yield


LEAKS: dict[str, tuple[Hole, str]] = {
    "redis": (redis_key, "traces.redis"),
    "job payload": (job_payload, "traces.jobs"),
    "log file": (log_file, "traces.logs"),
    "page": (page, "http.pages"),
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_planted_value_that_leaks_is_found(app: Portal, name: str) -> None:
    probe()
    leak, expected = LEAKS[name]
    with leak(pair_of()):
        report = probe()
    assert bad_checks(report) == {expected: "failed"}
    assert pair_of().b.planted.encode() not in report.document


def test_a_line_that_the_probe_itself_causes_is_searched(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    probe()
    whole = http.read_pages

    def careless(pair: Pair) -> str:
        structlog.get_logger().warning("member_seen", name=pair.b.planted)
        return whole(pair)

    replace_check(monkeypatch, "http.pages", careless)
    assert bad_checks(probe()) == {"traces.logs": "failed"}


def test_a_check_that_cannot_run_has_not_passed(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    probe()

    def broken(pair: Pair) -> str:
        raise RuntimeError(pair.b.planted)

    replace_check(monkeypatch, "rls.read", broken)
    report = probe()
    assert bad_checks(report) == {"rls.read": "could not run"}
    assert report.state == see(report.id).state == ProbeState.INCOMPLETE
    assert pair_of().b.planted.encode() not in report.document
    assert AuditAction.ISOLATION_UNPROVEN in actions_of(rows_of(ControlAuditEvent))


def test_a_breach_is_a_security_event_and_so_is_recovery(app: Portal, capfd: pytest.CaptureFixture[str]) -> None:
    probe()
    with redis_key(pair_of()):
        probe()
    get_redis().delete("cache:acme")
    probe()
    probe()
    actions = [action for action in actions_of(rows_of(ControlAuditEvent)) if "probe_requested" not in action]
    assert actions == ["isolation.prepared", "isolation.breached", "isolation.recovered"]
    assert '"event": "isolation_breached"' in capfd.readouterr().err


def test_canaries_without_a_member_are_planted_anew(app: Portal) -> None:
    probe()
    with tenant_scope(pair_of().a.route, reason="test"), transaction():
        for member in db.session.scalars(select(Member)):
            db.session.delete(member)
    assert bad_checks(probe()) == {}


def replace_check(monkeypatch: pytest.MonkeyPatch, name: str, run: Callable[[Pair], str]) -> None:
    """Let one check do something else."""
    changed = tuple(Check(each.name, each.wall, each.title, run) if each.name == name else each for each in CHECKS)
    monkeypatch.setattr("app.isolation.checks.CHECKS", changed)
