"""Choices that several pages offer or name: regions, time zones in use, currencies in use."""

from __future__ import annotations

from zoneinfo import available_timezones

from babel.core import get_global

REGIONS = (("eu-central", "EU Central"), ("eu-west", "EU West"), ("us-east", "US East"), ("ap-south", "AP South"))

TIERS = (
    ("pool", "Pool: tables shared with others"),
    ("schema", "Schema: tables of its own"),
    ("database", "Database: a database of its own"),
)

_CONTINENTS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")

# Names by place only; what is left are aliases of these.
TIME_ZONES = (
    ("UTC", "UTC"),
    *((zone, zone.replace("_", " ")) for zone in sorted(available_timezones()) if zone.startswith(_CONTINENTS)),
)


def _current_currencies() -> set[str]:
    """Return the currencies that are legal tender somewhere today.

    Source: Unicode CLDR, supplemental currency data.
    """
    by_territory = get_global("territory_currencies").values()
    return {code for uses in by_territory for code, _start, end, tender in uses if end is None and tender}


CURRENCIES = tuple((code, code) for code in sorted(_current_currencies()))


def name_region(key: str) -> str:
    """Return a region as people read it; one that no form offers any more keeps its key."""
    return dict(REGIONS).get(key, key)
