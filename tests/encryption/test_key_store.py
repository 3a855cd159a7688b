"""Keys are made once an owner, kept wrapped, unwrapped for a bounded time, and counted."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from app.core.config import Settings
from app.core.database.server_urls import CONNECT_ARGUMENTS, login_url
from app.core.encryption.keys import KeyMissingError, KeyPurpose, KeyState
from app.core.errors import UnavailableError
from app.core.secrets import UnwrapError
from app.core.tenancy.registry import Registry
from app.core.tenancy.scopes import Login
from app.encryption import key_store
from app.encryption.key_store import KeyStore
from app.encryption.root_keys import FileRootKeys, RootKeyError
from app.web.hosts import Portal
from tests.tenant_rows import insert_tenant, owner_connection

FIELDS = KeyPurpose.FIELDS


@pytest.fixture
def root_file(tmp_path: Path) -> Path:
    path = tmp_path / "root_key"
    path.write_text(secrets.token_urlsafe(32))
    return path


@pytest.fixture
def stores(app: Portal, instance: Settings, root_file: Path) -> Iterator[Any]:
    """Make stores as several processes have them: each with its own registry and its own memory."""
    made: list[Registry] = []

    def make(kept_seconds: float = 300) -> KeyStore:
        made.append(Registry(lambda: psycopg.connect(login_url(instance, Login.PLATFORM), **CONNECT_ARGUMENTS), b""))
        return KeyStore(made[-1].query, FileRootKeys(root_file, is_production=False), kept_seconds)

    make.registries = made  # type: ignore[attr-defined]  # For the test that takes the database away.
    yield make
    for registry in made:
        registry.close()


@pytest.fixture
def acme(app: Portal) -> UUID:
    return insert_tenant("acme")


def change(statement: str, *parameters: object) -> None:
    with owner_connection() as connection:
        connection.execute(statement, parameters)


def read(statement: str) -> list[tuple[Any, ...]]:
    with owner_connection() as connection:
        return connection.execute(statement).fetchall()


def test_every_process_gets_the_same_keys_and_every_owner_and_purpose_others(stores: Any, acme: UUID) -> None:
    globex = insert_tenant("globex")
    owners = [(owner, purpose) for owner in (None, acme, globex) for purpose in KeyPurpose]
    first, second = stores(), stores()
    made = [first.keyring(*owner).sealing_key().material for owner in owners]
    assert made == [second.keyring(*owner).sealing_key().material for owner in owners]
    assert len(set(made)) == len(owners)


def test_two_processes_at_once_make_one_key(stores: Any, acme: UUID) -> None:
    crowd, start, seen = [stores() for _ in range(8)], threading.Barrier(8), []

    def ask(store: KeyStore) -> None:
        start.wait()
        seen.append(store.keyring(acme, FIELDS).sealing_key().material)

    threads = [threading.Thread(target=ask, args=(store,)) for store in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 8
    assert len(set(seen)) == 1


def test_only_wrapped_keys_are_stored(stores: Any, acme: UUID) -> None:
    key = stores().keyring(acme, FIELDS).sealing_key()
    kept = [bytes(row[0]) for row in read("select wrapped from control.data_keys")]
    kept += [bytes(row[0]) for row in read("select wrapped from control.key_encryption_keys")]
    assert len(kept) == 4  # Acme's and the platform's, whose key proves the root key first.
    assert not [wrapped for wrapped in kept if key.material in wrapped]


def test_a_wrong_root_key_is_refused_before_anything_is_written(stores: Any, acme: UUID, root_file: Path) -> None:
    stores().keyring(None, FIELDS).sealing_key()
    before = read("select * from control.key_encryption_keys")
    root_file.write_text(secrets.token_urlsafe(32))
    with pytest.raises(RootKeyError, match="put the right root key back"):
        stores().keyring(acme, FIELDS).sealing_key()
    assert read("select * from control.key_encryption_keys") == before


def test_a_wrapped_key_copied_to_another_tenant_does_not_open(stores: Any, acme: UUID) -> None:
    globex = insert_tenant("globex")
    for tenant_id in (acme, globex):
        stores().keyring(tenant_id, FIELDS).sealing_key()
    change(
        "update control.key_encryption_keys set wrapped = (select wrapped from control.key_encryption_keys "
        "where tenant_id = %s) where tenant_id = %s",
        acme,
        globex,
    )
    with pytest.raises(UnwrapError):
        stores().keyring(globex, FIELDS).sealing_key()


def test_keys_that_are_unwrapped_serve_while_the_root_key_is_away_and_no_longer(
    stores: Any, acme: UUID, root_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, later = stores(kept_seconds=60), [0.0]
    real = key_store.time.monotonic
    monkeypatch.setattr(key_store.time, "monotonic", lambda: real() + later[0])
    store.keyring(acme, FIELDS).sealing_key()
    root_file.rename(root_file.with_suffix(".away"))
    later[0] = 50
    assert store.keyring(acme, FIELDS).sealing_key()
    later[0] = 61
    with pytest.raises(RootKeyError, match="cannot be read"):
        store.keyring(acme, FIELDS).sealing_key()
    root_file.with_suffix(".away").rename(root_file)
    assert store.keyring(acme, FIELDS).sealing_key()


def test_a_version_that_does_not_exist_is_said_to_be_unknown(stores: Any, acme: UUID) -> None:
    with pytest.raises(KeyMissingError, match=r"Version 2 .* is unknown"):
        stores().keyring(acme, FIELDS).opening_key(2)


@pytest.mark.parametrize("state", ["retired", "destroyed"])
def test_a_version_that_is_past_use_opens_nothing(stores: Any, acme: UUID, state: str) -> None:
    stores().keyring(acme, FIELDS).sealing_key()
    wrapped = "wrapped" if state == "retired" else "null"
    change(f"update control.data_keys set state = %s, wrapped = {wrapped} where tenant_id = %s", state, acme)
    with pytest.raises(KeyMissingError, match=f"is {state}"):
        stores().keyring(acme, FIELDS).opening_key(1)
    with pytest.raises(KeyMissingError, match="no active key"):
        stores().keyring(acme, FIELDS).sealing_key()


@pytest.mark.parametrize("state", ["pre-active", "decrypt-only", "compromised"])
def test_a_version_before_and_after_its_time_opens_and_does_not_seal(stores: Any, acme: UUID, state: str) -> None:
    stores().keyring(acme, FIELDS).sealing_key()
    change("update control.data_keys set state = %s where tenant_id = %s", state, acme)
    assert stores().keyring(acme, FIELDS).opening_key(1).state == KeyState(state)
    with pytest.raises(KeyMissingError, match="no active key"):
        stores().keyring(acme, FIELDS).sealing_key()


def test_an_owner_whose_keys_were_destroyed_gets_no_others(stores: Any, acme: UUID) -> None:
    stores().keyring(acme, FIELDS).sealing_key()
    change("update control.key_encryption_keys set state = 'destroyed', wrapped = null where tenant_id = %s", acme)
    change("delete from control.data_keys where tenant_id = %s", acme)
    with pytest.raises(KeyMissingError, match="gets no others"):
        stores().keyring(acme, FIELDS).sealing_key()
    assert read("select count(*) from control.data_keys where tenant_id is not null") == [(0,)]


def test_every_process_counts_blocks_of_its_own(stores: Any, acme: UUID) -> None:
    first, second = stores(), stores()
    for store in (first, second, first):
        store.keyring(acme, FIELDS).sealing_key()
    assert read("select reserved_uses from control.data_keys where tenant_id is not null") == [
        (2 * key_store.BLOCK_USES,)
    ]


def test_a_key_whose_uses_are_spent_seals_no_more_and_opens_still(stores: Any, acme: UUID) -> None:
    store = stores()
    store.keyring(acme, FIELDS).opening_key(1)
    change("update control.data_keys set reserved_uses = 4294967296 - %s where tenant_id = %s", 4_096, acme)
    for _ in range(key_store.BLOCK_USES):
        store.keyring(acme, FIELDS).sealing_key()
    with pytest.raises(KeyMissingError, match=r"no active key .* with uses left"):
        store.keyring(acme, FIELDS).sealing_key()
    assert store.keyring(acme, FIELDS).opening_key(1)


def test_a_fork_shares_no_block_of_uses(stores: Any, acme: UUID) -> None:
    store = stores()
    store.keyring(acme, FIELDS).sealing_key()
    child = os.fork()
    if child == 0:
        store.reset_after_fork()
        stores.registries[0].reset_after_fork()
        store.keyring(acme, FIELDS).sealing_key()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    store.keyring(acme, FIELDS).sealing_key()
    assert read("select reserved_uses from control.data_keys where tenant_id is not null") == [
        (2 * key_store.BLOCK_USES,)
    ]


def test_a_database_that_is_away_is_said_and_mends_itself(
    stores: Any, acme: UUID, superuser_url: str, instance: Settings
) -> None:
    store = stores()
    store.keyring(None, FIELDS).sealing_key()
    (registry,) = stores.registries
    connect = registry.connect

    def refuse() -> psycopg.Connection[Any]:
        raise psycopg.OperationalError("connection refused")

    registry.connect = refuse
    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        superuser.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where usename = 'tenantry_platform' and datname = %s",
            (psycopg.conninfo.conninfo_to_dict(login_url(instance, Login.PLATFORM))["dbname"],),
        )
    with pytest.raises(UnavailableError, match="does not answer"):
        store.keyring(acme, FIELDS).sealing_key()
    registry.connect = connect
    assert store.keyring(acme, FIELDS).sealing_key()


def test_a_tenant_sees_how_its_keys_stand_and_nothing_else(stores: Any, acme: UUID, instance: Settings) -> None:
    stores().keyring(acme, FIELDS).sealing_key()
    with (
        psycopg.connect(login_url(instance, Login.TENANT)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("select wrapped from control.data_keys")


def test_a_version_that_another_process_has_just_published_opens_at_once(stores: Any, acme: UUID) -> None:
    store = stores()
    store.keyring(acme, FIELDS).sealing_key()
    kek_version, wrapped = stores().wrap_data_key(acme, FIELDS, 2)
    change(
        "insert into control.data_keys (id, tenant_id, purpose, version, state, kek_version, wrapped, created_at, "
        "state_changed_at) values (gen_random_uuid(), %s, 'fields', 2, 'pre-active', %s, %s, now(), now())",
        acme,
        kek_version,
        wrapped,
    )
    assert store.keyring(acme, FIELDS).opening_key(2).version == 2
    assert store.keyring(acme, FIELDS).sealing_key().version == 1
