"""A key gets a new version; nothing is left under the older ones, and nobody notices."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from app.core.actors import Actor
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.encryption.keys import KeyMissingError, KeyPurpose, key_source
from app.core.errors import ConflictError
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.encryption import resealing, services
from app.encryption.queries import list_data_keys
from app.operations.models import Operation, OperationState
from app.web.hosts import Portal
from tests.encryption.pen_friends import BOB, AsSuperuser, PenFriend, PenPal, add, find
from tests.tenant_rows import set_home
from tests.work import run_jobs

FIELDS, BLIND_INDEX = KeyPurpose.FIELDS, KeyPurpose.BLIND_INDEX
ADA = Actor.system("test")
pytestmark = pytest.mark.usefixtures("soon")


def rotate(owner_id: UUID | None, purpose: KeyPurpose = FIELDS, *, may_fail: bool = False) -> Operation:
    with platform_scope("test"):
        operation_id = services.start_rotation(owner_id, purpose, actor=ADA)
    run_jobs(may_fail=may_fail)
    with platform_scope("test"):
        return db.session.get_one(Operation, operation_id)


def states(owner_id: UUID | None, purpose: KeyPurpose = FIELDS) -> dict[int, str]:
    with platform_scope("test"):
        return {row.version: row.state for row in list_data_keys(owner_id) if row.purpose == purpose}


def version_of(sealed: bytes) -> int:
    """Return the key version that a sealed value names, behind its format byte."""
    return int.from_bytes(sealed[1:5], "big")


def versions_of(as_superuser: AsSuperuser) -> list[int]:
    rows = as_superuser("select email_sealed, name_sealed from pool.pen_friends order by id")
    return [version_of(bytes(value)) for row in rows for value in row.values()]


def test_every_value_is_sealed_anew_and_the_older_version_retires(
    homes: Any, as_superuser: AsSuperuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "BATCH_ROWS", 2)
    for number in range(5):
        add(homes.acme, email=f"{number}@acme.example")
    assert rotate(homes.acme.tenant_id).state == OperationState.DONE
    assert versions_of(as_superuser) == [2] * 10
    assert states(homes.acme.tenant_id) == {1: "retired", 2: "active"}
    with tenant_scope(homes.acme, reason="test"):
        friends = db.session.scalars(select(PenFriend).order_by(PenFriend.id)).all()
        assert [friend.email for friend in friends] == [f"{number}@acme.example" for number in range(5)]


def test_another_tenants_values_and_keys_stay_as_they_are(homes: Any, as_superuser: AsSuperuser) -> None:
    add(homes.globex)
    before = as_superuser("select * from pool.pen_friends")
    rotate(homes.acme.tenant_id)
    assert as_superuser("select * from pool.pen_friends") == before
    assert states(homes.globex.tenant_id) == {1: "active"}


def test_the_platforms_values_are_sealed_anew_in_its_own_scope(homes: Any) -> None:
    with platform_scope("test"), transaction():
        db.session.add(PenPal(name="Ada"))
    assert rotate(None).state == OperationState.DONE
    with platform_scope("test"):
        pal = db.session.scalars(select(PenPal)).one()
        assert (pal.name, version_of(vars(pal)["name_sealed"])) == ("Ada", 2)


def test_rows_are_found_by_their_index_after_its_key_has_rotated(homes: Any, as_superuser: AsSuperuser) -> None:
    friend_id = add(homes.acme)
    before = as_superuser("select email_index from pool.pen_friends")
    assert rotate(homes.acme.tenant_id, BLIND_INDEX).state == OperationState.DONE
    after = as_superuser("select email_index from pool.pen_friends")
    assert before != after
    assert bytes(after[0]["email_index"])[:4] == b"\x00\x00\x00\x02"
    with tenant_scope(homes.acme, reason="test"):
        found = find(BOB)
        assert found is not None
        assert found.id == friend_id


@pytest.mark.parametrize("step", ["publish", "index", "promote", "renew"])
def test_an_address_stays_unique_and_findable_between_any_two_steps_of_an_index_rotation(homes: Any, step: str) -> None:
    tenant_id = homes.acme.tenant_id
    add(homes.acme)
    with platform_scope("test"):
        services.publish_version(tenant_id, BLIND_INDEX, actor=ADA)
    key_source().forget()
    add(homes.acme, email="published@acme.example")
    if step != "publish":
        resealing.reseal(tenant_id, BLIND_INDEX, print)
    if step in ("promote", "renew"):
        with platform_scope("test"):
            services.promote_version(tenant_id, BLIND_INDEX, actor=ADA)
        key_source().forget()
        add(homes.acme, email="promoted@acme.example")
    if step == "renew":
        resealing.reseal(tenant_id, BLIND_INDEX, print)
    for email in (BOB, "published@acme.example", *(["promoted@acme.example"] if step in ("promote", "renew") else [])):
        with tenant_scope(homes.acme, reason="test"):
            assert find(email) is not None
        with pytest.raises(Exception, match="uq_pen_friends_tenant_id_email_index"):
            add(homes.acme, email=email.upper())


def test_a_rotation_under_readers_and_writers_fails_nobody_and_leaves_nothing_behind(
    app: Portal, homes: Any, as_superuser: AsSuperuser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "BATCH_ROWS", 3)
    for number in range(20):
        add(homes.acme, email=f"{number}@acme.example")
    ended, faults, seen = threading.Event(), [], []

    def work(worker: int) -> None:
        with app.app_context():
            while not ended.is_set():
                try:
                    email = f"{worker}-{len(seen)}@acme.example"
                    add(homes.acme, email=email)
                    with tenant_scope(homes.acme, reason="test"), transaction():
                        friends = db.session.scalars(select(PenFriend).with_for_update(skip_locked=True).limit(5)).all()
                        for friend in friends:
                            friend.name = friend.email
                    with tenant_scope(homes.acme, reason="test"):
                        found = find(email)
                        seen.append(found is not None and found.email == email)
                except Exception as fault:
                    faults.append(fault)
                    raise

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        outcomes = [rotate(homes.acme.tenant_id, purpose).state for purpose in (FIELDS, BLIND_INDEX)]
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert outcomes == [OperationState.DONE] * 2
    assert not faults
    assert seen
    assert all(seen)
    assert set(versions_of(as_superuser)) == {2}


def test_a_value_that_cannot_be_opened_stops_the_rotation_and_its_version_stays_in_use(
    homes: Any, as_superuser: AsSuperuser
) -> None:
    add(homes.acme)
    as_superuser("update pool.pen_friends set name_sealed = email_sealed")
    operation = rotate(homes.acme.tenant_id, may_fail=True)
    assert operation.state != OperationState.DONE
    assert states(homes.acme.tenant_id) == {1: "decrypt-only", 2: "active"}
    with tenant_scope(homes.acme, reason="test"):
        found = find(BOB)
        assert found is not None
        assert found.email == BOB


def test_a_value_that_is_left_keeps_its_version_from_retiring(homes: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    add(homes.acme)
    monkeypatch.setattr("app.encryption.rotation.reseal", lambda *_: 0)
    assert rotate(homes.acme.tenant_id, may_fail=True).state != OperationState.DONE
    assert states(homes.acme.tenant_id) == {1: "decrypt-only", 2: "active"}


@pytest.mark.parametrize("purpose", [KeyPurpose.AUDIT, KeyPurpose.BACKUPS, KeyPurpose.FILES])
def test_what_is_never_sealed_anew_keeps_its_older_versions(homes: Any, purpose: KeyPurpose) -> None:
    rotate(homes.acme.tenant_id, purpose)
    assert states(homes.acme.tenant_id, purpose) == {1: "decrypt-only", 2: "active"}
    rotate(homes.acme.tenant_id, purpose)
    assert states(homes.acme.tenant_id, purpose) == {1: "decrypt-only", 2: "decrypt-only", 3: "active"}


@pytest.mark.parametrize("owner", ["acme", "platform"])
def test_two_rotations_of_one_owner_at_once_are_refused(homes: Any, owner: str) -> None:
    owner_id = homes.acme.tenant_id if owner == "acme" else None
    with platform_scope("test"):
        services.start_rotation(owner_id, FIELDS, actor=ADA)
        with pytest.raises(ConflictError):
            services.start_rotation(owner_id, BLIND_INDEX, actor=ADA)


def test_a_fenced_home_makes_the_rotation_wait_and_loses_nothing(homes: Any, as_superuser: AsSuperuser) -> None:
    add(homes.acme)
    set_home(homes.acme.tenant_id, state="fenced")
    assert rotate(homes.acme.tenant_id, may_fail=True).state != OperationState.DONE
    set_home(homes.acme.tenant_id, state="active")
    with tenant_scope(homes.acme, reason="test"):
        assert find(BOB) is not None


def test_a_retired_version_opens_nothing(homes: Any) -> None:
    add(homes.acme)
    rotate(homes.acme.tenant_id)
    key_source().forget()
    with pytest.raises(KeyMissingError, match="is retired"):
        key_source().keyring(homes.acme.tenant_id, FIELDS).opening_key(1)


def test_each_change_of_a_key_is_an_event_of_its_tenant(homes: Any, as_superuser: AsSuperuser) -> None:
    rotate(homes.acme.tenant_id)
    events = as_superuser(
        "select action, tenant_id, target_label from control.audit_events where action like 'key%%' order by at, id"
    )
    assert [event["action"] for event in events] == [
        "key_rotation.started",
        "key.published",
        "key.promoted",
        "key.retired",
    ]
    assert {(event["tenant_id"], event["target_label"]) for event in events} == {(homes.acme.tenant_id, "fields")}
