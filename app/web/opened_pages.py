"""Pages of lists whose search and order need encrypted values: rows are opened, searched and sorted in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar
from uuid import UUID

from app.web.tables import CursorValue, Page, TableState, build_page, decode_cursor

T = TypeVar("T")
SortValue = Callable[[T], CursorValue]


def sort_opened(rows: Iterable[T], value: SortValue[T], id_of: Callable[[T], UUID], *, descending: bool) -> list[T]:
    """Sort opened rows by a value, then by id."""
    return sorted(rows, key=lambda row: (value(row), id_of(row)), reverse=descending)


def page_opened(
    rows: Iterable[T], state: TableState, value: SortValue[T], kind: type, id_of: Callable[[T], UUID], *, limit: int
) -> Page[T]:
    """Return the page of opened rows that the state names.

    Shape: `value` gives what the state's sort is by, of one kind for every row.
    """
    cursor = decode_cursor(state.cursor, state.sort, (kind, UUID))
    if cursor is not None and None in cursor.values:
        cursor = None  # A forged one: no row has a place without a value.
    descending = state.descending != (cursor is not None and cursor.backward)
    placed = sorted((((value(row), id_of(row)), row) for row in rows), key=lambda pair: pair[0], reverse=descending)
    if cursor is not None:
        there = cursor.values
        placed = [pair for pair in placed if (pair[0] < there if descending else pair[0] > there)]
    return build_page(
        [row for _place, row in placed[: limit + 1]],
        limit=limit,
        cursor=cursor,
        sort=state.sort,
        values=lambda row: (value(row), id_of(row)),
    )
