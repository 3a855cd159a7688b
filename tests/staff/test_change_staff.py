"""A staff user's role and state change at once, with their sessions; an active admin always remains."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest

from app.audit.models import ControlAuditEvent
from app.core.actors import Actor, ActorKind
from app.core.errors import InputError, NotFoundError, StateError
from app.core.tenancy.scopes import platform_scope
from app.credentials.link_rows import LinkError
from app.staff import queries, services
from app.staff.links import sign_in_url
from app.staff.models import StaffSession, StaffUser
from app.web.hosts import Portal
from tests.factories import (
    ADMIN_HOST,
    PASSWORD,
    SETUP,
    actions_of,
    make_staff_user,
    rows_of,
    sign_in_as_ada,
    visit_to,
    while_uncommitted,
)

GRACE = "grace@platform.example"


def change_role(user_id: UUID, role: str) -> None:
    with platform_scope("test"):
        services.change_role(user_id, role=role, actor=SETUP)


def deactivate(user_id: UUID) -> None:
    with platform_scope("test"):
        services.deactivate_staff_user(user_id, actor=SETUP)


def reactivate(user_id: UUID) -> None:
    with platform_scope("test"):
        services.reactivate_staff_user(user_id, actor=SETUP)


def states() -> dict[str, str]:
    return {user.email: user.state for user in rows_of(StaffUser)}


def test_a_role_change_is_audited_with_both_roles(app: Portal) -> None:
    make_staff_user()
    change_role(make_staff_user(GRACE), "support")
    [event] = [event for event in rows_of(ControlAuditEvent) if event.action == "staff.role_changed"]
    assert event.changes == {"role": ["admin", "support"]}


def test_a_role_that_is_none_is_refused(app: Portal) -> None:
    with pytest.raises(InputError):
        change_role(make_staff_user(), "owner")


def test_the_last_admin_keeps_the_role(app: Portal) -> None:
    ada = make_staff_user()
    make_staff_user("sue@platform.example", role="support")
    with pytest.raises(StateError, match="last active admin"):
        change_role(ada, "support")


def test_the_last_admin_stays_active(app: Portal) -> None:
    ada, grace = make_staff_user(), make_staff_user(GRACE)
    deactivate(grace)
    with pytest.raises(StateError, match="last active admin"):
        deactivate(ada)


def test_two_admins_cannot_deactivate_each_other_at_once(app: Portal) -> None:
    ada, grace = make_staff_user(), make_staff_user(GRACE)
    first = partial(services.deactivate_staff_user, ada, actor=SETUP)
    second = partial(services.deactivate_staff_user, grace, actor=SETUP)
    error = while_uncommitted(app, partial(platform_scope, "test"), first, second)
    assert isinstance(error, StateError)
    assert sorted(states().values()) == ["active", "deactivated"]


def test_two_admins_cannot_step_down_at_once(app: Portal) -> None:
    ada, grace = make_staff_user(), make_staff_user(GRACE)
    first = partial(services.change_role, ada, role="support", actor=SETUP)
    second = partial(services.change_role, grace, role="support", actor=SETUP)
    assert isinstance(while_uncommitted(app, partial(platform_scope, "test"), first, second), StateError)


def test_deactivation_ends_the_sessions(app: Portal) -> None:
    ada = make_staff_user()
    make_staff_user(GRACE)
    browser = sign_in_as_ada(app)
    deactivate(ada)
    assert "/sign-in" in browser.get("/").url
    assert actions_of(rows_of(ControlAuditEvent))[-1] == "staff.deactivated"


def test_deactivation_voids_the_link(app: Portal) -> None:
    make_staff_user()
    with platform_scope("test"):
        user_id = services.create_staff_user(email=GRACE, name="Grace", role="admin", actor=SETUP)
        token = sign_in_url(queries.get_staff_user(user_id)).rpartition("/")[2]
        services.deactivate_staff_user(user_id, actor=SETUP)
        services.reactivate_staff_user(user_id, actor=SETUP)
        with pytest.raises(LinkError):
            services.accept_link(token, password=PASSWORD, visit=visit_to(ADMIN_HOST))


def test_who_is_deactivated_cannot_sign_in_until_reactivated(app: Portal) -> None:
    make_staff_user()
    grace = make_staff_user(GRACE)
    deactivate(grace)
    with platform_scope("test"), pytest.raises(InputError):
        services.sign_in(email=GRACE, password=PASSWORD, visit=visit_to(ADMIN_HOST))
    reactivate(grace)
    with platform_scope("test"):
        assert services.sign_in(email=GRACE, password=PASSWORD, visit=visit_to(ADMIN_HOST))


def test_a_sign_in_at_the_same_moment_comes_too_late(app: Portal) -> None:
    make_staff_user()
    grace = make_staff_user(GRACE)
    first = partial(services.deactivate_staff_user, grace, actor=SETUP)
    second = partial(services.sign_in, email=GRACE, password=PASSWORD, visit=visit_to(ADMIN_HOST))
    assert isinstance(while_uncommitted(app, partial(platform_scope, "test"), first, second), InputError)


def test_a_staff_user_ends_one_of_their_own_sessions_and_nobody_elses(app: Portal) -> None:
    ada, grace = make_staff_user(), make_staff_user(GRACE)
    hers, his = ({row.staff_user_id: row.id for row in rows_of(StaffSession)}[user] for user in (ada, grace))
    actor = Actor(ActorKind.STAFF, "ada", ada)
    with platform_scope("test"):
        services.revoke_session(hers, actor=actor)
        with pytest.raises(NotFoundError):
            services.revoke_session(his, actor=actor)
    assert {row.id: row.revoked_at is None for row in rows_of(StaffSession)} == {hers: False, his: True}


def test_a_state_that_is_there_already_is_refused(app: Portal) -> None:
    make_staff_user()
    grace = make_staff_user(GRACE)
    with pytest.raises(StateError):
        reactivate(grace)
    deactivate(grace)
    with pytest.raises(StateError):
        deactivate(grace)
