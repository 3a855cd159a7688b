"""Isolation in words: where a home lies, and how a server stands."""

from __future__ import annotations

from typing import Final

from app.core.tenancy.scopes import Placement, Tier

# How a server stands, by key: label, tone, sentence.
STANDINGS: Final = {
    "proven": ("Isolation proven", "success", "Every wall was tried on this server, and each has held."),
    "breached": (
        "Isolation breached",
        "danger",
        "The last probe got past a wall on this server. The report names the check; treat it as an incident.",
    ),
    "unproven": (
        "Isolation unproven",
        "warning",
        "No recent probe has tried every wall on this server. Look whether the workers run, and check now.",
    ),
}
_HOMES: Final = {
    Tier.POOL: "In tables that several tenants share. Each row bears its tenant, and the database itself shows and "
    "changes only the rows of the tenant whose signed context a request carries.",
    Tier.SCHEMA: "In tables of your own, in a schema that holds no other tenant, on a database that others share. The "
    "database itself still checks each row’s tenant.",
    Tier.DATABASE: "In a database of your own, with a key of its own. The database itself still checks each row’s "
    "tenant.",
}


def describe_home(placement: Placement) -> tuple[str, str]:
    """Return a home's tier and what it means, for those whose home it is."""
    return placement.tier.value.capitalize(), _HOMES[placement.tier]
