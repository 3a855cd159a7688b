"""Wall 1: the application's own way to rows, without a filter, by a foreign id, with a foreign object."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import select

from app.core.database.models import HomeRecord, Record
from app.core.database.session import db
from app.core.ids import new_id
from app.core.tenancy.errors import CrossTenantError
from app.core.tenancy.scopes import Login, tenant_scope
from app.isolation.canaries import Canary, Pair
from app.isolation.grounds import connect, list_home_tables
from app.isolation.outcomes import Breach, Check, NotTried
from app.members.models import Member

WALL = "1 ORM"
MOST_ROWS = 1_000


def forget_the_filter(pair: Pair) -> str:
    """Ask for all rows of every kind, as somebody who forgets the filter does."""
    with connect(Login.TENANT, pair.address) as connection:
        tables = set(list_home_tables(connection, pair.schema))
    classes = [mapper.class_ for mapper in Record.registry.mappers]
    models = [cls for cls in classes if issubclass(cls, HomeRecord) and cls.__tablename__ in tables]
    with _scope(pair.a):
        for model in models:
            found = set(db.session.scalars(select(model.tenant_id).limit(MOST_ROWS)))
            if found - {pair.a.tenant_id}:
                raise Breach(f"{model.__name__}: a query without a filter found rows of another tenant.")
    return f"{len(models)} kinds of rows were asked for without a filter; only own ones came."


def ask_by_foreign_id(pair: Pair) -> str:
    """Ask for B's member by its id, with B's key and with A's."""
    member_id = find_member_id(pair.b)
    with _scope(pair.a):
        for tenant_id in (pair.b.tenant_id, pair.a.tenant_id):
            if db.session.get(Member, (tenant_id, member_id)) is not None:
                raise Breach("A member of the other canary was found by its id.")
    return "The other canary’s member was asked for by its id, and does not exist here."


def bring_a_foreign_object(pair: Pair) -> str:
    """Try to save an object that bears B's tenant, and one that was loaded there."""
    with _scope(pair.b):
        foreign: Any = db.session.scalars(select(Member).limit(1)).first()
        if foreign is None:
            raise NotTried("The other canary has no member.")
        db.session.expunge_all()
    with _scope(pair.a):
        for row in (Member(tenant_id=pair.b.tenant_id, id=new_id(), email="x", role_id=new_id()), foreign):
            _expect_refusal(row)
    return "Objects of the other canary could not be saved."


def find_member_id(canary: Canary) -> UUID:
    """Return the id of a canary's member.

    Errors: NotTried when it has none.
    """
    with _scope(canary):
        found = db.session.scalars(select(Member.id).limit(1)).first()
    if found is None:
        raise NotTried("The other canary has no member.")
    return found


CHECKS = (
    Check("orm.filter", WALL, "A query without a filter finds own rows only", forget_the_filter),
    Check("orm.foreign_id", WALL, "Another tenant’s id leads to nothing", ask_by_foreign_id),
    Check("orm.foreign_object", WALL, "Another tenant’s object cannot be saved", bring_a_foreign_object),
)


@contextmanager
def _scope(canary: Canary) -> Iterator[None]:
    # What a check has written is never committed; leaving the scope closes the session.
    with tenant_scope(canary.route, reason="isolation probe"):
        yield
        db.session.rollback()


def _expect_refusal(row: Any) -> None:
    try:
        db.session.add(row)
        db.session.flush()
    except CrossTenantError:
        db.session.rollback()
        return
    raise Breach("An object of the other canary was saved.")
