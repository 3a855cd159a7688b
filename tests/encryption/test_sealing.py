"""A sealed value opens whole, in its place and under its key, and in no other case."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from app.core.encryption.blind_index import index_of
from app.core.encryption.keys import DataKey, KeyPurpose, KeyState, SealedValueError
from app.core.encryption.sealing import OVERHEAD_BYTES, SealedColumn

ACME, GLOBEX = UUID(int=1), UUID(int=2)
ROW = UUID(int=7)


class Place(NamedTuple):
    """Where a value lies."""

    table: str
    column: str
    row_id: UUID


PLACE = Place("members", "email", ROW)
# Frozen: values like this one lie in databases. Key 00…1f, version 1, nonce 00…0b, and these associated data.
BOUND = bytes.fromhex("02000000010000000000000000000000000000000100076d656d626572730005656d61696c") + ROW.bytes
KNOWN = bytes.fromhex(
    "0200000001000102030405060708090a0b256db45ba486af7ea324efeadc9914082643f73457757476b9b4b3e8b31bdd3c"
)


def key(owner_id: UUID | None = ACME, version: int = 1, first_byte: int = 0) -> DataKey:
    material = bytes([first_byte, *range(1, 32)])
    return DataKey(owner_id, KeyPurpose.FIELDS, version, KeyState.ACTIVE, material)


class Ring:
    """Keys that a test chooses."""

    def __init__(self, **changes: Any) -> None:
        self.changes, self.owner_id = changes, changes.get("owner_id", ACME)

    def sealing_key(self) -> DataKey:
        return key(**self.changes)

    def opening_key(self, version: int) -> DataKey:
        return key(version=version, **self.changes)

    def list_keys(self) -> list[DataKey]:
        return [key(**self.changes)]


def seal(place: Place, plaintext: bytes) -> bytes:
    return SealedColumn(Ring(), place.table, place.column).seal(place.row_id, plaintext)


def opened(sealed: bytes, place: Place = PLACE, **changes: Any) -> bytes:
    return SealedColumn(Ring(**changes), place.table, place.column).open(place.row_id, sealed)


@given(st.binary(max_size=300))
def test_what_was_sealed_opens(plaintext: bytes) -> None:
    sealed = seal(PLACE, plaintext)
    assert opened(sealed) == plaintext
    assert len(sealed) == len(plaintext) + OVERHEAD_BYTES


def test_the_layout_is_the_documented_one() -> None:
    assert opened(KNOWN) == b"bob@acme.example"
    assert AESGCM(bytes(range(32))).encrypt(bytes(range(12)), b"bob@acme.example", BOUND) == KNOWN[17:]


def test_the_cipher_is_the_published_one() -> None:
    # McGrew and Viega, The Galois/Counter Mode of Operation, appendix B, test case 16.
    material = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    plaintext = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de6"
        "57ba637b39"
    )
    bound = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
    sealed = DataKey(ACME, KeyPurpose.FIELDS, 1, KeyState.ACTIVE, material).cipher.encrypt(
        bytes.fromhex("cafebabefacedbaddecaf888"), plaintext, bound
    )
    assert sealed.hex().startswith("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3d")
    assert sealed.hex().endswith("76fc6ece0f4e1768cddf8853bb2d551b")


def test_equal_values_look_different() -> None:
    assert seal(PLACE, b"same") != seal(PLACE, b"same")


@pytest.mark.parametrize(
    "place", [Place("members", "email", UUID(int=8)), Place("members", "name", ROW), Place("staff", "email", ROW)]
)
def test_a_value_copied_to_another_row_column_or_table_does_not_open(place: Place) -> None:
    with pytest.raises(SealedValueError, match="does not open here"):
        opened(seal(PLACE, b"bob"), place)


@pytest.mark.parametrize("owner_id", [GLOBEX, None])
def test_a_value_copied_to_another_owner_does_not_open_even_under_the_same_key(owner_id: UUID | None) -> None:
    with pytest.raises(SealedValueError):
        opened(seal(PLACE, b"bob"), owner_id=owner_id)


def test_names_that_run_into_each_other_are_kept_apart() -> None:
    with pytest.raises(SealedValueError):
        opened(seal(Place("ab", "c", ROW), b"bob"), Place("a", "bc", ROW))


def test_another_key_of_the_same_version_does_not_open_it() -> None:
    with pytest.raises(SealedValueError):
        opened(seal(PLACE, b"bob"), first_byte=1)


@pytest.mark.parametrize("position", range(len(KNOWN)))
def test_a_bit_flipped_anywhere_is_noticed(position: int) -> None:
    for bit in range(8):
        spoiled = bytearray(KNOWN)
        spoiled[position] ^= 1 << bit
        with pytest.raises(SealedValueError):
            opened(bytes(spoiled))


@pytest.mark.parametrize("length", range(len(KNOWN)))
def test_a_value_that_was_cut_short_does_not_open(length: int) -> None:
    with pytest.raises(SealedValueError):
        opened(KNOWN[:length])


@pytest.mark.parametrize("clear", [b"", b"bob@acme.example", b"\x02", b"x" * 200])
def test_clear_text_is_refused_and_never_handed_back(clear: bytes) -> None:
    with pytest.raises(SealedValueError, match="should be sealed and is not"):
        opened(clear)


def test_no_error_and_no_key_tells_a_secret() -> None:
    with pytest.raises(SealedValueError) as error:
        opened(seal(PLACE, b"bob@acme.example"), first_byte=9)
    assert "bob" not in str(error.value)
    assert bytes(range(1, 32)).hex() not in repr(key())
    assert str(bytes(range(1, 32)))[2:-1] not in repr(key())


# From `openssl kdf … HKDF` with the key 00…1f and the info that is documented, and `openssl dgst -mac hmac` with that;
# the key's version stands before it.
INDEX = "00000001d87fcba923eb6379eb5a54e013eaec6e901475b468d6b42895cd503085966bd0"


def test_an_index_is_the_published_construction() -> None:
    assert index_of(key(), "members", "email", "bob@acme.example").hex() == INDEX


def test_an_index_tells_equal_values_of_one_column_of_one_owner_only() -> None:
    bob = index_of(key(), "members", "email", "bob")
    assert bob == index_of(key(), "members", "email", "bob")
    others = [("members", "name", "bob"), ("staff", "email", "bob"), ("members", "email", "rob")]
    assert bob not in [index_of(key(), *other) for other in others]
    assert bob != index_of(key(first_byte=1), "members", "email", "bob")
