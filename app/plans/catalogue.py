"""The first catalogue of plans."""

from __future__ import annotations

from typing import Any

GIB = 1024**3
_DEFAULTS = {"region": "eu-central", "time_zone": "Europe/Berlin", "currency": "EUR"}

CATALOGUE: tuple[dict[str, Any], ...] = (
    {
        "key": "starter",
        "name": "Starter",
        "price_label": "Free",
        "summary": "For trying things out with a small team.",
        "position": 1,
        "tier": "pool",
        "limits": {"seats": 5, "storage_bytes": GIB, "api_calls_per_day": 1_000},
        **_DEFAULTS,
    },
    {
        "key": "team",
        "name": "Team",
        "price_label": "€49 a month",
        "summary": "For teams that work in it every day.",
        "position": 2,
        "tier": "pool",
        "limits": {"seats": 50, "storage_bytes": 50 * GIB, "api_calls_per_day": 100_000},
        **_DEFAULTS,
    },
    {
        "key": "enterprise",
        "name": "Enterprise",
        "price_label": "By agreement",
        "summary": "For companies with limits of their own.",
        "position": 3,
        "tier": "database",
        "limits": {"seats": None, "storage_bytes": None, "api_calls_per_day": None},
        **_DEFAULTS,
    },
)
