"""A home one version behind this release works as any; `pytest --homes-behind` runs a portal's suite on such homes."""

from __future__ import annotations

import pytest

from app.core.database.session import registry
from app.core.database.versions import newest_version
from app.core.tenancy.scopes import Tier
from app.web.hosts import Portal
from tests.factories import make_bob, make_tenant, sign_in_as_bob, use_cheap_passwords
from tests.homes.releases import Release


def test_the_portal_works_in_a_pool_one_version_behind_and_not_in_one_two_behind(
    app: Portal, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cheap_passwords(monkeypatch)
    acme = make_tenant()
    release.add()
    make_bob(acme)
    assert acme.placement is not None
    assert (acme.placement.tier, acme.home_version < newest_version("tenant")) == (Tier.POOL, True)
    bob = sign_in_as_bob(app, acme)
    assert [bob.get(path).status for path in ("/", "/members", "/settings")] == [200, 200, 200]
    release.add("pass", "pass")
    assert bob.get("/members").status == 503
    assert registry().find_route(acme.tenant_id).home_state == "active"
