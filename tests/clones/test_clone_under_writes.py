"""A source that is written to all the time: it is never paused, and the clone holds one moment's state of it."""

from __future__ import annotations

import random
import threading
import time

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.clones import copying
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import TenantRoute, Tier, tenant_scope
from app.settings.models import Setting
from tests.clones.acts import clone
from tests.factories import rows_of
from tests.moves.stock import make_stocked

ACCOUNTS, TOTAL = 12, 12_000


class Bank:
    """Moves amounts between settings, so that their sum is the same after every transaction."""

    def __init__(self, app: Flask, tenant: TenantRoute) -> None:
        self.app, self.tenant, self.random = app, tenant, random.Random(1)
        self.stopped, self.commits, self.longest_seconds = threading.Event(), 0, 0.0
        with tenant_scope(tenant, reason="test"), transaction():
            for number in range(ACCOUNTS):
                db.session.add(Setting(key=f"account-{number}", value=TOTAL // ACCOUNTS))

    def run(self) -> None:
        """Pay until told to stop."""
        with self.app.app_context():
            while not self.stopped.is_set():
                began = time.monotonic()
                self.pay()
                self.longest_seconds = max(self.longest_seconds, time.monotonic() - began)
                self.commits += 1

    def pay(self) -> None:
        """Move an amount from one account to another in one transaction, in two statements."""
        payer, payee = self.random.sample(range(ACCOUNTS), 2)
        with tenant_scope(self.tenant, reason="bank"), transaction():
            for number, amount in ((payer, -7), (payee, 7)):
                row = db.session.scalars(select(Setting).where(Setting.key == f"account-{number}")).one()
                statement = update(Setting).where(Setting.id == row.id).values(value=row.value + amount)
                db.session.execute(statement.execution_options(synchronize_session=False))


def balances_of(tenant: TenantRoute) -> dict[str, int]:
    return {row.key: row.value for row in rows_of(Setting, tenant) if row.key.startswith("account-")}


def sum_of(tenant: TenantRoute) -> int:
    return sum(balances_of(tenant).values())


@pytest.mark.parametrize(("tier", "server"), [(Tier.POOL, "main"), (Tier.SCHEMA, "main")])
def test_the_clone_is_one_moments_state_and_the_writer_is_never_paused(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tier: Tier, server: str
) -> None:
    acme = make_stocked("acme", Tier.POOL, "main")
    bank, begun = Bank(app, acme), []

    def note_slowly(text: str) -> None:
        if text.startswith("copying table"):
            begun.append(bank.commits)
            time.sleep(0.1)

    copy = copying.copy
    monkeypatch.setattr(copying, "copy", lambda way, _note: copy(way, note_slowly))
    thread = threading.Thread(target=bank.run)
    thread.start()
    try:
        made = clone(acme, tier=tier, server=server)
    finally:
        bank.stopped.set()
        thread.join()
    assert (sum_of(made), sum_of(acme)) == (TOTAL, TOTAL)
    # It paid while table after table was copied, and no payment waited for the copy.
    assert begun[-1] - begun[0] > 5
    assert bank.longest_seconds < 0.5
    assert balances_of(made) != balances_of(acme)


def test_a_transaction_that_stays_open_at_the_source_holds_nothing_up(app: Flask) -> None:
    acme = make_stocked("acme", Tier.POOL, "main")
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with app.app_context(), tenant_scope(acme, reason="test"), transaction():
            db.session.add(Setting(key="never-committed-in-time", value=1))
            db.session.flush()
            held.set()
            let_go.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        made = clone(acme)
        keys = {row.key for row in rows_of(Setting, made)}
    finally:
        let_go.set()
        thread.join()
    assert made.status == "active"
    assert "never-committed-in-time" not in keys
