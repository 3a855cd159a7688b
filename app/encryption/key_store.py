"""The application's key source: wrapped keys from the control plane, unwrapped in this process for a bounded time.

It asks through the registry, outside of every scope, so that a tenant's scope need not be left, and a key is known
whether or not the transaction that uses it commits.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from app.core import clock
from app.core.encryption.keys import (
    KEY_BYTES,
    OPENING_STATES,
    DataKey,
    KeyMissingError,
    KeyPurpose,
    KeyState,
    key_source,
)
from app.core.ids import new_id
from app.core.secrets import unwrap, wrap
from app.encryption.root_keys import RootKeyProvider, WrappedKey

# How soon another process sees that a version was published, promoted or withdrawn.
FRESH_SECONDS = 5.0
# A process counts a block of uses in advance; what it does not use is lost to the bound, never used twice.
BLOCK_USES = 4_096
_KEK = """
select version, state, root_key, wrapped from control.key_encryption_keys
where {owned} and wrapped is not null
"""
_DATA_KEYS = """
select id, version, state, kek_version, wrapped from control.data_keys
where {owned} and purpose = %s order by state <> 'active', version desc
"""
_ADD_KEK = """
insert into control.key_encryption_keys (id, tenant_id, version, state, root_key, wrapped, created_at, state_changed_at)
select %s, %s, 1, 'active', %s, %s, %s, %s
where not exists (select from control.key_encryption_keys where {owned})
on conflict do nothing returning id
"""
_ADD_DATA_KEY = """
insert into control.data_keys (id, tenant_id, purpose, version, state, kek_version, wrapped, created_at,
    state_changed_at)
values (%s, %s, %s, 1, 'active', %s, %s, %s, %s) on conflict do nothing returning id
"""
_RESERVE = """
update control.data_keys set reserved_uses = reserved_uses + %s
where id = %s and state = 'active' and reserved_uses + %s <= 4294967296 returning id
"""

Owner = UUID | None


def kek_place(owner_id: Owner, version: int) -> bytes:
    """Return what a wrapped key-encryption key is bound to."""
    return f"key-encryption-key/{owner_id or 'platform'}/{version}".encode()


def data_key_place(owner_id: Owner, purpose: KeyPurpose, version: int) -> bytes:
    """Return what a wrapped data key is bound to; not the version of what wraps it, which may change."""
    return f"data-key/{owner_id or 'platform'}/{purpose}/{version}".encode()


@dataclass
class _Versions:
    """The versions of one owner's key for one purpose, as they were read."""

    ids: dict[int, UUID]
    states: dict[int, KeyState]
    keys: dict[int, DataKey]
    read_at: float
    unwrapped_at: float
    uses_left: int = 0

    @property
    def active(self) -> int:
        """Return the version that seals; 0 when none does."""
        return next((version for version, state in self.states.items() if state is KeyState.ACTIVE), 0)


@dataclass(eq=False)
class KeyStore:
    """One process's view of every key that it has needed of late."""

    query: Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]
    root_keys: RootKeyProvider
    kept_seconds: float
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _known: dict[tuple[Owner, KeyPurpose], _Versions] = field(default_factory=dict)

    def sealing_key(self, owner_id: Owner, purpose: KeyPurpose) -> DataKey:
        """Return the active version and count one use of it.

        Errors: KeyMissingError without an active version, or when its uses are spent; UnavailableError while keys
        cannot be read or unwrapped.
        """
        with self._lock:
            versions = self._fresh(owner_id, purpose)
            if not self._reserve(versions):
                # Another process has promoted a version since this one looked.
                versions = self._read(owner_id, purpose)
                if not self._reserve(versions):
                    raise KeyMissingError(f"There is no active key for {purpose} with uses left; nothing is sealed.")
            versions.uses_left -= 1
            return versions.keys[versions.active]

    def opening_key(self, owner_id: Owner, purpose: KeyPurpose, version: int) -> DataKey:
        """Return one version with which values are opened.

        Errors: KeyMissingError when it does not exist or its state forbids it; UnavailableError as above.
        """
        with self._lock:
            versions = self._fresh(owner_id, purpose)
            if version not in versions.states:
                # Published a moment ago by another process.
                versions = self._read(owner_id, purpose)
            key = versions.keys.get(version)
        if key is None:
            state = versions.states.get(version, "unknown")
            raise KeyMissingError(f"Version {version} of the key for {purpose} is {state}; its values do not open.")
        return key

    def list_keys(self, owner_id: Owner, purpose: KeyPurpose) -> list[DataKey]:
        """Return every version that opens, the active one first."""
        with self._lock:
            return list(self._fresh(owner_id, purpose).keys.values())

    def wrap_data_key(self, owner_id: Owner, purpose: KeyPurpose, version: int) -> tuple[int, bytes]:
        """Make a data key; return it wrapped, and the version of the key-encryption key that wraps it.

        Errors: KeyMissingError for an owner whose keys were destroyed; as for sealing_key otherwise.
        """
        actives = [found for found, state, *_ in self._of(_KEK, owner_id) if state == KeyState.ACTIVE]
        if not actives:
            raise KeyMissingError("This owner's keys were destroyed; it gets no others.")
        place = data_key_place(owner_id, purpose, version)
        return actives[0], wrap(self._kek(owner_id, actives[0]), os.urandom(KEY_BYTES), place)

    def forget(self) -> None:
        """Drop every unwrapped key."""
        with self._lock:
            self._known.clear()

    def reset_after_fork(self) -> None:
        """Forget what belongs to the parent process: the uses that it has reserved."""
        self._lock = threading.RLock()
        self._known = {}

    def _fresh(self, owner_id: Owner, purpose: KeyPurpose) -> _Versions:
        known, now = self._known.get((owner_id, purpose)), time.monotonic()
        if known and now - known.read_at < FRESH_SECONDS and now - known.unwrapped_at < self.kept_seconds:
            return known
        return self._read(owner_id, purpose)

    def _read(self, owner_id: Owner, purpose: KeyPurpose) -> _Versions:
        asked_at = time.monotonic()  # A slow answer is as old as its question.
        rows = self._of(_DATA_KEYS, owner_id, after=(purpose,))
        if not rows:
            self._make(owner_id, purpose)
            rows = self._of(_DATA_KEYS, owner_id, after=(purpose,))
        known = self._known.get((owner_id, purpose))
        ids = {version: id_ for id_, version, *_ in rows}
        states = {version: KeyState(state) for _, version, state, *_ in rows}
        is_kept = known is not None and asked_at - known.unwrapped_at < self.kept_seconds and known.states == states
        if known is not None and is_kept:
            known.read_at = asked_at
            return known
        keys = self._unwrap(owner_id, purpose, rows)
        versions = _Versions(ids, states, keys, read_at=asked_at, unwrapped_at=asked_at)
        if known is not None and known.active == versions.active:
            versions.uses_left = known.uses_left
        self._known[owner_id, purpose] = versions
        return versions

    def _unwrap(self, owner_id: Owner, purpose: KeyPurpose, rows: list[tuple[Any, ...]]) -> dict[int, DataKey]:
        keks: dict[int, bytes] = {}
        keys = {}
        for _, version, state, kek_version, wrapped in rows:
            if state not in OPENING_STATES:
                continue
            if kek_version not in keks:
                keks[kek_version] = self._kek(owner_id, kek_version)
            material = unwrap(keks[kek_version], bytes(wrapped), data_key_place(owner_id, purpose, version))
            keys[version] = DataKey(owner_id, purpose, version, KeyState(state), material)
        return keys

    def _kek(self, owner_id: Owner, version: int) -> bytes:
        for found, state, root_key, wrapped in self._of(_KEK, owner_id):
            if found == version and state in OPENING_STATES:
                return self.root_keys.unwrap(WrappedKey(root_key, bytes(wrapped)), kek_place(owner_id, version))
        raise KeyMissingError(f"Version {version} of this owner's key-encryption key cannot be used any more.")

    def _make(self, owner_id: Owner, purpose: KeyPurpose) -> None:
        """Give an owner its first keys; of two processes at once, one's remain, and both go on with those."""
        if owner_id is not None:
            # A root key that does not open the platform's key is the wrong one, and gets to wrap nobody else's.
            self.list_keys(None, KeyPurpose.FIELDS)
        now = clock.now()
        given = self.root_keys.wrap(os.urandom(KEY_BYTES), kek_place(owner_id, 1))
        self._of(_ADD_KEK, owner_id, before=(new_id(), owner_id, *given, now, now))
        kek_version, wrapped = self.wrap_data_key(owner_id, purpose, 1)
        self.query(_ADD_DATA_KEY, (new_id(), owner_id, purpose, kek_version, wrapped, now, now))

    def _of(
        self, statement: str, owner_id: Owner, before: tuple[Any, ...] = (), after: tuple[Any, ...] = ()
    ) -> list[tuple[Any, ...]]:
        # IS NOT DISTINCT FROM would say both at once, and reach no index.
        owned, name = ("tenant_id is null", ()) if owner_id is None else ("tenant_id = %s", (owner_id,))
        return self.query(statement.format(owned=owned), (*before, *name, *after))

    def _reserve(self, versions: _Versions) -> bool:
        """Make sure that a use is left; False when the active version is none any more, or its uses are spent."""
        if versions.uses_left == 0 and versions.active:
            got = self.query(_RESERVE, (BLOCK_USES, versions.ids[versions.active], BLOCK_USES))
            versions.uses_left = BLOCK_USES if got else 0
        return versions.uses_left > 0


def key_store() -> KeyStore:
    """Return the running application's key store."""
    store = key_source()
    assert isinstance(store, KeyStore)  # noqa: S101  # For the type checker: the wiring plugs no other in.
    return store
