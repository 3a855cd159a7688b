"""A member signs in on the tenant's own host, and nowhere else."""

from __future__ import annotations

from app.core.tenancy.scopes import TenantRoute
from app.web.hosts import Portal
from tests.factories import BOB, host_of, make_bob, sign_in


def test_bob_signs_in(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    client = sign_in(app, host_of(acme), BOB)
    print(client.get("/").status, client.text)
