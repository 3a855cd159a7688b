"""Encrypted attributes: read and written as text, stored as sealed bytes, opened only in their owner's scope.

`email = encrypted(data_class=DataClass.PERSONAL)` on a model adds the column `email_sealed`; with `index` it adds
`email_index` and `email_index_next`, too: while the index's key rotates, the second holds the coming version. A home's
rows are sealed under their tenant's keys, a row of the control plane under the platform's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self, overload
from uuid import UUID

from sqlalchemy import ColumnElement, LargeBinary, event, or_
from sqlalchemy.orm import mapped_column

from app.core.data_classes import DataClass
from app.core.database.models import HomeRecord, Record
from app.core.encryption.blind_index import index_of
from app.core.encryption.keys import DataKey, KeyPurpose, KeyState, key_source
from app.core.encryption.sealing import SealedColumn
from app.core.ids import new_id
from app.core.tenancy.errors import CrossTenantError, ScopeError
from app.core.tenancy.scopes import Scope, current_scope

_OPENED = "_opened_values"
_FIELDS = "__encrypted_fields__"


@dataclass(frozen=True)
class _Clear:
    """A value that awaits the flush; no driver takes it, so nothing unsealed can reach the database."""

    value: str

    def __repr__(self) -> str:
        return "<a value to be sealed>"


class EncryptedText:
    """One encrypted attribute of a model."""

    def __init__(self, purpose: KeyPurpose, data_class: DataClass, normalise: Callable[[str], str] | None) -> None:
        self.purpose, self.data_class, self.normalise = purpose, data_class, normalise
        self.name = self.table = ""

    def __set_name__(self, owner: type[Any], name: str) -> None:
        self.name, self.owner = name, owner
        setattr(owner, self.sealed_name, mapped_column(LargeBinary, nullable=False))
        if self.normalise is not None:
            setattr(owner, self.index_name, mapped_column(LargeBinary, nullable=False))
            setattr(owner, self.next_index_name, mapped_column(LargeBinary, nullable=True))
        setattr(owner, _FIELDS, (*getattr(owner, _FIELDS, ()), self))

    @property
    def sealed_name(self) -> str:
        return f"{self.name}_sealed"

    @property
    def index_name(self) -> str:
        return f"{self.name}_index"

    @property
    def next_index_name(self) -> str:
        return f"{self.name}_index_next"

    @overload
    def __get__(self, row: None, owner: type[Any]) -> Self: ...

    @overload
    def __get__(self, row: object, owner: type[Any]) -> str: ...

    def __get__(self, row: Any, owner: type[Any]) -> Self | str:
        """Return the value in clear; the first access opens it.

        Errors: ScopeError outside its owner's scope; what opening raises.
        """
        if row is None:
            return self
        held = getattr(row, self.sealed_name)
        if isinstance(held, _Clear):
            return held.value
        opened: dict[str, tuple[bytes, str]] = row.__dict__.setdefault(_OPENED, {})
        known = opened.get(self.name)
        if known is None or known[0] is not held:
            opened[self.name] = known = held, self.open(row.id, held, owner_of(row))
        return known[1]

    def __set__(self, row: Any, value: str) -> None:
        """Take another value, sealed when the row is written."""
        setattr(row, self.sealed_name, _Clear(value))

    def open(self, row_id: UUID, sealed: bytes, owner_id: UUID | None) -> str:
        """Open the sealed value of one row.

        Errors: ScopeError outside the owner's scope; what opening raises.
        """
        return self._column(owner_id).open(row_id, sealed).decode()

    def matches(self, value: str) -> ColumnElement[bool]:
        """Return the condition that finds a row of the running scope by exactly this value.

        Errors: ScopeError outside a scope, or in a tenant's for a table of the platform.
        """
        owner_id = current_scope().tenant_id if issubclass(self.owner, HomeRecord) else None
        _expect_scope_of(owner_id)
        keys = key_source().keyring(owner_id, KeyPurpose.BLIND_INDEX).list_keys()
        wanted = [self._index(key, value) for key in keys]
        current: ColumnElement[bytes] = getattr(self.owner, self.index_name)
        coming: ColumnElement[bytes] = getattr(self.owner, self.next_index_name)
        return or_(current.in_(wanted), coming.in_(wanted)) if len(wanted) > 1 else current == wanted[0]

    def seal_into(self, row: Any) -> None:
        """Seal what the row was given since it was loaded, and index it."""
        held = getattr(row, self.sealed_name)
        if not isinstance(held, _Clear):
            return
        owner_id = owner_of(row)
        sealed = self._column(owner_id).seal(row.id, held.value.encode())
        setattr(row, self.sealed_name, sealed)
        row.__dict__.setdefault(_OPENED, {})[self.name] = sealed, held.value
        if self.normalise is not None:
            self.index_into(row, held.value, owner_id)

    def index_into(self, row: Any, value: str, owner_id: UUID | None) -> None:
        """Index a value of a row under the active version, and under another one while versions change.

        The second index holds the coming version, or, after its promotion, the active one once more until the older one
        is retired: so one of the two columns tells any two rows with the same value apart, whoever wrote them.
        """
        keys = key_source().keyring(owner_id, KeyPurpose.BLIND_INDEX).list_keys()
        current, *others = keys
        coming = next((key for key in others if key.state is KeyState.PRE_ACTIVE), current if others else None)
        setattr(row, self.index_name, self._index(current, value))
        setattr(row, self.next_index_name, self._index(coming, value) if coming else None)

    def _column(self, owner_id: UUID | None) -> SealedColumn:
        scope = _expect_scope_of(owner_id)
        column: SealedColumn | None = scope.kept.get(self)
        if column is None:
            ring = key_source().keyring(owner_id, self.purpose)
            column = scope.kept[self] = SealedColumn(ring, self.owner.__tablename__, self.name)
        return column

    def _index(self, key: DataKey, value: str) -> bytes:
        assert self.normalise is not None  # noqa: S101  # For the type checker: only what has an index is looked up.
        return index_of(key, self.owner.__tablename__, self.name, self.normalise(value))


def encrypted(
    *,
    data_class: DataClass,
    purpose: KeyPurpose = KeyPurpose.FIELDS,
    index: Callable[[str], str] | None = None,
) -> EncryptedText:
    """Declare an encrypted attribute; `index` normalises what is searched for exactly."""
    return EncryptedText(purpose, data_class, index)


def list_encrypted(model: type[Any]) -> tuple[EncryptedText, ...]:
    """Return a model's encrypted attributes."""
    fields: tuple[EncryptedText, ...] = getattr(model, _FIELDS, ())
    return fields


def owner_of(row: Any) -> UUID | None:
    """Return whose keys a row's values are sealed under: a home's tenant, or None for the platform."""
    tenant_id: UUID | None = row.tenant_id if isinstance(row, HomeRecord) else None
    return tenant_id


def _expect_scope_of(owner_id: UUID | None) -> Scope:
    scope = current_scope()
    if scope.tenant_id == owner_id:
        return scope
    if owner_id is None:
        raise ScopeError("The platform's values open in the platform's scope only.")
    raise CrossTenantError("A tenant's values open in that tenant's scope only.")


def _seal_row(_mapper: Any, _connection: Any, row: Any) -> None:
    fields = list_encrypted(type(row))
    if fields and row.id is None:
        row.id = new_id()
    for field in fields:
        field.seal_into(row)


event.listen(Record, "before_insert", _seal_row, propagate=True)
event.listen(Record, "before_update", _seal_row, propagate=True)
