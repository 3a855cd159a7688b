"""The signed context: its exact text, and the two blocks from which PostgreSQL recomputes its MAC."""

import hashlib
import hmac
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.context_token import CONTEXT_LIFETIME_SECONDS, hmac_blocks, sign_context

KEY = bytes(range(32))
ACME = UUID("01890A5D-AC96-774B-BCCE-B302099A8057")
COUNTS = st.integers(min_value=0, max_value=2**63 - 1)


def mac_by_blocks(key: bytes, message: bytes) -> str:
    """Compute the MAC the way the database does."""
    inner, outer = hmac_blocks(key)
    return hashlib.sha256(outer + hashlib.sha256(inner + message).digest()).hexdigest()


def test_a_context_lives_five_minutes() -> None:
    assert CONTEXT_LIFETIME_SECONDS == 300


def test_a_known_context_has_its_known_text() -> None:
    message = "01890a5d-ac96-774b-bcce-b302099a8057.7.1800000000"
    # Computed outside Python: printf MESSAGE | openssl dgst -sha256 -mac HMAC -macopt hexkey:0001…1f
    mac = "f82a63c6c354e294742eb84462a48fc48d54f536ee79f72495c857a295c59470"
    assert sign_context(KEY, ACME, 7, 1_800_000_000) == f"{message}.{mac}"


def test_rfc_4231_case_2_holds_for_the_blocks() -> None:
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert mac_by_blocks(b"Jefe", b"what do ya want for nothing?") == expected


def test_rfc_4231_case_6_holds_for_a_key_longer_than_a_block() -> None:
    expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    message = b"Test Using Larger Than Block-Size Key - Hash Key First"
    assert mac_by_blocks(b"\xaa" * 131, message) == expected


@given(key=st.binary(max_size=200), message=st.binary(max_size=300))
@example(key=bytes(range(64)), message=b"a key of exactly one block")
def test_the_blocks_give_the_same_mac_as_hmac(key: bytes, message: bytes) -> None:
    inner, outer = hmac_blocks(key)
    assert (len(inner), len(outer)) == (64, 64)
    assert mac_by_blocks(key, message) == hmac.new(key, message, hashlib.sha256).hexdigest()


@given(key=st.binary(min_size=32, max_size=100), tenant_id=st.uuids(), epoch=COUNTS, expires=COUNTS)
def test_the_mac_covers_all_before_the_last_dot(key: bytes, tenant_id: UUID, epoch: int, expires: int) -> None:
    message, _, mac = sign_context(key, tenant_id, epoch, expires).rpartition(".")
    assert message.split(".") == [str(tenant_id), str(epoch), str(expires)]
    assert mac == mac_by_blocks(key, message.encode())


@given(one=st.tuples(st.uuids(), COUNTS, COUNTS), other=st.tuples(st.uuids(), COUNTS, COUNTS))
def test_two_contexts_share_a_text_only_when_they_are_the_same(
    one: tuple[UUID, int, int], other: tuple[UUID, int, int]
) -> None:
    assert (sign_context(KEY, *one) == sign_context(KEY, *other)) == (one == other)


def test_another_key_signs_otherwise() -> None:
    assert sign_context(KEY, ACME, 1, 1) != sign_context(KEY[::-1], ACME, 1, 1)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        sign_context(KEY[:31], ACME, 1, 1)


@pytest.mark.parametrize(("epoch", "expires"), [(-1, 1), (1, -1)])
def test_negative_numbers_are_refused(epoch: int, expires: int) -> None:
    with pytest.raises(ValueError, match="not negative"):
        sign_context(KEY, ACME, epoch, expires)
