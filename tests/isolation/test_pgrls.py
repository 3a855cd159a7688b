"""pgrls, a linter that others wrote, finds nothing in any home and in what lies beside homes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.database.versions import TEMPLATE_SCHEMA
from app.core.tenancy.scopes import DatabaseAddress, Login, Tier
from tests.isolation.grounds import Ground, every_tier, ground, grounds, home_of

__all__ = ["ground", "grounds"]
PROGRAM = Path(sys.executable).with_name("pgrls")
# Our rules say otherwise, and tests/isolation/catalog.py keeps them.
BY_DESIGN_IN_HOMES = {
    "SEC003",  # A home's policy names no role, so that the owner is under it as well.
    "SEC007",  # One policy a table, which catalog.py insists on, leaves nothing that could be opened by OR.
}
BY_DESIGN_BESIDE = BY_DESIGN_IN_HOMES | {
    "SEC005",  # Owner and platform see the whole control plane, by a policy that says so;
    "SEC008",  # the tenant login's policy is an equality.
    "SEC028",
    "SEC038",
    "SEC013",  # Triggers call the definer functions of schema tenancy.
    "SEC014",  # Those are named and granted one by one, with a fixed search_path.
}
# Alembic's own, and what only the owner's definer functions read: no grant to anybody.
OUTSIDE = {"alembic_version", "changed_keys", "context_keys", "home_versions", "homes"}


def lint(ground: Ground, address: DatabaseAddress, *schemas: str, without: set[str]) -> list[str]:
    """Return what pgrls finds in schemas of a database, whatever it thinks of its weight."""
    url = ServerUrls(ground.settings).get(Login.OWNER, address)
    exclusions = [word for rule in sorted(without) for word in ("--exclude-rule", rule)]
    command = [PROGRAM, "lint", "--database-url", url, "--schemas", ",".join(schemas), "--format", "json", *exclusions]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode in (0, 1), run.stderr
    found = json.loads(run.stdout)["violations"]
    return [
        f"{fault['rule_id']} {fault['location']}"
        for fault in found
        if fault["rule_id"] != "SEC001" or fault["location"].rpartition(".")[2] not in OUTSIDE
    ]


@every_tier
def test_a_home_is_clean(ground: Ground) -> None:
    home = home_of(ground.globex)
    assert lint(ground, home.address, home.schema, without=BY_DESIGN_IN_HOMES) == []


@pytest.mark.parametrize("ground", [Tier.POOL], indirect=True, ids=str)
def test_the_template_and_what_lies_beside_homes_are_clean(ground: Ground) -> None:
    main = home_of(ground.globex).address
    assert lint(ground, main, TEMPLATE_SCHEMA, without=BY_DESIGN_IN_HOMES) == []
    assert lint(ground, main, "control", "tenancy", without=BY_DESIGN_BESIDE) == []


@pytest.mark.parametrize("ground", [Tier.SCHEMA], indirect=True, ids=str)
def test_a_hole_is_found(ground: Ground) -> None:
    home = home_of(ground.globex)
    with owner_connection(home.address) as owner:
        owner.execute(f"create policy wide on {home.schema}.settings using (true)")
        owner.execute(f"alter table {home.schema}.roles no force row level security")
    found = lint(ground, home.address, home.schema, without=BY_DESIGN_IN_HOMES)
    assert {f"SEC008 {home.schema}.settings.wide", f"SEC002 {home.schema}.roles"} <= set(found)
