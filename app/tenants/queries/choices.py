"""What the list can be narrowed to: the values that tenants have."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute

from app.core.database.session import db
from app.tenants.models import Tenant, TenantTag

MOST_CHOICES = 200


def list_regions() -> list[str]:
    """Return the regions that tenants are in."""
    return _distinct(Tenant.region)


def list_used_tags() -> list[str]:
    """Return the tags that tenants have."""
    return _distinct(TenantTag.tag)


def _distinct(column: InstrumentedAttribute[str]) -> list[str]:
    """Return an indexed column's values, one index probe a value; DISTINCT would read every row.

    Source: PostgreSQL wiki, Loose indexscan.
    """
    least: Any = select(column.label("value")).order_by(column).limit(1)
    found = least.cte("found", recursive=True)
    following = select(column).where(column > found.c.value).order_by(column).limit(1).scalar_subquery()
    found = found.union_all(select(following).where(found.c.value.is_not(None)))
    statement = select(found.c.value).where(found.c.value.is_not(None)).limit(MOST_CHOICES)
    return list(db.session.scalars(statement))
