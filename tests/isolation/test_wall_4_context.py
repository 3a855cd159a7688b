"""Wall 4: every context but a genuine, present one of this tenant is an error of its own, from the database itself."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st
from sqlalchemy import select, text

from app.core.config import Settings
from app.core.context_token import hmac_blocks, sign_context
from app.core.database.session import db, engines, registry
from app.core.tenancy.errors import HomeUnavailableError, ScopeError
from app.core.tenancy.scopes import MAIN_DATABASE, Login, TenantRoute, tenant_scope
from tests.isolation.toy import Toy, attack, connect, make_context, make_home, set_home

COUNT = "select count(*) from pool.toys"
NONE, FORGED, EXPIRED, STALE, FENCED, PURGED = (f"TN00{number}" for number in range(1, 7))
ANOTHER_KEY = bytes(32)


@pytest.fixture
def line(acme: TenantRoute, instance: Settings) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the tenant login as an attacker would have it: no ORM, no scope, no context."""
    with connect(instance, Login.TENANT, autocommit=True) as connection:
        yield connection


def answer(line: psycopg.Connection[Any], context: str | None) -> str | int:
    """Return the SQLSTATE with which a context is refused, or the number of toys that it shows."""
    if context is not None:
        line.execute("select set_config('tenantry.context', %s, false)", (context,))
    try:
        return line.execute(COUNT).fetchone()[0]
    except psycopg.Error as error:
        return error.sqlstate


def test_a_genuine_context_shows_the_tenants_rows(line: psycopg.Connection[Any], acme: TenantRoute) -> None:
    assert answer(line, make_context(acme)) == 1


@pytest.mark.parametrize("context", [None, ""])
def test_no_context(line: psycopg.Connection[Any], context: str | None) -> None:
    assert answer(line, context) == NONE


FORGERIES: dict[str, Callable[[str, str], str]] = {
    "signed with another key": lambda _own, other: other,
    "one digit of the MAC": lambda own, _other: own[:-1] + ("1" if own[-1] == "0" else "0"),
    "another's MAC": lambda own, other: own[:-64] + other[-64:],
    "no MAC": lambda own, _other: own[:-65],
    "a short MAC": lambda own, _other: own[:-1],
    "a long MAC": lambda own, _other: own + "0",
    "an upper-case MAC": lambda own, _other: own[:-64] + own[-64:].upper(),
    "an upper-case tenant": lambda own, _other: own[:36].upper() + own[36:],
    "another tenant": lambda own, _other: str(uuid4()) + own[36:],
    "another epoch": lambda own, _other: own.replace(".1.", ".2.", 1),
    "another expiry": lambda own, _other: own[:-66] + str((int(own[-66]) + 1) % 10) + own[-65:],
    "a line break behind": lambda own, _other: own + "\n",
    "a blank before": lambda own, _other: " " + own,
    "two contexts": lambda own, _other: own + own,
    "signs in the numbers": lambda own, _other: own.replace(".1.", ".+1.", 1),
    "other digits": lambda own, _other: own.replace(".1.", ".１.", 1),
    "other digits in the MAC": lambda own, _other: (
        own[:-64] + own[-64:].translate({0x30 + n: 0xFF10 + n for n in range(10)})
    ),
    "no dot before the MAC": lambda own, _other: own[:-65] + "x" + own[-64:],
    "blanks round the numbers": lambda own, _other: own.replace(".1.", ". 1 .", 1),
    "a tab inside": lambda own, _other: own.replace(".1.", ".1\t.", 1),
    "an underscore in a number": lambda own, _other: own.replace(".1.", ".0_1.", 1),
    "zeros before a number": lambda own, _other: own.replace(".1.", ".01.", 1),
    "a number in hexadecimal": lambda own, _other: own.replace(".1.", ".0x1.", 1),
    "a negative number": lambda own, _other: own.replace(".1.", ".-1.", 1),
    "an empty epoch": lambda own, _other: own.replace(".1.", "..", 1),
    "an empty tenant": lambda own, _other: own[36:],
    "an empty message": lambda own, _other: "." + own[-64:],
    "the MAC alone": lambda own, _other: own[-64:],
    "one part more": lambda own, _other: own.replace(".1.", ".1.1.", 1),
    "dots alone": lambda _own, _other: "." * 133,
    "an escaped MAC": lambda own, _other: own[:-64] + "\\x" + own[-64:],
    "an escaped zero": lambda own, _other: own + "\\000",
    "braces round the tenant": lambda own, _other: "{" + own[:36] + "}" + own[36:],
    "a tenant without hyphens": lambda own, _other: own[:36].replace("-", "") + own[36:],
    "zeros up to the longest": lambda own, _other: own.replace(".1.", "." + "1".zfill(133 - len(own) + 1) + ".", 1),
    "a very long text": lambda own, _other: own * 1000,
    "a very long number": lambda own, _other: own.replace(".1.", f".{'9' * 100_000}.", 1),
    "an SQL expression": lambda own, _other: f"' || (select '{own}') || '",
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_context(line: psycopg.Connection[Any], acme: TenantRoute, forgery: str) -> None:
    own, other = make_context(acme), make_context(acme, key=ANOTHER_KEY)
    forged = FORGERIES[forgery](own, other)
    assert forged != own
    assert answer(line, forged) == FORGED


@pytest.mark.parametrize("epoch", ["1" * 19, "9" * 40])
def test_no_refusal_shows_the_context(line: psycopg.Connection[Any], acme: TenantRoute, epoch: str) -> None:
    message = f"{acme.tenant_id}.{epoch}.{int(time.time()) + 100}"
    mac = hmac.new(registry().context_key(MAIN_DATABASE), message.encode(), hashlib.sha256).hexdigest()
    for context in (f"{message}.{mac}", f"{message}.{mac[:-1]}x"):
        line.execute("select set_config('tenantry.context', %s, false)", (context,))
        with pytest.raises(psycopg.Error) as caught:
            line.execute(COUNT)
        assert caught.value.sqlstate == FORGED
        assert str(acme.tenant_id) not in str(caught.value)
        assert mac[:-1] not in str(caught.value)


NUMBERS = st.integers(min_value=0, max_value=10**25).map(str)
SHAPED = st.tuples(
    st.uuids().map(str) | st.text("0123456789abcdef-", max_size=40),
    NUMBERS,
    NUMBERS,
    st.text("0123456789abcdef", max_size=70),
).map(".".join)
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=200)


@hypothesis(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=SHAPED | TEXTS)
@example(garbage="null")
@example(garbage="....")
@example(garbage="\\x00")
def test_garbage_of_any_shape_is_forged_and_nothing_else(line: psycopg.Connection[Any], garbage: str) -> None:
    assert answer(line, garbage) == FORGED


# Not on the second at which the answer changes.
LIFETIMES = st.integers(-(10**9), -2) | st.integers(3, 297) | st.integers(304, 10**14)


@hypothesis(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(epoch=st.integers(0, 10**20), lifetime=LIFETIMES)
@example(epoch=1, lifetime=100)
@example(epoch=2, lifetime=100)
@example(epoch=10**18 - 1, lifetime=100)
@example(epoch=10**18, lifetime=100)
def test_even_a_signed_context_passes_only_with_the_right_numbers(
    line: psycopg.Connection[Any], acme: TenantRoute, epoch: int, lifetime: int
) -> None:
    expires = max(0, int(time.time()) + lifetime)
    signed = sign_context(registry().context_key(MAIN_DATABASE), acme.tenant_id, epoch, expires)
    expected: str | int = 1 if epoch == 1 else STALE
    expected = expected if 0 < lifetime < 300 else EXPIRED
    assert answer(line, signed) == (FORGED if epoch >= 10**18 or expires >= 10**12 else expected)


@pytest.mark.parametrize("age", [296, 100_000, -7, -100_000], ids=str)
def test_an_expired_context_and_one_that_lives_too_long(
    line: psycopg.Connection[Any], acme: TenantRoute, age: int
) -> None:
    assert answer(line, make_context(acme, age=age)) == EXPIRED


def test_a_context_expires_between_transactions_and_never_inside_one(
    line: psycopg.Connection[Any], acme: TenantRoute
) -> None:
    context = make_context(acme, age=294)
    with line.transaction():
        assert answer(line, context) == 1
        time.sleep(2)
        assert answer(line, None) == 1
    assert answer(line, context) == EXPIRED


@pytest.mark.parametrize("epoch", [1, 2, 4])
def test_a_stale_epoch(line: psycopg.Connection[Any], acme: TenantRoute, instance: Settings, epoch: int) -> None:
    set_home(instance, acme, epoch=3)
    assert answer(line, make_context(acme, epoch=epoch)) == STALE
    assert answer(line, make_context(acme, epoch=3)) == 1


def test_a_fenced_home_refuses_the_tenant_login_and_admits_the_owner(
    line: psycopg.Connection[Any], acme: TenantRoute, instance: Settings
) -> None:
    set_home(instance, acme, state="fenced")
    assert answer(line, make_context(acme)) == FENCED
    with attack(instance, acme, Login.OWNER) as owner:
        assert owner.execute(COUNT).fetchone() == (1,)


def test_a_fence_is_no_way_around_the_other_checks_for_the_owner(
    line: psycopg.Connection[Any], acme: TenantRoute, instance: Settings
) -> None:
    set_home(instance, acme, state="fenced", epoch=2)
    with connect(instance, autocommit=True) as owner:
        assert answer(owner, make_context(acme)) == STALE
        assert answer(owner, make_context(acme, key=ANOTHER_KEY)) == FORGED
        assert answer(owner, make_context(acme, age=400)) == EXPIRED


@pytest.mark.parametrize("login", [Login.TENANT, Login.OWNER])
def test_a_purged_home_and_one_that_never_was(acme: TenantRoute, instance: Settings, login: Login) -> None:
    set_home(instance, acme, state="purged")
    nowhere = TenantRoute(uuid4(), "nowhere", "active", acme.placement)
    with connect(instance, login, autocommit=True) as connection:
        assert answer(connection, make_context(acme)) == PURGED
        assert answer(connection, make_context(nowhere)) == PURGED


@pytest.mark.parametrize(
    "injected",
    [
        "replace(current_setting('tenantry.context'), '{acme}', '{globex}')",
        "'{globex}.1.' || split_part(current_setting('tenantry.context'), '.', 3) || '.' "
        "|| encode(sha256('guess'), 'hex')",
        "'{globex}' || right(current_setting('tenantry.context'), -36)",
        "'{globex}'",
    ],
)
def test_an_injected_set_config_gains_nothing(injected: str, acme: TenantRoute, globex: TenantRoute) -> None:
    value = injected.format(acme=acme.tenant_id, globex=globex.tenant_id)
    with tenant_scope(acme, reason="inject"), pytest.raises(ScopeError, match="forged"):  # noqa: PT012
        db.session.execute(text(f"select set_config('tenantry.context', {value}, true)"))
        db.session.scalars(select(Toy)).all()


@pytest.mark.parametrize(
    "setting",
    [
        ("search_path", "pg_temp, public"),
        ("standard_conforming_strings", "off"),
        ("bytea_output", "escape"),
        ("timezone", "Pacific/Kiritimati"),
        ("transform_null_equals", "on"),
        ("array_nulls", "off"),
        ("plan_cache_mode", "force_generic_plan"),
        ("client_encoding", "LATIN1"),
    ],
)
def test_no_setting_of_the_session_softens_the_check(
    line: psycopg.Connection[Any], acme: TenantRoute, setting: tuple[str, str]
) -> None:
    line.execute("select set_config(%s, %s, false)", setting)
    assert answer(line, make_context(acme)) == 1
    assert answer(line, make_context(acme, key=ANOTHER_KEY)) == FORGED
    assert answer(line, make_context(acme, age=400)) == EXPIRED


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_nothing_remains_set_after_the_transaction(acme: TenantRoute, instance: Settings, end: str) -> None:
    with attack(instance, acme) as connection:
        assert connection.execute(COUNT).fetchone() == (1,)
        getattr(connection, end)()
        assert connection.execute("select current_setting('tenantry.context', true)").fetchone() == ("",)
        assert answer(connection, None) == NONE


def test_a_pooled_connection_comes_back_without_a_context(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="work"):
        assert db.session.scalar(text(COUNT)) == 1
    pooled = engines().for_login(Login.TENANT).raw_connection()
    assert answer(pooled, None) == NONE
    pooled.close()


def test_an_old_key_is_accepted_until_its_version_is_gone(acme: TenantRoute, instance: Settings) -> None:
    new_key = bytes(range(32))
    old, new = make_context(acme), make_context(acme, key=new_key)
    with connect(instance) as owner:
        owner.execute("insert into tenancy.context_keys values (2, %s, %s)", hmac_blocks(new_key))
        assert [answer(owner, old), answer(owner, new)] == [1, 1]
        owner.execute("delete from tenancy.context_keys where version = 1")
        assert answer(owner, new) == 1
        assert answer(owner, old) == FORGED
        owner.rollback()


def test_each_refusal_is_an_error_of_ours_in_the_application(acme: TenantRoute, instance: Settings) -> None:
    for columns in ({"epoch": 2}, {"epoch": 1, "state": "fenced"}, {"state": "purged"}):
        set_home(instance, acme, **columns)
        with tenant_scope(acme, reason="work"), pytest.raises(HomeUnavailableError):
            db.session.scalars(select(Toy)).all()


def test_a_home_that_was_never_made_is_unavailable_too(app: Any, instance: Settings, toy_tables: None) -> None:
    route = make_home(instance, state="purged")
    with tenant_scope(route, reason="work"), pytest.raises(HomeUnavailableError):
        db.session.scalars(select(Toy)).all()
