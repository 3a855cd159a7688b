"""The key with which a database verifies contexts: made once, its wrapped copy in the control plane."""

from __future__ import annotations

import os
from typing import Any

import psycopg

from app.core.config import Settings, root_secret
from app.core.context_token import hmac_blocks
from app.core.database.server_urls import CONNECT_ARGUMENTS, login_url
from app.core.secrets import derive_key, unwrap, wrap
from app.core.tenancy.registry import context_key_place
from app.core.tenancy.scopes import DatabaseAddress, Login

FIRST_KEY = 1


def install_context_key(connection: psycopg.Connection[Any], settings: Settings, address: DatabaseAddress) -> None:
    """Give a database its context key, once; control holds the wrapped copy, and first.

    The owner's connection is one to that database; killed between the two, the next run installs the same key.
    """
    with psycopg.connect(login_url(settings, Login.OWNER), **CONNECT_ARGUMENTS) as control:
        key = _ensure_wrapped_key(control, derive_key(root_secret(settings), "context-wrap"), address)
    inner, outer = hmac_blocks(key)
    connection.execute(
        "insert into tenancy.context_keys (version, inner_block, outer_block) values (%s, %s, %s) "
        "on conflict do nothing",
        (FIRST_KEY, inner, outer),
    )
    connection.commit()


def _ensure_wrapped_key(control: psycopg.Connection[Any], wrapping_key: bytes, address: DatabaseAddress) -> bytes:
    place = context_key_place(address, FIRST_KEY)
    wrapped = wrap(wrapping_key, os.urandom(32), place)
    control.execute(
        "insert into control.context_keys (server, database_name, version, wrapped) values (%s, %s, %s, %s) "
        "on conflict do nothing",
        (*address, FIRST_KEY, wrapped),
    )
    row = control.execute(
        "select wrapped from control.context_keys where (server, database_name, version) = (%s, %s, %s)",
        (*address, FIRST_KEY),
    ).fetchone()
    assert row is not None  # noqa: S101  # It was written a line above.
    return unwrap(wrapping_key, bytes(row[0]), place)
