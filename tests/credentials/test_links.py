"""A link's token is the same each time, opens one row for one purpose, and cannot be made without the key."""

import itertools
from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.credentials.links import LinkPurpose, LinkToken, make_token, read_token, verify_token

KEY = bytes(range(32))
ROW = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
INVITATION = LinkPurpose.MEMBER_INVITATION
PURPOSES = st.sampled_from(LinkPurpose)
SERIALS = st.integers(0, 2**63 - 1)


def is_genuine(text: str, purpose: LinkPurpose = INVITATION, key: bytes = KEY) -> bool:
    """Read and verify a token as a view does."""
    token = read_token(text)
    return token is not None and verify_token(key, purpose, token)


def test_a_known_link_has_its_known_token() -> None:
    # The MAC comes from hmac and hashlib alone, over the domain, NUL, the purpose, NUL, 16 bytes of tenant, 16 of id, 8
    # of serial.
    mac = bytes.fromhex("c164080c0c098f354291cf06a5f8dfa1fec8b48ec1a756ac09447454c9127d2d")
    token = make_token(KEY, INVITATION, ROW, 7)
    assert urlsafe_b64decode(token) == b"\x01" + ROW.bytes + (7).to_bytes(8, "big") + mac


@given(key=st.binary(min_size=32, max_size=64), purpose=PURPOSES, row_id=st.uuids(), serial=SERIALS)
def test_a_token_carries_its_row_and_serial(key: bytes, purpose: LinkPurpose, row_id: UUID, serial: int) -> None:
    text = make_token(key, purpose, row_id, serial)
    token = read_token(text)
    assert token is not None
    assert (token.row_id, token.serial) == (row_id, serial)
    assert verify_token(key, purpose, token)
    assert text == make_token(key, purpose, row_id, serial)


@given(purpose=PURPOSES, row_id=st.uuids(), serial=SERIALS)
def test_a_token_is_76_characters_that_a_url_leaves_alone(purpose: LinkPurpose, row_id: UUID, serial: int) -> None:
    text = make_token(KEY, purpose, row_id, serial)
    assert len(text) == 76
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(("made_for", "used_for"), list(itertools.permutations(LinkPurpose, 2)))
def test_a_token_of_one_purpose_is_worthless_for_another(made_for: LinkPurpose, used_for: LinkPurpose) -> None:
    assert not is_genuine(make_token(KEY, made_for, ROW, 1), used_for)


def test_another_key_refuses_the_token() -> None:
    assert not is_genuine(make_token(KEY, INVITATION, ROW, 1), key=KEY[::-1])


@given(row_id=st.uuids(), serial=SERIALS)
@example(row_id=ROW, serial=2)
def test_the_mac_of_one_row_and_serial_does_not_serve_another(row_id: UUID, serial: int) -> None:
    own = read_token(make_token(KEY, INVITATION, ROW, 1))
    assert own is not None
    assert verify_token(KEY, INVITATION, LinkToken(row_id, serial, own.mac)) == ((row_id, serial) == (ROW, 1))


@given(data=st.data())
def test_any_changed_character_is_noticed(data: st.DataObject) -> None:
    text = make_token(KEY, INVITATION, ROW, 1)
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters())
    assert is_genuine(text[:position] + other + text[position + 1 :]) == (other == text[position])


@given(text=st.one_of(st.text(), st.text("AZaz09-_", min_size=76, max_size=76), st.text("A=\n+/ ", max_size=90)))
@example(text="")
@example(text="A" * 75)
@example(text=make_token(KEY, INVITATION, ROW, 1) + "\n")
@example(text=make_token(KEY, INVITATION, ROW, 1) + "==")
def test_garbage_is_read_without_an_exception_and_never_genuine(text: str) -> None:
    assert not is_genuine(text)


def test_a_giant_text_is_no_token() -> None:
    assert read_token("A" * 1_000_000) is None


def test_another_format_is_no_token() -> None:
    raw = urlsafe_b64decode(make_token(KEY, INVITATION, ROW, 1))
    assert read_token(urlsafe_b64encode(b"\x02" + raw[1:]).decode()) is None


def test_a_serial_that_no_row_can_hold_is_no_token() -> None:
    raw = urlsafe_b64decode(make_token(KEY, INVITATION, ROW, 1))
    assert read_token(urlsafe_b64encode(raw[:17] + b"\xff" * 8 + raw[25:]).decode()) is None


def test_a_token_never_shows_its_mac() -> None:
    token = read_token(make_token(KEY, INVITATION, ROW, 1))
    assert token is not None
    assert repr(token) == f"LinkToken(row_id={ROW!r}, serial=1)"


@pytest.mark.parametrize("serial", [-1, 2**63])
def test_a_serial_out_of_range_is_refused(serial: int) -> None:
    with pytest.raises(ValueError, match="serial"):
        make_token(KEY, INVITATION, ROW, serial)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        make_token(KEY[:31], INVITATION, ROW, 1)
    with pytest.raises(ValueError, match="32 bytes"):
        verify_token(b"", INVITATION, LinkToken(ROW, 1, bytes(32)))


def test_a_row_of_the_same_id_in_another_tenants_home_has_another_link() -> None:
    one, other = UUID(int=1), UUID(int=2)
    token = read_token(make_token(KEY, INVITATION, ROW, 1, tenant_id=one))
    assert token is not None
    assert [verify_token(KEY, INVITATION, token, tenant_id=tenant) for tenant in (one, other, None)] == [
        True, False, False,
    ]  # fmt: skip
