"""An address has one spelling, a name one line; what is neither is refused beside its field."""

from __future__ import annotations

import pytest

from app.core.errors import InputError
from app.credentials.emails import fold_email, normalise_email
from app.credentials.names import check_person_name


@pytest.mark.parametrize("text", ["Bob@Acme.Example", " bob@acme.example ", "BOB@ACME.EXAMPLE", "bob@acme.example\n"])
def test_spellings_of_one_address_are_one(text: str) -> None:
    assert normalise_email(text) == fold_email(text) == "bob@acme.example"


def test_a_domain_beyond_ascii_keeps_its_letters() -> None:
    assert normalise_email("bob@Bücher.example") == fold_email("bob@bücher.example")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bob",
        "bob@",
        "@acme.example",
        "bob@acme",
        "a b@acme.example",
        "bob@acme.example, x@y.example",
        "b\0@a.example",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        normalise_email(text)
    assert caught.value.field == "email"


@pytest.mark.parametrize("text", ["\ud800", "x" * 100_000, "' or 1=1 --", ""])
def test_looking_for_nonsense_is_no_error(text: str) -> None:
    assert len(fold_email(text)) <= 254


def test_a_name_is_one_line_with_single_spaces() -> None:
    assert check_person_name("  Bob \n  Builder ") == "Bob Builder"


@pytest.mark.parametrize("text", ["", "   ", "x" * 101, "Bob\0", "Bob\x1b[31m"])
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        check_person_name(text)
    assert caught.value.field == "name"
