"""What create_app calls to put encryption into the application."""

from __future__ import annotations

import os
from weakref import WeakSet

from flask import Flask

from app.core.config import Settings
from app.core.database.session import registry
from app.core.encryption.keys import plug_key_source
from app.core.permissions import Permission
from app.encryption.commands import keys_group
from app.encryption.key_store import KeyStore
from app.encryption.notices import speak_of_tenant
from app.encryption.root_keys import make_root_keys
from app.encryption.rotation import declare_rotation
from app.encryption.views import admin, tenant
from app.web.hosts import Surface
from app.web.navigation import NavItem, register
from app.web.notices import register_notice

NAVIGATION = (
    NavItem(Surface.ADMIN, "Keys", "encryption_admin.show_keys", "key", Permission.KEY_READ, 28),
    NavItem(Surface.TENANT, "Encryption", "encryption_tenant.show_keys", "key", Permission.WORKSPACE_KEY_READ, 36),
)
_stores: WeakSet[KeyStore] = WeakSet()


def init_encryption(app: Flask, settings: Settings) -> None:
    """Give the application its keys, read at their first use, and add the pages and the commands."""
    store = KeyStore(
        query=lambda statement, parameters: registry().query(statement, parameters),
        root_keys=make_root_keys(settings),
        kept_seconds=settings.key_cache_seconds,
    )
    plug_key_source(app, store)
    _stores.add(store)
    declare_rotation()
    app.cli.add_command(keys_group)
    app.register_blueprint(admin.bp)
    app.register_blueprint(tenant.bp)
    register_notice("tenant", "keys", Permission.KEY_READ, speak_of_tenant)
    for item in NAVIGATION:
        register(item)


def _drop_after_fork() -> None:
    for store in _stores:
        store.reset_after_fork()


os.register_at_fork(after_in_child=_drop_after_fork)
