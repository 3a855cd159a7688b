"""Derived keys match published vectors; sealed bytes open only whole, in place and under their key."""

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from app.core import secrets
from app.core.errors import ConfigError, TenantryError
from app.core.secrets import KeyPurpose, UnwrapError, derive_key, unwrap, wrap

ROOT_SECRET = "0123456789abcdef0123456789abcdef"
KEY = bytes(range(32))
AAD = b"context-key/main"

# RFC 5869, appendix A.1 to A.3: secret, salt, info, output.
RFC_5869 = [
    (
        "0b" * 22,
        "000102030405060708090a0b0c",
        "f0f1f2f3f4f5f6f7f8f9",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        bytes(range(0x00, 0x50)).hex(),
        bytes(range(0x60, 0xB0)).hex(),
        bytes(range(0xB0, 0x100)).hex(),
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
        "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87",
    ),
    (
        "0b" * 22,
        "",
        "",
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
    ),
]

# From `openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt key:ROOT_SECRET -kdfopt info:tenantry/v1/PURPOSE HKDF`.
# A change here would orphan every wrapped context key and every mailed link.
DERIVED: list[tuple[KeyPurpose, str]] = [
    ("flask-session", "61a1b59893cddc63e92e62103106a0a1401569b9da17218cdd3807334b490ff3"),
    ("links", "196ea731b2339c4473988de251b4318f81aea1be7a8e48f71f7b3fa2d84d3ed1"),
    ("context-wrap", "9e8b4ddea70bde9dbec78e0aa3ca5171c382ac52207baada5105b3ccac03aa5f"),
    ("csrf", "5da8832e2e824c1f80e102c400f68ee49a5eee706823b3b24a8c079c595d9775"),
]


@pytest.mark.parametrize(("secret", "salt", "info", "output"), RFC_5869)
def test_rfc_5869_vectors_hold_for_the_primitive(secret: str, salt: str, info: str, output: str) -> None:
    derived = secrets._hkdf(
        bytes.fromhex(secret),
        salt=bytes.fromhex(salt) or None,
        info=bytes.fromhex(info),
        length_bytes=len(output) // 2,
    )
    assert derived.hex() == output


@pytest.mark.parametrize(("purpose", "key"), DERIVED)
def test_every_purpose_has_its_pinned_key(purpose: KeyPurpose, key: str) -> None:
    assert derive_key(ROOT_SECRET, purpose).hex() == key


def test_a_short_root_secret_is_refused() -> None:
    with pytest.raises(ConfigError, match="32 characters"):
        derive_key(ROOT_SECRET[:31], "links")


def test_an_unknown_purpose_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown key purpose"):
        derive_key(ROOT_SECRET, "lnks")  # type: ignore[arg-type]


@given(plaintext=st.binary(max_size=200), aad=st.binary(max_size=50))
def test_what_was_wrapped_opens(plaintext: bytes, aad: bytes) -> None:
    assert unwrap(KEY, wrap(KEY, plaintext, aad), aad) == plaintext


def test_the_layout_is_the_documented_one() -> None:
    sealed = wrap(KEY, b"secret", AAD)
    assert (sealed[:1], len(sealed)) == (b"\x01", 1 + 12 + len(b"secret") + 16)
    assert AESGCM(KEY).decrypt(sealed[1:13], sealed[13:], b"\x01" + AAD) == b"secret"


def test_two_wraps_of_one_secret_share_no_nonce() -> None:
    assert len({wrap(KEY, b"secret", AAD)[1:13] for _ in range(100)}) == 100


@given(data=st.data())
def test_any_changed_byte_is_noticed(data: st.DataObject) -> None:
    sealed = bytearray(wrap(KEY, b"secret", AAD))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(UnwrapError):
        unwrap(KEY, bytes(sealed), AAD)


@given(data=st.data())
def test_any_cut_is_noticed(data: st.DataObject) -> None:
    sealed = wrap(KEY, b"secret", AAD)
    with pytest.raises(UnwrapError):
        unwrap(KEY, sealed[: data.draw(st.integers(0, len(sealed) - 1))], AAD)


@given(garbage=st.binary(max_size=100))
def test_garbage_is_an_unwrap_error_and_nothing_else(garbage: bytes) -> None:
    with pytest.raises(UnwrapError):
        unwrap(KEY, garbage, AAD)
    with pytest.raises(UnwrapError):
        unwrap(KEY, b"\x01" + garbage, AAD)


def test_another_place_does_not_open() -> None:
    with pytest.raises(UnwrapError):
        unwrap(KEY, wrap(KEY, b"secret", AAD), AAD + b"2")


def test_the_format_byte_is_authenticated() -> None:
    nonce = bytes(12)
    with pytest.raises(UnwrapError):
        unwrap(KEY, b"\x01" + nonce + AESGCM(KEY).encrypt(nonce, b"secret", AAD), AAD)


def test_another_key_does_not_open() -> None:
    with pytest.raises(UnwrapError) as caught:
        unwrap(KEY[::-1], wrap(KEY, b"secret", AAD), AAD)
    assert isinstance(caught.value, TenantryError)
    assert "cannot be opened" in str(caught.value)


@pytest.mark.parametrize("length_bytes", [0, 16, 24, 31, 33])
def test_a_key_of_another_length_is_refused(length_bytes: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        wrap(bytes(length_bytes), b"secret", AAD)
    with pytest.raises(ValueError, match="32 bytes"):
        unwrap(bytes(length_bytes), bytes(40), AAD)
