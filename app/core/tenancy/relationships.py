"""Relationships inside a home: joined on the id, compared on the tenant, never writing the tenant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import and_
from sqlalchemy.orm import Relationship, foreign, relationship


def tenant_relationship(
    target: Callable[[], type[Any]], own: Callable[[], type[Any]], column: str, **kwargs: Any
) -> Relationship[Any]:
    """Relate a row to one of the same tenant through an id column.

    Two plain relationships that share `tenant_id` warn, and setting one to None would clear the row's tenant.
    """

    def condition() -> Any:
        mine, theirs = own(), target()
        return and_(foreign(getattr(mine, column)) == theirs.id, mine.tenant_id == theirs.tenant_id)

    return relationship(target, primaryjoin=condition, **kwargs)
