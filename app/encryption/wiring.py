"""What create_app calls to put encryption into the application."""

from __future__ import annotations

import os
from weakref import WeakSet

from flask import Flask

from app.core.config import Settings
from app.core.database.session import registry
from app.core.encryption.keys import plug_key_source
from app.encryption.key_store import KeyStore
from app.encryption.root_keys import make_root_keys
from app.encryption.rotation import declare_rotation

_stores: WeakSet[KeyStore] = WeakSet()


def init_encryption(app: Flask, settings: Settings) -> None:
    """Give the application its keys; nothing is read before the first use."""
    store = KeyStore(
        query=lambda statement, parameters: registry().query(statement, parameters),
        root_keys=make_root_keys(settings),
        kept_seconds=settings.key_cache_seconds,
    )
    plug_key_source(app, store)
    _stores.add(store)
    declare_rotation()


def _drop_after_fork() -> None:
    for store in _stores:
        store.reset_after_fork()


os.register_at_fork(after_in_child=_drop_after_fork)
