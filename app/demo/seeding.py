"""Living the demo's month through, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

from app.audit.services import unaudited
from app.core import clock
from app.core.actors import Actor
from app.core.database.session import registry
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.core.runtime import current_settings
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.credentials.link_rows import derive_link_token
from app.credentials.sessions import Visit
from app.demo.annex import ANNEX, has_annex
from app.demo.passwords import demo_password
from app.demo.story import STORIES, Person, TenantStory
from app.members import queries as members_queries
from app.members import services as members
from app.members.models import Member, MemberState
from app.members.services.sessions import member_actor, open_session
from app.onboarding.services import onboard_tenant
from app.operations.queries import find_latest_operation
from app.operations.runner import run_operation
from app.settings import services as settings
from app.settings.queries import get_workspace
from app.tenants import queries as tenants_queries
from app.tenants import services as tenants
from app.tenants.services import TenantDraft
from app.tenants.status import TenantStatus

STAFF = Actor.system("demo")
SIGN_INS_EVERY_DAYS = 4


@unaudited("the services that it calls record what happens")
def seed_demo() -> None:
    """Make the demo's tenants, members and history; what exists already stays as it is.

    Called outside any scope, with the owner's login at hand, because homes are created here and not by a worker.

    Errors: StateError in production.
    """
    if current_settings().is_production:
        raise StateError("The demo is not for production.")
    for story in STORIES:
        tenant_id = _onboard(story)
        with _tenant(tenant_id):
            lived = bool(get_workspace().values["welcome_message"])
        if not lived:
            _live(story, tenant_id)


def _onboard(story: TenantStory) -> UUID:
    with platform_scope("demo looks for its server"):
        is_apart = story.annex_tier is not None and has_annex()
    draft = TenantDraft(
        name=story.name,
        slug=story.slug,
        owner_name=story.owner.name,
        owner_email=story.owner.email(story.slug),
        plan=story.plan,
        submission_key=f"demo:{story.slug}",
        tier=story.annex_tier if is_apart else None,
        server=ANNEX if is_apart else None,
    )
    with clock.shifted(-timedelta(days=story.days_ago)):
        with platform_scope("demo onboards"):
            found = tenants_queries.find_by_submission(f"demo:{story.slug}")
            tenant_id = found.id if found is not None else onboard_tenant(draft, actor=STAFF)
            operation = find_latest_operation(tenant_id)
        assert operation is not None  # noqa: S101  # Its onboarding started one.
        run_operation(operation.id)
    return tenant_id


def _live(story: TenantStory, tenant_id: UUID) -> None:
    for person in (story.owner, *story.people):
        _join(story, tenant_id, person)
    _describe(story, tenant_id)
    _pause(story, tenant_id)
    with _tenant(tenant_id), clock.shifted(-timedelta(days=1)):
        owner = _member(story, story.owner)
        values = {"welcome_message": story.welcome or f"Welcome to {story.name}.", "support_email": owner.email}
        settings.update_workspace(values, actor=member_actor(owner, _visit(story)))


def _join(story: TenantStory, tenant_id: UUID, person: Person) -> None:
    with _tenant(tenant_id), clock.shifted(-timedelta(days=person.invited_days_ago)):
        if members_queries.find_member_by_email(person.email(story.slug)) is None:
            owner = member_actor(_member(story, story.owner), _visit(story))
            email = person.email(story.slug)
            members.invite_member(name=person.name, email=email, role_key=person.role, actor=owner)
        member = _member(story, person)
        if person.accepts and member.state == MemberState.INVITED:
            token = derive_link_token(member)
            members.accept_invitation(token, password=demo_password(), visit=_visit(story))
    if person.accepts:
        _sign_in_now_and_then(story, tenant_id, person)
    if person.leaves_days_ago is not None:
        with _tenant(tenant_id), clock.shifted(-timedelta(days=person.leaves_days_ago)):
            member = _member(story, person)
            if member.state == MemberState.ACTIVE:
                owner = member_actor(_member(story, story.owner), _visit(story))
                members.deactivate_member(member.id, actor=owner)


def _sign_in_now_and_then(story: TenantStory, tenant_id: UUID, person: Person) -> None:
    last_day = person.leaves_days_ago or 1
    for days_ago in range(person.invited_days_ago - 1, last_day, -SIGN_INS_EVERY_DAYS):
        with _tenant(tenant_id), clock.shifted(-timedelta(days=days_ago, hours=len(person.name) % 8)), transaction():
            open_session(_member(story, person), _visit(story))


def _describe(story: TenantStory, tenant_id: UUID) -> None:
    with platform_scope("demo describes"), clock.shifted(-timedelta(days=story.days_ago - 1)):
        for tag in story.tags:
            tenants.add_tag(tenant_id, tag, actor=STAFF)
        if story.note and not tenants_queries.list_notes(tenant_id):
            tenants.add_note(tenant_id, story.note, actor=STAFF)


def _pause(story: TenantStory, tenant_id: UUID) -> None:
    turns = (
        (story.suspended_days_ago, TenantStatus.SUSPENDED),
        (story.reactivated_days_ago, TenantStatus.ACTIVE),
        (story.archived_days_ago, TenantStatus.ARCHIVED),
    )
    for days_ago, status in turns:
        if days_ago is not None:
            with platform_scope("demo changes a status"), clock.shifted(-timedelta(days=days_ago)):
                _turn(story, tenant_id, status)


def _turn(story: TenantStory, tenant_id: UUID, status: TenantStatus) -> None:
    past = {change.to_status for change in tenants_queries.list_status_changes(tenant_id)}
    if status is TenantStatus.SUSPENDED and status not in past:
        tenants.suspend_tenant(tenant_id, reason=story.suspension_reason, actor=STAFF)
    elif status is TenantStatus.ARCHIVED and status not in past:
        tenants.archive_tenant(tenant_id, reason="The trial ended without a contract.", actor=STAFF)
    elif status is TenantStatus.ACTIVE and tenants_queries.get_tenant(tenant_id).status == TenantStatus.SUSPENDED:
        tenants.reactivate_tenant(tenant_id, reason="Paid.", actor=STAFF)


@contextmanager
def _tenant(tenant_id: UUID) -> Iterator[None]:
    route = registry().find_route(tenant_id)
    assert route is not None  # noqa: S101  # It was onboarded a moment ago.
    with tenant_scope(route, reason="demo"):
        yield


def _member(story: TenantStory, person: Person) -> Member:
    found = members_queries.find_member_by_email(person.email(story.slug))
    assert found is not None  # noqa: S101  # Provisioning or the story has invited them.
    return found


def _visit(story: TenantStory) -> Visit:
    return Visit(f"{story.slug}.localhost", "192.0.2.10", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0")
