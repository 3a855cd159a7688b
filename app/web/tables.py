"""Lists as pages: the state of a list in its URL, keyset cursors, and the same list as CSV."""

from __future__ import annotations

import base64
import binascii
import csv
import io
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Generic, Self, TypeVar
from urllib.parse import urlencode
from uuid import UUID

from flask import Response
from werkzeug.datastructures import MultiDict

T = TypeVar("T")
CursorValue = str | int | datetime | date | UUID | None

MAX_SEARCH_CHARACTERS = 200
MAX_CURSOR_CHARACTERS = 2_000
# A spreadsheet runs a cell that begins with one of these as a formula; some take the full-width forms for the same.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class TableState:
    """What a list shows: search text, filters, order and place, all of it in the address."""

    search: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)
    sort: str = ""
    descending: bool = False
    cursor: str | None = None
    default_sort: str = ""

    @classmethod
    def from_args(
        cls,
        args: MultiDict[str, str],
        *,
        sorts: Sequence[str] = (),
        default_sort: str = "",
        filters: Mapping[str, Collection[str] | None] | None = None,
    ) -> Self:
        """Read the state from a query; what is unknown or malformed counts as absent.

        Shape: `default_sort` has a leading dash for descending; `filters` gives each name its values, None for any.
        """
        wanted = args.get("sort", default_sort)
        sort = wanted if wanted.removeprefix("-") in sorts else default_sort
        given = {name: args.get(name, "").strip()[:MAX_SEARCH_CHARACTERS] for name in filters or {}}
        return cls(
            search=_without_nul(" ".join(args.get("q", "").split())[:MAX_SEARCH_CHARACTERS]),
            filters={name: value for name, value in given.items() if _is_allowed(value, (filters or {})[name])},
            sort=sort.removeprefix("-"),
            descending=sort.startswith("-"),
            cursor=args.get("cursor") or None,
            default_sort=default_sort,
        )

    @property
    def is_narrowed(self) -> bool:
        """Tell whether a search or filter hides rows, so that an empty list can say why it is empty."""
        return bool(self.search or self.filters)

    @property
    def sort_parameter(self) -> str:
        """Return the value of `sort` in the address, empty for the list's own order."""
        sort = f"-{self.sort}" if self.descending else self.sort
        return "" if sort == self.default_sort else sort

    @property
    def query(self) -> str:
        """Render the whole state as a query with its question mark; a bare mark when there is nothing to say."""
        return self._render(self.cursor)

    @property
    def query_without_place(self) -> str:
        """Render search, filters and order, for what covers every row: exports and saved views."""
        return self._render(None)

    def sort_query(self, key: str) -> str:
        """Render the address that sorts by a column, or turns its order round, from the first page."""
        turned = self.sort == key and not self.descending
        return replace(self, sort=key, descending=turned, cursor=None).query

    def aria_sort(self, key: str) -> str:
        """Return the value of aria-sort for a column's header."""
        if self.sort != key:
            return "none"
        return "descending" if self.descending else "ascending"

    def page_query(self, cursor: str) -> str:
        """Render the address of another page of the same list."""
        return self._render(cursor)

    def filter_query(self, name: str, value: str) -> str:
        """Render the address with one filter set, or taken away by an empty value, from the first page."""
        filters = {**self.filters, name: value}
        return replace(self, filters={key: kept for key, kept in filters.items() if kept}, cursor=None).query

    def _render(self, cursor: str | None) -> str:
        pairs = {"q": self.search, **self.filters, "sort": self.sort_parameter, "cursor": cursor}
        return "?" + urlencode({key: value for key, value in pairs.items() if value})


@dataclass(frozen=True)
class Cursor:
    """The sort values of the row that a page begins behind, or ends before when `backward`."""

    values: tuple[CursorValue, ...]
    backward: bool = False


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list; a cursor is None where there is no such page, the total where nobody counted."""

    rows: Sequence[T]
    next_cursor: str | None = None
    previous_cursor: str | None = None
    total: int | None = None


def build_page(
    fetched: Sequence[T],
    *,
    limit: int,
    cursor: Cursor | None,
    sort: str,
    values: Callable[[T], tuple[CursorValue, ...]],
    total: int | None = None,
) -> Page[T]:
    """Make a page of rows as a keyset query fetched them, one more than the limit.

    Shape: a backward cursor's rows come in the reverse order, nearest first; `sort` is what the cursors are for.
    """
    backward = cursor is not None and cursor.backward
    more = len(fetched) > limit
    rows = list(fetched[:limit])
    if backward:
        rows.reverse()
    # Who came from the other side can go back to it.
    has_next = more if not backward else bool(rows)
    has_previous = more if backward else cursor is not None and bool(rows)
    return Page(
        rows=rows,
        next_cursor=encode_cursor(Cursor(values(rows[-1])), sort) if has_next else None,
        previous_cursor=encode_cursor(Cursor(values(rows[0]), backward=True), sort) if has_previous else None,
        total=total,
    )


def encode_cursor(cursor: Cursor, sort: str) -> str:
    """Write a cursor as one word for the address; it is good for this order only."""
    payload = [sort, int(cursor.backward), *[_pack(value) for value in cursor.values]]
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str | None, sort: str, kinds: tuple[type, ...]) -> Cursor | None:
    """Read a cursor, or None when it is absent, malformed, of another order or of other kinds: the first page.

    Shape: `kinds` names the type of each value; None passes for any of them.
    """
    if not text or len(text) > MAX_CURSOR_CHARACTERS:
        return None
    try:
        given_sort, backward, *packed = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        values = tuple(_unpack(*item) for item in packed)
    # A forged cursor can break any of these steps, and each breaks in its own way.
    except (binascii.Error, ValueError, TypeError, OverflowError, RecursionError):
        return None
    fits = len(values) == len(kinds) and all(
        value is None or type(value) is kind for value, kind in zip(values, kinds, strict=True)
    )
    return Cursor(values, bool(backward)) if fits and given_sort == sort else None


def csv_response(filename: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """Send rows as a CSV file, each cell safe to open in a spreadsheet.

    The rows are read to their end before the first byte leaves: what fails is an error page and not half a file, and
    neither scope nor transaction waits for a slow reader.

    Source: RFC 4180; OWASP, CSV Injection.
    """
    response = Response("".join(_csv_lines(header, rows)), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=filename)
    return response


def csv_cell(value: object) -> object:
    """Make a value a cell that no spreadsheet runs as a formula; numbers stay numbers, times become ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def _csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow(header)
    for row in rows:
        writer.writerow([csv_cell(value) for value in row])
        yield _drain(buffer)
    yield _drain(buffer)


def _drain(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _is_allowed(value: str, allowed: Collection[str] | None) -> bool:
    return bool(value) and "\x00" not in value and (allowed is None or value in allowed)


def _without_nul(text: str) -> str:
    # PostgreSQL cannot hold it, and nothing that is stored contains it.
    return text.replace("\x00", "")


def _pack(value: CursorValue) -> list[str | int]:
    match value:
        case None:
            return ["n"]
        case datetime():
            return ["t", value.astimezone(UTC).isoformat()]
        case date():
            return ["d", value.isoformat()]
        case UUID():
            return ["u", value.hex]
        case int():
            return ["i", value]
        case _:
            return ["s", value]


def _unpack(tag: str, value: str | int | None = None) -> CursorValue:
    if tag == "n":
        return None
    if tag == "i" and type(value) is int and -(2**63) <= value < 2**63:
        return value
    # encode() refuses the lone surrogates that JSON lets through and PostgreSQL does not.
    if not isinstance(value, str) or b"\x00" in value.encode():
        raise ValueError("a cursor's value has another shape than its tag says")
    match tag:
        case "s":
            return value
        case "t":
            return datetime.fromisoformat(value).astimezone(UTC)
        case "d":
            return date.fromisoformat(value)
        case "u":
            return UUID(hex=value)
    raise ValueError("a cursor's value has no known tag")
