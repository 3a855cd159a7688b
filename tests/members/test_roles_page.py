"""The roles page shows what each role of the workspace gives."""

from __future__ import annotations

from app.core.permissions import Permission
from app.core.tenancy.scopes import TenantRoute
from app.members.roles import BUILT_IN_ROLES, WORKSPACE_PERMISSIONS
from app.web.hosts import Portal
from tests.factories import host_of, make_member, sign_in


def test_every_permission_of_the_workspace_is_shown_for_every_role(app: Portal, acme: TenantRoute) -> None:
    make_member(acme, "dora@acme.example")
    page = sign_in(app, host_of(acme), "dora@acme.example").get("/roles")
    assert page.texts("tbody code") == list(WORKSPACE_PERMISSIONS)
    for role in BUILT_IN_ROLES:
        given = [item in role.permissions for item in WORKSPACE_PERMISSIONS]
        cells = page.select(f"td[data-label={role.name}]")
        assert ["grant-yes" in cell.get("class") for cell in cells] == given


def test_no_permission_of_the_platform_is_shown(app: Portal, acme: TenantRoute) -> None:
    make_member(acme, "dora@acme.example")
    page = sign_in(app, host_of(acme), "dora@acme.example").get("/roles")
    assert Permission.TENANT_SUSPEND not in page.text
