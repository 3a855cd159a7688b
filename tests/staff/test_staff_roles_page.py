"""The roles page shows what each role of the staff gives."""

from __future__ import annotations

from app.core.permissions import Permission
from app.staff.roles import PLATFORM_PERMISSIONS, StaffRole
from app.web.hosts import Portal
from tests.factories import ADMIN_HOST, make_staff_user, sign_in


def test_every_permission_of_the_platform_is_shown_for_every_role(app: Portal) -> None:
    make_staff_user("sam@platform.example", role="support")
    page = sign_in(app, ADMIN_HOST, "sam@platform.example").get("/staff/roles")
    assert page.texts("tbody code") == list(PLATFORM_PERMISSIONS)
    assert Permission.WORKSPACE_READ not in page.texts("tbody code")
    for role in StaffRole:
        cells = [row.findall("td")[list(StaffRole).index(role)] for row in page.select("tbody tr")]
        given = ["grant-yes" in cell.get("class") for cell in cells]
        assert given == [item in role.permissions for item in PLATFORM_PERMISSIONS]
