"""The roles page is made of the vocabulary."""

from __future__ import annotations

import pytest

from app.core.permissions import Permission
from app.credentials.grants import GrantLine, RoleColumn, describe_permission, list_grants


def test_each_permission_is_a_line_that_says_who_has_it() -> None:
    roles = [RoleColumn("Owner", {Permission.WORKSPACE_READ}), RoleColumn("Guest", frozenset())]
    assert list_grants([Permission.WORKSPACE_READ], roles) == [
        GrantLine("Open the workspace", "workspace:read", [True, False])
    ]


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_told_in_words(permission: Permission) -> None:
    assert describe_permission(permission)[0].isupper()
    assert ":" not in describe_permission(permission)
