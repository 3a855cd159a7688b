"""A row's link is derived from its serial, is good once, for one purpose and for a while, and says nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.core.ids import new_id
from app.credentials.link_rows import LinkColumns, LinkError, derive_link_token, open_link_token
from app.credentials.links import LinkPurpose
from app.web.hosts import Portal

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
INVITATION, RESET = LinkPurpose.MEMBER_INVITATION, LinkPurpose.MEMBER_RESET


@dataclass
class Row(LinkColumns):
    """A row without a table."""

    id: UUID = field(default_factory=new_id)
    link_serial: int = 0
    link_purpose: str | None = None
    link_expires_at: datetime | None = None
    link_used_at: datetime | None = None


@pytest.fixture
def row() -> Row:
    issued = Row()
    issued.issue_link(INVITATION, HOUR, NOW)
    return issued


def test_a_link_opens_to_its_row_and_serial(app: Portal, row: Row) -> None:
    assert open_link_token(derive_link_token(row), INVITATION) == (row.id, 1)


def test_deriving_twice_gives_the_same_token(app: Portal, row: Row) -> None:
    assert derive_link_token(row) == derive_link_token(row)


def test_a_new_link_is_another_token(app: Portal, row: Row) -> None:
    first = derive_link_token(row)
    row.issue_link(INVITATION, HOUR, NOW)
    assert derive_link_token(row) != first


def test_a_link_of_one_purpose_is_none_for_another(app: Portal, row: Row) -> None:
    with pytest.raises(LinkError):
        open_link_token(derive_link_token(row), RESET)


@pytest.mark.parametrize("position", [0, 1, 30, 75])
def test_a_changed_character_makes_it_void(app: Portal, row: Row, position: int) -> None:
    token = derive_link_token(row)
    other = "A" if token[position] != "A" else "B"
    with pytest.raises(LinkError):
        open_link_token(token[:position] + other + token[position + 1 :], INVITATION)


@pytest.mark.parametrize("text", ["", "x", "x" * 76, "x" * 100_000, "../../etc/passwd", "é" * 76, "\0" * 76])
def test_any_other_text_is_no_link(app: Portal, text: str) -> None:
    with pytest.raises(LinkError):
        open_link_token(text, INVITATION)


def test_a_row_without_a_link_has_no_token(app: Portal) -> None:
    with pytest.raises(LinkError):
        derive_link_token(Row())


def test_it_is_good_until_the_last_moment_before_it_expires(row: Row) -> None:
    assert row.has_link(INVITATION, 1, NOW + HOUR - timedelta(microseconds=1))
    assert not row.has_link(INVITATION, 1, NOW + HOUR)


def test_it_is_good_once(row: Row) -> None:
    row.use_link(NOW)
    assert not row.has_link(INVITATION, 1, NOW)


def test_an_older_serial_is_void(row: Row) -> None:
    row.issue_link(INVITATION, HOUR, NOW)
    assert not row.has_link(INVITATION, 1, NOW)
    assert row.has_link(INVITATION, 2, NOW)


def test_voiding_leaves_nothing_and_never_reuses_a_serial(row: Row) -> None:
    row.void_link()
    row.issue_link(INVITATION, HOUR, NOW)
    assert row.link_serial == 3
    assert not row.has_link(INVITATION, 1, NOW)


def test_a_usable_link_is_kept(row: Row) -> None:
    row.keep_or_issue_link(INVITATION, HOUR, NOW + HOUR / 2)
    assert (row.link_serial, row.link_expires_at) == (1, NOW + HOUR)


@pytest.mark.parametrize("later", [HOUR, 2 * HOUR])
def test_an_expired_link_is_replaced(row: Row, later: timedelta) -> None:
    row.keep_or_issue_link(INVITATION, HOUR, NOW + later)
    assert row.has_link(INVITATION, 2, NOW + later)


def test_a_used_link_is_replaced(row: Row) -> None:
    row.use_link(NOW)
    row.keep_or_issue_link(INVITATION, HOUR, NOW)
    assert row.has_link(INVITATION, 2, NOW)
