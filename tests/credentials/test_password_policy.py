"""A new password is long, not known to everybody and not made from what is known of its owner."""

import secrets
import string
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.core.errors import InputError
from app.credentials.passwords import check_password_policy

ABOUT = ("ada.lovelace@acme.example", "Ada Lovelace", "Acme Widgets GmbH")


def refusal_of(password: str, about: tuple[str, ...] = ABOUT) -> str | None:
    """Return the sentence of the refusal, or None for an accepted password."""
    try:
        check_password_policy(password, about=about)
    except InputError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    "password",
    [
        "seven quiet herons",
        "correct horse battery staple",
        "Vb7#kq!z2Wp$",
        "тихая цапля у озера",
        "静かな七羽の鷺が湖で眠る夜",
        "9482 7163 5508",
        "8271 0093 4451 dragon",
        "monkey under the seventh bridge",
        " leading and trailing ",
        "x" * 3 + "a passphrase that goes on and on " * 3,
    ],
)
def test_a_good_password_is_accepted_whatever_its_characters(password: str) -> None:
    assert refusal_of(password) is None


@pytest.mark.parametrize("password", ["", "Vb7#kq!z2Wp", "ﬃ"])
def test_fewer_than_twelve_characters_are_refused(password: str) -> None:
    assert "at least 12" in str(refusal_of(password))


def test_length_counts_code_points_after_normalisation() -> None:
    composed = "é" + "Vb7#kq!z2Wp"
    assert refusal_of(composed) is None
    assert "at least 12" in str(refusal_of(unicodedata.normalize("NFD", composed[:11])))


@pytest.mark.parametrize("length", [129, 513, 1_000_000])
def test_more_than_128_characters_are_refused(length: int) -> None:
    assert "at most 128" in str(refusal_of(("Vb7#kq!z2Wp$" * (length // 12 + 1))[:length]))


def test_exactly_128_characters_are_accepted() -> None:
    assert refusal_of("".join(chr(0x4E00 + number) for number in range(128))) is None


def test_a_ligature_that_grows_past_the_limit_is_refused() -> None:
    assert "at most 128" in str(refusal_of("ﷺ" * 20))


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "Password2024!",
        "P@ssw0rd!2024",
        "p455w0rd12345",
        "passwordpassword",
        "PasswordPassword1",
        "pass-word-pass-word",
        "we1come12345",
        "monkey123456",
        "!!dragon!!dragon!!",
        "trustno1trustno1",
        "i-love-you-1234",
        "michaeljackson",
        "professional1",
        "1q2w3e4r5t6y",
        "qwertyuiop12",
        "123456789012",
        "210987654321",
        "abcdefghijklm",
        "zyxwvutsrqpon",
        "1qaz2wsx3edc",
        "!qaz2wsx3edc",
        "qwertzuiopasdf",
        "aaaaaaaaaaaa",
        "121212121212",
        "x9x9xk9kx9k9",
        "ｐａｓｓｗｏｒｄ１２３４",
    ],
)
def test_a_common_password_is_refused(password: str) -> None:
    assert "easy to guess" in str(refusal_of(password))


@pytest.mark.parametrize(
    "password",
    [
        "ada.lovelace@acme.example",
        "ADA.LOVELACE1",
        "Lovelace1815!",
        "adalovelace123",
        "AcmeAcmeAcme",
        "acmewidgets1",
        "4cm3W1dg3ts!",
        "Acme-Widgets-2024",
        "widgets+lovelace",
        "tenantry2024",
    ],
)
def test_what_is_known_of_the_owner_is_refused(password: str) -> None:
    assert "Do not build the password" in str(refusal_of(password))


def test_a_name_within_a_longer_secret_is_accepted() -> None:
    assert refusal_of("acme keeps nine umbrellas") is None


def test_the_longest_name_counts_when_one_begins_with_another() -> None:
    assert "Do not build" in str(refusal_of("annabel7kx2pq", about=("Anna Annabel",)))


def test_a_name_of_somebody_else_is_accepted() -> None:
    assert refusal_of("Lovelace1815!", about=("bob@globex.example", "Bob", "Globex")) is None


def test_short_and_empty_names_refuse_nothing() -> None:
    assert refusal_of("Vb7#kq!z2Wp$", about=("", " ", "V", "b7", "@")) is None


def test_the_error_names_the_field() -> None:
    with pytest.raises(InputError) as caught:
        check_password_policy("short", about=ABOUT)
    assert caught.value.field == "password"


@given(st.text(st.characters(exclude_categories=()), max_size=200), st.lists(st.text(max_size=30), max_size=3))
@example("\ud800" * 12, ["\ud800"])
@example("-" * 12, [])
def test_any_text_gets_an_answer(password: str, about: list[str]) -> None:
    refusal_of(password, tuple(about))


def test_generated_passwords_are_accepted() -> None:
    alphabet = string.ascii_letters + string.digits + string.punctuation
    for _ in range(500):
        assert refusal_of("".join(secrets.choice(alphabet) for _ in range(20))) is None
