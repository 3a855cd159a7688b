"""The pages that need an object, a state or a link: where they are in the demo's month, and how they answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from app.clones.services import CloneDraft, start_clone
from app.core import clock
from app.core.database.session import registry
from app.core.ids import new_id
from app.core.runtime import current_settings
from app.core.tenancy.scopes import MAIN_SERVER, Tier, platform_scope, tenant_scope
from app.jobs.queries import JobFilter, list_jobs
from app.members.queries import find_member_by_email
from app.members.services import request_password_reset as request_member_reset
from app.moves.services import start_move
from app.onboarding.services import request_tenant
from app.operations.queries import find_latest_operation
from app.staff.queries import list_staff_users
from app.staff.services import create_staff_user
from app.staff.services import request_password_reset as request_staff_reset
from app.tenants import services
from app.tenants.queries import get_tenant_by_slug
from app.tenants.services import TenantDraft
from tests.factories import ADA, SETUP, deliver_mails, host_of, link_in, visit_to
from tests.isolation.probing import probe
from tests.operations.toys import fail
from tests.servers.acts import add_annex
from tests.work import run_jobs

TENANT_PAGES = (
    "", "/status", "/metadata", "/operations", "/edit", "/suspension", "/archival", "/owner-links", "/audit",
)  # fmt: skip


class Place(NamedTuple):
    """One page: its host, its path and how it answers."""

    host: str
    path: str
    status: int = 200


def object_places() -> Iterator[Place]:
    """Yield the pages of one of each object, of a suspended and a closed tenant, and of errors."""
    yield from _platform_places()
    with platform_scope("test"):
        acme = get_tenant_by_slug("acme")
    with tenant_scope(registry().find_route(acme.id), reason="test"):
        dan = find_member_by_email("dan@acme.example")
    yield from (Place("acme", f"/members/{dan.id}{tail}") for tail in ("", "/deactivation"))
    yield from (Place("", f"/mailbox/{path.stem}") for path in current_settings().mail_dir.glob("*.eml"))
    yield from (Place("hooli", "/suspended"), Place("hooli", "/", 403), Place("vandelay", "/", 403))
    yield from (Place(host, "/nothing-here", 404) for host in ("admin", "acme", ""))


def signed_out_places() -> Iterator[Place]:
    """Yield the pages of those who have no session: sign-in, and behind each kind of link in a mail."""
    yield from (Place("admin", "/sign-in"), Place("acme", "/sign-in"), Place("", "/"), Place("", "/sign-up"))
    with platform_scope("test"):
        acme = registry().find_route(get_tenant_by_slug("acme").id)
        create_staff_user(email="hal@platform.example", name="Hal Stone", role="support", actor=SETUP)
        request_staff_reset(email=ADA, visit=visit_to("admin.localhost"))
        request_tenant(TenantDraft("Umbrella", "umbrella", "Hal", "hal@umbrella.example", "team"), actor=SETUP)
    with tenant_scope(acme, reason="test"):
        request_member_reset(email="dan@acme.example", visit=visit_to(host_of(acme)))
    for mail in deliver_mails():
        link = urlsplit(link_in(mail))
        yield Place((link.hostname or "").removesuffix("localhost").rstrip("."), link.path)


def _platform_places() -> Iterator[Place]:
    annex_id = add_annex()
    with platform_scope("test"):
        acme, initech, hooli = (get_tenant_by_slug(slug).id for slug in ("acme", "initech", "hooli"))
        bulk_id = services.tag_tenants([acme, new_id()], "vip", actor=SETUP)
        services.suspend_tenant(initech, reason="The trial is over.", actor=SETUP)
        services.archive_tenant(initech, reason="Nobody came back.", actor=SETUP)
        operation, job = find_latest_operation(acme), list_jobs(JobFilter()).rows[0]
        (ada,) = list_staff_users()
        eve_id = create_staff_user(email="eve@platform.example", name="Eve Stone", role="support", actor=SETUP)
    move_id, clone_id, probe_id = _kept_move(), _clone(acme), probe().id
    failed_id = fail(registry().find_route(acme), "last")
    paths = [
        *(f"/tenants/{acme}{tail}" for tail in TENANT_PAGES), f"/tenants/{initech}/unarchival",
        *(f"/tenants/{hooli}{tail}" for tail in ("", "/archival", "/reactivation")),
        *(f"/moves/{move_id}{tail}" for tail in ("", "/return", "/purge")), f"/tenants/{hooli}/moves/new",
        *(f"/tenants/{tenant_id}/clones/new" for tenant_id in (acme, initech)),
        *(f"/tenants/{clone_id}{tail}" for tail in ("", "/expiry")), "/tenants?origin=clones",
        f"/tenants/bulk-results/{bulk_id}", f"/operations/{operation.id}", f"/jobs/{job.id}", f"/staff/{ada.id}",
        f"/staff/{eve_id}", f"/staff/{eve_id}/deactivation", f"/operations/{failed_id}/compensation",
        *(f"/servers/{annex_id}{tail}" for tail in ("", "/edit", "/removal", "/url-changes")),
        f"/tenants/{acme}/keys", f"/fleet/home?server={MAIN_SERVER}&name=pool", f"/isolation/probes/{probe_id}",
    ]  # fmt: skip
    yield from (Place("admin", path) for path in paths)
    yield Place("acme", f"/isolation/reports/{probe_id}")


def _clone(source_id: UUID) -> UUID:
    with platform_scope("test"):
        expires_on = clock.now().date() + timedelta(days=30)
        draft = CloneDraft(
            "Acme copy", "acme-copy", "Eve Adams", "eve@copy.example", Tier.POOL, MAIN_SERVER, expires_on
        )
        clone_id = start_clone(source_id, draft, actor=SETUP)
    run_jobs(may_fail=True)
    return clone_id


def _kept_move() -> UUID:
    with platform_scope("test"):
        tenant_id = get_tenant_by_slug("globex").id
        move_id = start_move(tenant_id, tier=Tier.SCHEMA, server=MAIN_SERVER, actor=SETUP)
    run_jobs(may_fail=True)
    return move_id
