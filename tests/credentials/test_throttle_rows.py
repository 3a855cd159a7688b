"""Failures are counted before they happen, lock account and address, outlive Redis, and are forgiven one by one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.core import clock
from app.core.database.session import db
from app.core.errors import ThrottledError
from app.core.redis import get_redis
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.credentials.throttles import clear_account, count_try, forgive_try, mail_gates, sign_in_gates
from app.members.models import MemberThrottle
from app.staff.models import StaffThrottle
from app.web.hosts import Portal
from tests.tenant_rows import make_tenant_rows

EMAIL, ADDRESS = "ada@platform.example", "192.0.2.1"


@pytest.fixture
def platform(app: Portal) -> Iterator[None]:
    with platform_scope("test"):
        yield


@contextmanager
def later(seconds: float) -> Iterator[None]:
    with clock.shifted(timedelta(seconds=seconds)):
        yield


def fail(times: int = 1, email: str = EMAIL, address: str = ADDRESS) -> None:
    for _ in range(times):
        count_try(StaffThrottle, sign_in_gates(email, address))


def wait_of(email: str = EMAIL, address: str = ADDRESS) -> int:
    """Return for how long the next try is refused."""
    try:
        passes = count_try(StaffThrottle, sign_in_gates(email, address))
    except ThrottledError as error:
        return error.retry_after_seconds
    forgive_try(StaffThrottle, passes)
    return 0


def keys() -> list[str]:
    return sorted(db.session.scalars(select(StaffThrottle.key)))


@pytest.mark.usefixtures("platform")
def test_the_sixth_failure_locks_the_account() -> None:
    fail(5)
    assert wait_of(address="192.0.2.2") == 0
    fail(6)
    assert 25 <= wait_of(address="192.0.2.2") <= 30


@pytest.mark.usefixtures("platform")
def test_an_address_is_locked_across_accounts() -> None:
    for number in range(21):
        fail(email=f"a{number}@platform.example")
    assert wait_of(email="fresh@platform.example") > 0
    assert wait_of(email="fresh@platform.example", address="192.0.2.2") == 0


@pytest.mark.usefixtures("platform")
def test_waiting_as_told_is_enough() -> None:
    fail(6)
    with later(wait_of()):
        fail()


@pytest.mark.usefixtures("platform")
def test_tries_during_the_lock_do_not_lengthen_it() -> None:
    fail(6)
    waits = [wait_of() for _ in range(5)]
    assert max(waits) <= 30


@pytest.mark.usefixtures("platform")
def test_the_words_say_how_long() -> None:
    fail(6)
    with pytest.raises(ThrottledError, match=r"^Wait \d+ seconds, then try again\."):
        fail()


@pytest.mark.usefixtures("platform")
@pytest.mark.parametrize(("failures", "words"), [(7, "a minute"), (8, "2 minutes"), (11, "15 minutes")])
def test_longer_waits_are_told_in_minutes(failures: int, words: str) -> None:
    with ExitStack() as moments:
        for _ in range(failures):
            moments.enter_context(later(1_000))
            fail()
        with pytest.raises(ThrottledError, match=f"Wait {words},"):
            fail()


@pytest.mark.usefixtures("platform")
def test_success_forgets_the_accounts_failures() -> None:
    fail(4)
    assert wait_of() == 0
    fail(5)
    assert wait_of() == 0


@pytest.mark.usefixtures("platform")
def test_success_gives_an_address_its_one_try_back_and_no_more() -> None:
    for number in range(20):
        fail(email=f"a{number}@platform.example")
    assert wait_of(email="mallory@platform.example") == 0
    fail(email="another@platform.example")
    assert wait_of(email="mallory@platform.example") > 0


@pytest.mark.usefixtures("platform")
def test_success_does_not_prolong_an_addresss_lock() -> None:
    for number in range(21):
        fail(email=f"a{number}@platform.example")
    with later(31):
        assert wait_of() == 0
        assert wait_of() == 0


@pytest.mark.usefixtures("platform")
def test_a_success_after_anothers_failure_leaves_that_failure() -> None:
    passes = count_try(StaffThrottle, sign_in_gates(EMAIL, ADDRESS))
    fail(email="other@platform.example")
    forgive_try(StaffThrottle, passes)
    assert [
        row.failures for row in db.session.scalars(select(StaffThrottle).where(StaffThrottle.key.like("addr%")))
    ] == [1]


@pytest.mark.usefixtures("platform")
def test_nothing_of_a_success_stays() -> None:
    assert wait_of() == 0
    assert keys() == []


@pytest.mark.usefixtures("platform")
def test_a_proof_by_link_clears_the_account() -> None:
    fail(6)
    clear_account(StaffThrottle, EMAIL)
    assert wait_of() == 0


@pytest.mark.usefixtures("platform")
def test_what_was_typed_cannot_be_read_from_the_rows() -> None:
    fail(email="my secret password")
    assert not any("secret" in key for key in keys())


@pytest.mark.usefixtures("platform")
def test_all_addresses_of_an_ipv6_customer_are_one() -> None:
    for number in range(21):
        fail(email=f"a{number}@platform.example", address=f"2001:db8:1:2::{number + 1:x}")
    assert wait_of(email="b@platform.example", address="2001:db8:1:2:ffff::1") > 0
    assert wait_of(email="b@platform.example", address="2001:db8:1:3::1") == 0


@pytest.mark.parametrize("address", ["::ffff:192.0.2.1", "192.0.2.1"])
def test_an_ipv4_address_is_one_in_both_spellings(address: str) -> None:
    assert sign_in_gates(EMAIL, address)[1].key == "address:192.0.2.1"


def test_an_address_that_is_none_is_counted_as_it_is() -> None:
    assert sign_in_gates(EMAIL, "unknown")[1].key == "address:unknown"


@pytest.mark.usefixtures("platform")
def test_asking_for_mails_has_a_limit_of_its_own() -> None:
    for _ in range(4):
        count_try(StaffThrottle, mail_gates(EMAIL, ADDRESS))
    with pytest.raises(ThrottledError):
        count_try(StaffThrottle, mail_gates(EMAIL, ADDRESS))
    assert wait_of() == 0


@pytest.mark.usefixtures("platform")
def test_old_failures_are_taken_along() -> None:
    fail(email="old@platform.example")
    with later(86_401):
        fail(email="new@platform.example", address="192.0.2.9")
        assert len(keys()) == 2


@pytest.mark.usefixtures("platform")
def test_a_flushed_redis_forgets_nothing() -> None:
    fail(6)
    get_redis().flushdb()
    assert wait_of() > 0


def test_one_tenants_failures_lock_nobody_at_another(app: Portal) -> None:
    acme, globex = make_tenant_rows("acme"), make_tenant_rows("globex")
    with tenant_scope(acme, reason="test"):
        for _ in range(6):
            count_try(MemberThrottle, sign_in_gates(EMAIL, ADDRESS))
    with tenant_scope(globex, reason="test"):
        assert len(count_try(MemberThrottle, sign_in_gates(EMAIL, ADDRESS))) == 2


def test_tries_at_once_cannot_outrun_the_lock(app: Portal) -> None:
    passed, start = [], threading.Barrier(12)

    def attack() -> None:
        with app.app_context(), platform_scope("attack"):
            start.wait()
            try:
                passed.append(count_try(StaffThrottle, sign_in_gates(EMAIL, ADDRESS)))
            except ThrottledError:
                db.session.rollback()

    threads = [threading.Thread(target=attack) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(passed) == 6
