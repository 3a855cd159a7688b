"""The command that brings a database to this release, as often as it is called."""

from __future__ import annotations

from app.core.tenancy.scopes import platform_scope
from app.plans.queries import list_plans


def test_it_says_that_the_schema_is_new_and_seeds_the_plans(app):
    for _ in range(2):
        result = app.test_cli_runner().invoke(args=["migrate"])
        assert (result.exit_code, result.output) == (0, "The database is at the newest schema.\n"), result.stderr
    with platform_scope("test"):
        assert [plan.key for plan in list_plans()] == ["starter", "team", "enterprise"]
