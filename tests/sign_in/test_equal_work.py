"""Whether an account exists cannot be told from the work: argon2 runs once, whoever asks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from argon2 import PasswordHasher

from app.core.database.session import engines
from app.core.errors import InputError
from app.core.tenancy.scopes import Login, TenantRoute, platform_scope, tenant_scope
from app.members import services as members
from app.staff import services as staff
from app.web.hosts import Portal
from tests.factories import (
    ADA,
    ADMIN_HOST,
    BOB,
    PASSWORD,
    SETUP,
    host_of,
    invite,
    make_bob,
    make_member,
    make_staff_user,
    visit_to,
)


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every hash that argon2 is asked to verify."""
    seen: list[str] = []
    verify: Callable[..., bool] = PasswordHasher.verify

    def spy(self: PasswordHasher, encoded: str, password: bytes) -> bool:
        seen.append(encoded)
        return verify(self, encoded, password)

    monkeypatch.setattr(PasswordHasher, "verify", spy)
    return seen


def parameters(encoded: str) -> str:
    return encoded.rpartition("$")[0].rpartition("$")[0]


def guess_at_acme(acme: TenantRoute, email: str) -> None:
    with tenant_scope(acme, reason="test"), pytest.raises(InputError):
        members.sign_in(email=email, password="wrong", visit=visit_to(host_of(acme)))


@pytest.mark.parametrize(
    "email", [BOB, "nobody@acme.example", "invited@acme.example", "gone@acme.example", "", "x" * 999]
)
def test_every_guess_at_a_tenant_runs_argon2_once(app: Portal, acme: TenantRoute, runs: list[str], email: str) -> None:
    make_bob(acme)
    invite(acme, "invited@acme.example")
    gone = make_member(acme, "gone@acme.example")
    with tenant_scope(acme, reason="test"):
        members.deactivate_member(gone, actor=SETUP)
    runs.clear()
    guess_at_acme(acme, email)
    assert len(runs) == 1


def test_an_unknown_account_costs_what_a_known_one_costs(app: Portal, acme: TenantRoute, runs: list[str]) -> None:
    make_bob(acme)
    for email in (BOB, "nobody@acme.example"):
        guess_at_acme(acme, email)
    assert parameters(runs[0]) == parameters(runs[1])


@pytest.mark.parametrize("email", [ADA, "nobody@platform.example"])
def test_every_guess_at_the_platform_runs_argon2_once(app: Portal, runs: list[str], email: str) -> None:
    make_staff_user()
    with platform_scope("test"), pytest.raises(InputError):
        staff.sign_in(email=email, password="wrong", visit=visit_to(ADMIN_HOST))
    assert len(runs) == 1


def test_no_transaction_is_open_while_argon2_works(
    app: Portal, acme: TenantRoute, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_bob(acme)
    held: list[int] = []
    verify: Callable[..., bool] = PasswordHasher.verify

    def spy(self: PasswordHasher, encoded: str, password: bytes) -> bool:
        held.append(engines().for_login(Login.TENANT).pool.checkedout())
        return verify(self, encoded, password)

    monkeypatch.setattr(PasswordHasher, "verify", spy)
    with tenant_scope(acme, reason="test"):
        members.sign_in(email=BOB, password=PASSWORD, visit=visit_to(host_of(acme)))
    assert held == [0]
