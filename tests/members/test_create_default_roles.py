"""A tenant begins with three roles; writing them again changes nothing."""

from __future__ import annotations

from app.audit.models import HomeAuditEvent
from app.core.permissions import Permission
from app.core.tenancy.scopes import TenantRoute, tenant_scope
from app.members import queries, services
from app.members.models import Role
from tests.factories import SETUP, actions_of, rows_of


def test_owner_admin_and_member_come_in_their_order(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="test"):
        roles = queries.list_roles()
    assert [(role.key, role.name, role.built_in) for role in roles] == [
        ("owner", "Owner", True),
        ("admin", "Admin", True),
        ("member", "Member", True),
    ]


def test_writing_them_again_changes_nothing(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="test"):
        services.create_default_roles(actor=SETUP)
    assert len(rows_of(Role, acme)) == 3
    assert actions_of(rows_of(HomeAuditEvent, acme)) == ["roles.created"]


def test_no_role_of_a_tenant_gives_anything_on_the_platform(acme: TenantRoute) -> None:
    granted = set().union(*(role.granted for role in rows_of(Role, acme)))
    assert granted == {item for item in Permission if item.startswith("workspace:")}


def test_a_member_may_look_and_not_manage(acme: TenantRoute) -> None:
    [member] = [role for role in rows_of(Role, acme) if role.key == "member"]
    assert member.granted == {Permission.WORKSPACE_READ, Permission.WORKSPACE_MEMBER_READ}


def test_a_permission_of_a_newer_release_is_passed_over(acme: TenantRoute) -> None:
    assert Role(permissions=["workspace:read", "workspace:fly"]).granted == {Permission.WORKSPACE_READ}
