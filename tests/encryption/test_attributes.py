"""Encrypted attributes: sealed in the database, text in their owner's scope, nothing elsewhere."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import StatementError

from app.core.config import Settings
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.encryption.keys import KeyMissingError, SealedValueError, key_source
from app.core.ids import new_id
from app.core.tenancy.errors import CrossTenantError, ScopeError
from app.core.tenancy.scopes import platform_scope, tenant_scope
from tests.encryption.pen_friends import BOB, AsSuperuser, PenFriend, PenPal, add, find
from tests.isolation.toy import connect


def rename_in_vain(friend: PenFriend) -> None:
    with transaction():
        friend.email = "rob@acme.example"
        db.session.flush()
        raise RuntimeError("no")


def test_a_value_is_written_sealed_and_read_as_text(homes: Any, as_superuser: AsSuperuser) -> None:
    friend_id = add(homes.acme)
    (row,) = as_superuser("select * from pool.pen_friends")
    assert BOB.encode() not in b"".join(value for value in row.values() if isinstance(value, bytes))
    with tenant_scope(homes.acme, reason="test"):
        friend = db.session.get_one(PenFriend, (homes.acme.tenant_id, friend_id))
        assert (friend.email, friend.name) == (BOB, "Bob")


def test_a_new_row_reads_as_it_was_given_before_and_after_it_is_written(homes: Any) -> None:
    with tenant_scope(homes.acme, reason="test"), transaction():
        friend = PenFriend(email=BOB, name="Bob")
        assert friend.email == BOB
        db.session.add(friend)
        db.session.flush()
        assert friend.email == BOB


def test_an_id_that_was_given_is_what_the_value_is_bound_to(homes: Any) -> None:
    friend_id = new_id()
    with tenant_scope(homes.acme, reason="test"):
        with transaction():
            db.session.add(PenFriend(email=BOB, id=friend_id, name="Bob"))
        db.session.expunge_all()
        assert db.session.get_one(PenFriend, (homes.acme.tenant_id, friend_id)).email == BOB


def test_a_changed_value_is_sealed_and_indexed_anew(homes: Any) -> None:
    friend_id = add(homes.acme)
    with tenant_scope(homes.acme, reason="test"):
        with transaction():
            db.session.get_one(PenFriend, (homes.acme.tenant_id, friend_id)).email = "rob@acme.example"
        db.session.expunge_all()
        assert find(BOB) is None
        found = find("ROB@acme.example")
        assert found is not None
        assert (found.id, found.email) == (friend_id, "rob@acme.example")


def test_a_change_that_was_taken_back_is_not_remembered(homes: Any) -> None:
    friend_id = add(homes.acme)
    with tenant_scope(homes.acme, reason="test"):
        friend = db.session.get_one(PenFriend, (homes.acme.tenant_id, friend_id))
        assert friend.email == BOB
        with pytest.raises(RuntimeError, match="no"):
            rename_in_vain(friend)
        assert friend.email == BOB


def test_an_address_is_unique_within_a_tenant_however_it_is_written(homes: Any) -> None:
    add(homes.acme)
    add(homes.globex)
    with pytest.raises(Exception, match="uq_pen_friends_tenant_id_email_index"):
        add(homes.acme, email=BOB.upper())


def test_equal_addresses_of_two_tenants_are_not_seen_to_be_equal(homes: Any, as_superuser: AsSuperuser) -> None:
    add(homes.acme)
    add(homes.globex)
    first, second = as_superuser("select * from pool.pen_friends")
    assert first["email_index"] != second["email_index"]


@pytest.mark.parametrize("column", ["email_sealed", "name_sealed"])
def test_a_value_copied_from_another_tenants_row_does_not_open(
    homes: Any, as_superuser: AsSuperuser, column: str
) -> None:
    add(homes.globex, email="carol@globex.example", name="Carol")
    friend_id = add(homes.acme)
    other = f"(select {column} from pool.pen_friends where tenant_id = %s)"
    as_superuser(
        f"update pool.pen_friends set {column} = {other} where tenant_id = %s",
        homes.globex.tenant_id,
        homes.acme.tenant_id,
    )
    with tenant_scope(homes.acme, reason="test"):
        friend = db.session.get_one(PenFriend, (homes.acme.tenant_id, friend_id))
        with pytest.raises(SealedValueError):
            getattr(friend, column.removesuffix("_sealed"))


def test_a_value_copied_to_another_row_or_column_does_not_open(homes: Any, as_superuser: AsSuperuser) -> None:
    add(homes.acme)
    add(homes.acme, email="rob@acme.example", name="Rob")
    as_superuser(
        "update pool.pen_friends f set email_sealed = o.email_sealed, name_sealed = f.email_sealed "
        "from pool.pen_friends o where o.id <> f.id",
    )
    with tenant_scope(homes.acme, reason="test"):
        for friend in db.session.scalars(select(PenFriend)):
            for name in ("email", "name"):
                with pytest.raises(SealedValueError):
                    getattr(friend, name)


def test_clear_text_in_a_sealed_column_raises(homes: Any, as_superuser: AsSuperuser) -> None:
    add(homes.acme)
    as_superuser("update pool.pen_friends set email_sealed = %s", BOB.encode() * 5)
    with tenant_scope(homes.acme, reason="test"):
        friend = db.session.scalars(select(PenFriend)).one()
        with pytest.raises(SealedValueError, match="should be sealed and is not"):
            friend.email  # noqa: B018  # Reading it is what raises.


def test_a_value_opens_in_its_own_tenants_scope_only(homes: Any) -> None:
    friend_id = add(homes.acme)
    with tenant_scope(homes.acme, reason="test"):
        friend = db.session.get_one(PenFriend, (homes.acme.tenant_id, friend_id))
        db.session.expunge(friend)
    with pytest.raises(ScopeError, match="no scope"):
        friend.email  # noqa: B018  # Reading it is what raises.
    with tenant_scope(homes.globex, reason="test"), pytest.raises(CrossTenantError):
        friend.email  # noqa: B018  # Reading it is what raises.
    with platform_scope("test"), pytest.raises(CrossTenantError):
        friend.email  # noqa: B018  # Reading it is what raises.


def test_a_value_of_the_platform_opens_in_its_scope_only(homes: Any) -> None:
    with platform_scope("test"):
        with transaction():
            db.session.add(PenPal(name="Ada"))
        db.session.expunge_all()
        pal = db.session.scalars(select(PenPal)).one()
        assert pal.name == "Ada"
        db.session.expire(pal)
        db.session.refresh(pal)
        db.session.expunge(pal)
        pal.__dict__.pop("_opened_values")
    with tenant_scope(homes.acme, reason="test"), pytest.raises(ScopeError, match="platform's scope only"):
        pal.name  # noqa: B018  # Reading it is what raises.


def test_nothing_unsealed_passes_where_no_flush_seals(homes: Any) -> None:
    values = {"tenant_id": homes.acme.tenant_id, "id": new_id(), "email_index": b"", "name_sealed": b""}
    unsealed = vars(PenFriend(email=BOB, name="Bob"))["email_sealed"]
    statement = insert(PenFriend).values(email_sealed=unsealed, **values)
    with tenant_scope(homes.acme, reason="test"), pytest.raises((StatementError, TypeError)):
        db.session.execute(statement)


def test_a_version_that_is_gone_makes_its_values_raise_and_leaves_the_others(homes: Any, instance: Settings) -> None:
    add(homes.acme)
    with connect(instance) as connection:
        connection.execute("update control.data_keys set state = 'destroyed', wrapped = null where purpose = 'fields'")
    key_source().forget()
    with tenant_scope(homes.acme, reason="test"):
        friend = find(BOB)
        assert friend is not None
        with pytest.raises(KeyMissingError, match="is destroyed"):
            friend.email  # noqa: B018  # Reading it is what raises.
