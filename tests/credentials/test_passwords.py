"""A password is stored as argon2id, checked in equal time for nobody, and whatever its spelling in Unicode."""

import unicodedata

import pytest
from argon2 import Parameters, PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type
from argon2.profiles import CHEAPEST
from hypothesis import given
from hypothesis import strategies as st

from app.credentials.passwords import PASSWORD_COST, hash_password, needs_rehash, verify_password

PASSWORD = "seven quiet herons"
# Any code point that Python's text can hold, lone surrogates of a JSON body included.
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)


def test_the_default_cost_is_the_second_option_of_rfc_9106() -> None:
    cost = extract_parameters(hash_password(PASSWORD))
    assert cost == Parameters(Type.ID, 19, 16, 32, time_cost=3, memory_cost=65536, parallelism=4)


def test_the_right_password_is_true_at_the_default_cost() -> None:
    assert verify_password(hash_password(PASSWORD), PASSWORD)


@given(password=ANY_TEXT)
def test_every_password_verifies_against_its_own_hash(password: str) -> None:
    assert verify_password(hash_password(password, cost=CHEAPEST), password, cost=CHEAPEST)


@given(password=ANY_TEXT, other=ANY_TEXT)
def test_another_password_is_false(password: str, other: str) -> None:
    encoded = hash_password(password, cost=Parameters(Type.ID, 19, 16, 32, time_cost=1, memory_cost=8, parallelism=1))
    same = unicodedata.normalize("NFKC", password) == unicodedata.normalize("NFKC", other)
    assert verify_password(encoded, other, cost=CHEAPEST) == same


def test_the_spelling_in_unicode_does_not_matter() -> None:
    encoded = hash_password("un café très serré", cost=CHEAPEST)
    assert verify_password(encoded, unicodedata.normalize("NFD", "un café très serré"), cost=CHEAPEST)
    assert verify_password(encoded, "ｕｎ café très serré", cost=CHEAPEST)


def test_case_and_outer_spaces_matter() -> None:
    encoded = hash_password(PASSWORD, cost=CHEAPEST)
    assert not verify_password(encoded, PASSWORD.title(), cost=CHEAPEST)
    assert not verify_password(encoded, f"{PASSWORD} ", cost=CHEAPEST)


def test_one_password_hashes_differently_each_time() -> None:
    assert hash_password(PASSWORD, cost=CHEAPEST) != hash_password(PASSWORD, cost=CHEAPEST)


@given(password=ANY_TEXT)
def test_no_account_is_always_false(password: str) -> None:
    assert not verify_password(None, password, cost=CHEAPEST)


def test_no_account_is_false_even_if_the_decoy_matched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PasswordHasher, "verify", lambda *_: True)
    assert not verify_password(None, PASSWORD, cost=CHEAPEST)


@pytest.mark.parametrize("is_known", [True, False])
@pytest.mark.parametrize("typed", [PASSWORD, "wrong", "x" * 100_000], ids=["right", "wrong", "overlong"])
def test_every_answer_takes_one_full_check(is_known: bool, typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = hash_password(PASSWORD) if is_known else None
    costs = []
    verify = PasswordHasher.verify

    def record(self: PasswordHasher, encoded: str, password: bytes) -> bool:
        costs.append(extract_parameters(encoded))
        return verify(self, encoded, password)

    monkeypatch.setattr(PasswordHasher, "verify", record)
    assert verify_password(encoded, typed) == (is_known and typed == PASSWORD)
    assert costs == [PASSWORD_COST]


def test_an_overlong_text_is_never_hashed() -> None:
    with pytest.raises(ValueError, match="never accepted"):
        hash_password("x" * 513, cost=CHEAPEST)


def test_an_overlong_text_is_never_cut_to_fit() -> None:
    longest = "x" * 512
    encoded = hash_password(longest, cost=CHEAPEST)
    assert verify_password(encoded, longest, cost=CHEAPEST)
    assert not verify_password(encoded, longest + "x", cost=CHEAPEST)


@pytest.mark.parametrize("damaged", ["plain text", "$argon2id$v=19$m=8,t=1,p=1$c2FsdA$"])
def test_a_damaged_hash_is_an_error_and_no_wrong_password(damaged: str) -> None:
    with pytest.raises((InvalidHashError, VerificationError)):
        verify_password(damaged, PASSWORD, cost=CHEAPEST)


def test_a_hash_at_another_cost_needs_a_rehash() -> None:
    encoded = hash_password(PASSWORD, cost=CHEAPEST)
    assert needs_rehash(encoded)
    assert not needs_rehash(encoded, cost=CHEAPEST)
