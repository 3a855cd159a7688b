"""Onboarding: from the platform's form to an active tenant, and how many a minute, with all that `make run` starts."""

from __future__ import annotations

import time
from collections.abc import Iterator

from app.core.actors import Actor
from app.core.tenancy.scopes import platform_scope
from app.onboarding.services import onboard_tenant
from app.tenants.services import TenantDraft
from tests.bench.figures import Figure
from tests.bench.stage import Pool, Stage
from tests.bench.tenant_list import make_ada, sign_in_as_ada
from tests.bench.visitors import Visitor

PATIENCE_SECONDS = 120
WARM_UP = 2
POLL_SECONDS = 0.002
ACTIVE = "select count(*) from control.tenants where slug like %s and status = 'active'"
# By the product's own words: when the form's transaction began, and when the status became active.
OWN_SECONDS = """
select extract(epoch from max(c.at) filter (where c.to_status = 'active') - min(t.created_at))
from control.tenants t join control.tenant_status_changes c on c.tenant_id = t.id where t.slug = %s
"""


def measure_onboarding(stage: Stage) -> Iterator[Figure]:
    """Send the form again and again, each time waiting for the tenant; then ask for many at once."""
    pool, count = stage.pool(stage.scale.most_tenants), stage.scale.onboarded
    make_ada(pool)
    web = stage.web(pool)
    stage.start_workers(pool)
    ada = sign_in_as_ada(web.port)
    times = [_submit_and_wait(pool, ada, f"form-{number:03}") for number in range(WARM_UP + count)][WARM_UP:]
    answered = [answer for answer, _active, _own in times]
    own = [own for _answer, _active, own in times]
    yield Figure.of_rounds(
        "submit_to_active_seconds",
        [active for _answer, active, _own in times],
        "s",
        answered_seconds=round(sorted(answered)[count // 2], 3),
        created_to_active_seconds=round(sorted(own)[count // 2], 3),
    )
    rates = [_onboard_many(pool, f"many-{number}", count) for number in range(3)]
    yield Figure.of_rounds("onboarding_tenants_per_minute", rates, "1/min", tenants=count)


def _submit_and_wait(pool: Pool, ada: Visitor, slug: str) -> tuple[float, float, float]:
    """Return the seconds from sending the form to its answer and to the active tenant, and the product's own."""
    fields = ada.hidden_fields("/tenants/new")
    given = {"name": slug, "slug": slug, "plan": "team", "owner_name": "Bob", "owner_email": f"bob@{slug}.example"}
    began = time.perf_counter()
    status, page = ada.ask("POST", "/tenants", fields | given)
    answered = time.perf_counter() - began
    assert status == 303, (status, page)
    _await_active(pool, slug, 1)
    active = time.perf_counter() - began
    (own,) = pool.connection.execute(OWN_SECONDS, (slug,)).fetchone() or (0,)
    return answered, active, float(own)


def _onboard_many(pool: Pool, prefix: str, count: int) -> float:
    """Return how many a minute become active when so many are asked for one after the other."""
    began = time.perf_counter()
    with pool.app(), platform_scope("bench"):
        for number in range(count):
            slug = f"{prefix}-{number:03}"
            draft = TenantDraft(slug, slug, "Bob", f"bob@{slug}.example", "team", submission_key=f"bench:{slug}")
            onboard_tenant(draft, actor=Actor.system("bench"))
    _await_active(pool, f"{prefix}-%", count)
    return count * 60 / (time.perf_counter() - began)


def _await_active(pool: Pool, pattern: str, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while pool.connection.execute(ACTIVE, (pattern,)).fetchone() != (count,):
        assert time.monotonic() < deadline, f"{pattern} did not become active"
        time.sleep(POLL_SECONDS)
