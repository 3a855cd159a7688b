"""A tenant's transaction writes its home or the control plane, in every tier alike."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import delete, insert, select, update

from app.audit.models import ControlAuditEvent
from app.audit.services import Target, record_event
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.tenants.models import TenantFact
from tests.factories import SETUP, make_tenant
from tests.isolation.toy import Toy

TARGET = Target("toy", None, "Toy")
HOME_WRITES: dict[str, Callable[[], object]] = {
    "a new row": lambda: db.session.add(Toy(name="bear")),
    "an insert": lambda: db.session.execute(insert(Toy).values(name="bear")),
    "an update": lambda: db.session.execute(update(Toy).values(name="bear")),
    "a delete": lambda: db.session.execute(delete(Toy)),
}


def write_control() -> None:
    record_event(AuditAction.TENANT_UPDATED, target=TARGET, actor=SETUP, in_control=True)


def write_both(first: Callable[[], object], second: Callable[[], object]) -> None:
    with transaction():
        first()
        db.session.flush()
        second()


@pytest.mark.parametrize("kind", HOME_WRITES)
@pytest.mark.parametrize("control_first", [False, True])
def test_both_in_one_transaction_is_refused_and_neither_is_written(
    app: object, toy_tables: None, kind: str, control_first: bool
) -> None:
    acme = make_tenant("acme")
    first, second = (write_control, HOME_WRITES[kind]) if control_first else (HOME_WRITES[kind], write_control)
    with tenant_scope(acme, reason="test"), pytest.raises(ScopeError, match="two servers"):
        write_both(first, second)
    with tenant_scope(acme, reason="test"):
        assert not db.session.scalars(select(Toy)).all()
        assert not db.session.scalars(select(ControlAuditEvent).where(ControlAuditEvent.target_kind == "toy")).all()


def test_one_after_the_other_is_two_transactions(app: object, toy_tables: None) -> None:
    acme = make_tenant("acme")
    with tenant_scope(acme, reason="test"):
        for write in (write_control, HOME_WRITES["a new row"], write_control):
            with transaction():
                write()
        assert len(db.session.scalars(select(ControlAuditEvent)).all()) == 2


def test_reading_one_while_writing_the_other_is_no_crossing(app: object, toy_tables: None) -> None:
    acme = make_tenant("acme")
    with tenant_scope(acme, reason="test"), transaction():
        db.session.scalars(select(TenantFact)).all()
        db.session.add(Toy(name="bear"))


def test_the_platform_writes_what_lies_in_one_database_anyway(app: object) -> None:
    with platform_scope("test"), transaction():
        record_event(AuditAction.TENANT_UPDATED, target=TARGET, actor=SETUP)
        db.session.flush()
        record_event(AuditAction.TENANT_UPDATED, target=TARGET, actor=SETUP)
