"""Why statements are not prepared by name: where they are, an injection can put its own in the next tenant's way."""

from __future__ import annotations

import pytest
from flask import current_app
from sqlalchemy import select

from app.core.config import Settings
from app.core.database import engines as room
from app.core.database.engines import Engines
from app.core.database.server_urls import CONNECT_ARGUMENTS
from app.core.database.session import db, registry
from app.core.tenancy.scopes import TenantRoute, Tier, tenant_scope
from app.settings.models import Setting
from tests.isolation.grounds import Ground, grounds
from tests.isolation.injectable import search_settings

__all__ = ["grounds"]
REPLACE = "'; deallocate {name}; prepare {name} (uuid) as select 'left by acme'::varchar; commit --"


def read(route: TenantRoute) -> list[str]:
    with tenant_scope(route, reason="read"):
        keys = list(db.session.scalars(select(Setting.key)))
        db.session.commit()
        return keys


@pytest.mark.parametrize("prepares", [True, False])
def test_only_a_named_statement_lets_an_injection_answer_the_next_tenant(
    grounds: dict[Tier, Ground], instance: Settings, monkeypatch: pytest.MonkeyPatch, prepares: bool
) -> None:
    ground = grounds[Tier.POOL]
    arguments = {**CONNECT_ARGUMENTS, "prepare_threshold": 5 if prepares else CONNECT_ARGUMENTS["prepare_threshold"]}
    monkeypatch.setattr(room, "CONNECT_ARGUMENTS", arguments)
    engines = Engines(instance, registry())
    monkeypatch.setitem(current_app.extensions, "tenantry_engines", engines)
    for _ in range(8):
        before = read(ground.globex)
    search_settings(ground.acme, REPLACE.format(name="_pg3_0"))  # The driver numbers its names: they can be guessed.
    after = read(ground.globex)
    engines.dispose()
    assert after == (["left by acme"] if prepares else before)
