"""Facts as people read them: a label, a value with its unit, and the time of which it is true."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.tenants.models import TenantFact

_BYTE_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class FactLine:
    """One fact for show; `at` is set where the value is a moment."""

    label: str
    value: str
    as_of: datetime
    at: datetime | None = None


def list_fact_lines(facts: dict[str, TenantFact]) -> list[FactLine]:
    """Return facts for show, by key; a key's suffix says its unit."""
    return [_line(key, fact) for key, fact in sorted(facts.items())]


def format_bytes(count: int) -> str:
    """Return a size as people read it.

    Units: bytes, in steps of 1024.
    Source: IEC 80000-13.
    """
    size, unit = float(count), 0
    while size >= 1024 and unit < len(_BYTE_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} {_BYTE_UNITS[unit]}" if unit == 0 else f"{size:.1f} {_BYTE_UNITS[unit]}"


def _line(key: str, fact: TenantFact) -> FactLine:
    name, _, unit = key.rpartition("_")
    named = (name if unit in {"count", "bytes", "at"} and name else key).replace("_", " ").capitalize()
    moment = _moment(fact.value) if unit == "at" else None
    return FactLine(named, _value(unit, fact.value), fact.as_of, moment)


def _value(unit: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if not isinstance(value, int):
        return str(value)
    return format_bytes(value) if unit == "bytes" else f"{value:,}"


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None
