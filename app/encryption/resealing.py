"""Sealing values anew under the active version of their key, batch by batch, while people read and write them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Text, cast, func, or_, select

from app.core.database.models import HomeRecord, Record
from app.core.database.session import db, registry
from app.core.database.transactions import transaction
from app.core.encryption.attributes import EncryptedText, list_encrypted
from app.core.encryption.blind_index import VERSION_BYTES
from app.core.encryption.keys import DataKey, KeyPurpose, KeyState, key_source
from app.core.errors import NotFoundError, StateError
from app.core.tenancy.scopes import Scope, platform_scope, tenant_scope
from app.encryption import key_store

BATCH_ROWS = 500
# A sealed value names its version behind the format byte, an index begins with it.
_SEALED_VERSION_START, _INDEX_VERSION_START = 2, 1
SETTLE_SECONDS = 600
_POLL_SECONDS = 0.1

Note = Callable[[str], None]


def owner_scope(owner_id: UUID | None, reason: str) -> AbstractContextManager[Scope]:
    """Return the scope in which an owner's values open.

    Errors: NotFoundError for a tenant without a home.
    """
    if owner_id is None:
        return platform_scope(reason)
    route = registry().find_route(owner_id)
    if route is None or route.placement is None:
        raise NotFoundError("This tenant has no home.")
    return tenant_scope(route, reason=reason)


def settle(owner_id: UUID | None) -> None:
    """Return when every process knows how an owner's keys stand now, and whoever wrote before that has ended.

    Errors: StateError when a transaction stays open for longer than ten minutes.
    """
    time.sleep(key_store.FRESH_SECONDS * 1.5)
    with owner_scope(owner_id, "keys settle"), transaction():
        mine = _number(func.pg_current_xact_id())
    deadline = time.monotonic() + SETTLE_SECONDS
    while not _have_ended(owner_id, mine):
        if time.monotonic() > deadline:
            raise StateError("A transaction that began before the key changed is still open; end it, then try again.")
        time.sleep(_POLL_SECONDS)


def reseal(owner_id: UUID | None, purpose: KeyPurpose, note: Note) -> int:
    """Seal, or index, every value anew that is not under the newest version; return how many rows that were.

    Each batch commits by itself, so whoever is killed goes on where the rows end that are done.
    """
    done = 0
    for model, field in list_fields(owner_id, purpose):
        last: UUID | None = None
        while True:
            with owner_scope(owner_id, f"{purpose} sealed anew"), transaction():
                rows = _next_batch(model, field, purpose, owner_id, last)
                for row in rows:
                    _renew(field, row, purpose, owner_id)
            if not rows:
                break
            last, done = rows[-1].id, done + len(rows)
            note(f"{done:,} values sealed anew")
    return done


def count_behind(owner_id: UUID | None, purpose: KeyPurpose) -> int:
    """Return how many values are not under the newest version yet."""
    with owner_scope(owner_id, f"{purpose} counted"):
        return sum(
            db.session.scalar(
                select(func.count()).select_from(model).where(_is_behind(model, field, purpose, owner_id))
            )
            or 0
            for model, field in list_fields(owner_id, purpose)
        )


def list_fields(owner_id: UUID | None, purpose: KeyPurpose) -> Iterator[tuple[type[Any], EncryptedText]]:
    """List every attribute whose values, or indexes, are under an owner's key for a purpose."""
    for mapper in sorted(Record.registry.mappers, key=lambda mapper: mapper.class_.__name__):
        if issubclass(mapper.class_, HomeRecord) is (owner_id is not None):
            for field in list_encrypted(mapper.class_):
                is_indexed = purpose is KeyPurpose.BLIND_INDEX and field.normalise is not None
                if field.purpose is purpose or is_indexed:
                    yield mapper.class_, field


def _have_ended(owner_id: UUID | None, transaction_id: int) -> bool:
    with owner_scope(owner_id, "keys settle"):
        return _number(func.pg_snapshot_xmin(func.pg_current_snapshot())) > transaction_id


def _number(transaction_id: ColumnElement[Any]) -> int:
    # PostgreSQL's xid8 is unknown to the driver, and larger than what bigint holds.
    return int(db.session.scalars(select(cast(transaction_id, Text))).one())


def _next_batch(
    model: Any, field: EncryptedText, purpose: KeyPurpose, owner_id: UUID | None, last: UUID | None
) -> list[Any]:
    statement = select(model).where(_is_behind(model, field, purpose, owner_id)).order_by(model.id)
    if last is not None:
        statement = statement.where(model.id > last)
    return list(db.session.scalars(statement.limit(BATCH_ROWS).with_for_update(of=model)))


def _is_behind(model: Any, field: EncryptedText, purpose: KeyPurpose, owner_id: UUID | None) -> ColumnElement[bool]:
    keys = key_source().keyring(owner_id, purpose).list_keys()
    if purpose is not KeyPurpose.BLIND_INDEX:
        return _names_other(getattr(model, field.sealed_name), _SEALED_VERSION_START, keys[0])
    current, coming = getattr(model, field.index_name), getattr(model, field.next_index_name)
    newest = next((key for key in keys if key.state is KeyState.PRE_ACTIVE), None)
    if newest is not None:
        return or_(coming.is_(None), _names_other(coming, _INDEX_VERSION_START, newest))
    return _names_other(current, _INDEX_VERSION_START, keys[0])


def _names_other(column: Any, start: int, key: DataKey) -> ColumnElement[bool]:
    wanted = key.version.to_bytes(VERSION_BYTES, "big")
    condition: ColumnElement[bool] = func.substr(column, start, VERSION_BYTES) != wanted
    return condition


def _renew(field: EncryptedText, row: Any, purpose: KeyPurpose, owner_id: UUID | None) -> None:
    value = field.__get__(row, type(row))
    if purpose is KeyPurpose.BLIND_INDEX:
        field.index_into(row, value, owner_id)
    else:
        field.__set__(row, value)
