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
KEPT_RINGS = 50_000
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


@dataclass(eq=False)
class StoredKeyring:
    """One owner's key for one purpose, as this process read it last."""

    store: KeyStore
    owner_id: Owner
    purpose: KeyPurpose
    ids: dict[int, UUID] = field(default_factory=dict)
    states: dict[int, KeyState] = field(default_factory=dict)
    keys: dict[int, DataKey] = field(default_factory=dict, repr=False)
    active: int = 0
    uses_left: int = 0
    fresh_until: float = float("-inf")
    kept_until: float = float("-inf")

    def sealing_key(self) -> DataKey:
        """Return the active version and count one use of it.

        Errors: KeyMissingError without an active version, or when its uses are spent; UnavailableError while keys
        cannot be read or unwrapped.
        """
        with self.store.lock:
            if time.monotonic() >= self.fresh_until:
                self.read()
            if not self.uses_left and not self._reserve():
                self.read()  # Another process has promoted a version since this one looked.
                if not self._reserve():
                    raise KeyMissingError(
                        f"There is no active key for {self.purpose} with uses left: nothing is sealed."
                    )
            self.uses_left -= 1
            return self.keys[self.active]

    def opening_key(self, version: int) -> DataKey:
        """Return one version with which values are opened.

        Errors: KeyMissingError when it does not exist or its state forbids it; UnavailableError as above.
        """
        key = self.keys.get(version)
        if key is not None and time.monotonic() < self.fresh_until:
            return key
        with self.store.lock:
            self.read()  # It may have been published a moment ago.
            key = self.keys.get(version)
        if key is None:
            state = self.states.get(version, "unknown")
            raise KeyMissingError(
                f"Version {version} of the key for {self.purpose} is {state}; its values do not open."
            )
        return key

    def list_keys(self) -> list[DataKey]:
        """Return every version that opens, the active one first."""
        with self.store.lock:
            if time.monotonic() >= self.fresh_until:
                self.read()
            return list(self.keys.values())

    def read(self) -> None:
        """Read how the versions stand, and unwrap them when they are others, or were unwrapped too long ago."""
        asked_at = time.monotonic()  # A slow answer is as old as its question.
        rows = self.store.read_versions(self.owner_id, self.purpose)
        states = {version: KeyState(state) for _, version, state, *_ in rows}
        if states != self.states or asked_at >= self.kept_until:
            self.forget()
            self.keys = self.store.unwrap_versions(self.owner_id, self.purpose, rows)
            self.kept_until = asked_at + self.store.kept_seconds
            active = next((version for version, state in states.items() if state is KeyState.ACTIVE), 0)
            self.uses_left, self.active = self.uses_left if active == self.active else 0, active
            self.ids, self.states = {version: id_ for id_, version, *_ in rows}, states
        self.fresh_until = min(asked_at + FRESH_SECONDS, self.kept_until)

    def forget(self) -> None:
        """Drop the unwrapped keys; what is reserved stays reserved."""
        self.keys, self.states = {}, {}
        self.fresh_until = self.kept_until = float("-inf")

    def _reserve(self) -> bool:
        """Take a block of uses; False when the active version is none any more, or its uses are spent."""
        if self.active and self.store.query(_RESERVE, (BLOCK_USES, self.ids[self.active], BLOCK_USES)):
            self.uses_left = BLOCK_USES
        return self.uses_left > 0


@dataclass(eq=False)
class KeyStore:
    """One process's view of every key that it has needed of late."""

    query: Callable[[str, tuple[Any, ...]], list[tuple[Any, ...]]]
    root_keys: RootKeyProvider
    kept_seconds: float
    lock: threading.RLock = field(default_factory=threading.RLock)
    _rings: dict[tuple[Owner, KeyPurpose], StoredKeyring] = field(default_factory=dict)

    def keyring(self, owner_id: Owner, purpose: KeyPurpose) -> StoredKeyring:
        """Return an owner's ring for a purpose; an owner that has no key yet gets its first one."""
        with self.lock:
            ring = self._rings.get((owner_id, purpose))
            if ring is None:
                if len(self._rings) >= KEPT_RINGS:
                    self._rings.clear()
                ring = self._rings[owner_id, purpose] = StoredKeyring(self, owner_id, purpose)
            return ring

    def wrap_data_key(self, owner_id: Owner, purpose: KeyPurpose, version: int) -> tuple[int, bytes]:
        """Make a data key; return it wrapped, and the version of the key-encryption key that wraps it.

        Errors: KeyMissingError for an owner whose keys were destroyed; as for sealing otherwise.
        """
        actives = [found for found, state, *_ in self._of(_KEK, owner_id) if state == KeyState.ACTIVE]
        if not actives:
            raise KeyMissingError("This owner's keys were destroyed; it gets no others.")
        place = data_key_place(owner_id, purpose, version)
        return actives[0], wrap(self._kek(owner_id, actives[0]), os.urandom(KEY_BYTES), place)

    def forget(self) -> None:
        """Drop every unwrapped key."""
        with self.lock:
            for ring in self._rings.values():
                ring.forget()
            self._rings.clear()

    def reset_after_fork(self) -> None:
        """Forget what belongs to the parent process: the uses that it has reserved."""
        self.lock = threading.RLock()
        for ring in self._rings.values():
            ring.uses_left = 0

    def read_versions(self, owner_id: Owner, purpose: KeyPurpose) -> list[tuple[Any, ...]]:
        """Return every version, the active one first: id, version, state, version of the KEK, wrapped key."""
        rows = self._of(_DATA_KEYS, owner_id, after=(purpose,))
        if not rows:
            self._make(owner_id, purpose)
            rows = self._of(_DATA_KEYS, owner_id, after=(purpose,))
        return rows

    def unwrap_versions(self, owner_id: Owner, purpose: KeyPurpose, rows: list[tuple[Any, ...]]) -> dict[int, DataKey]:
        """Unwrap the versions that open.

        Errors: as for wrapping; UnwrapError when a wrapped key was altered, or is another owner's.
        """
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
            self.keyring(None, KeyPurpose.FIELDS).list_keys()
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


def key_store() -> KeyStore:
    """Return the running application's key store."""
    store = key_source()
    assert isinstance(store, KeyStore)  # noqa: S101  # For the type checker: the wiring plugs no other in.
    return store
