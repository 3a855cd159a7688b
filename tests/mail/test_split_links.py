"""Only links to our own hosts may be followed from the mailbox."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mail.links import split_links

BASE = "localhost:8000"


def links(text: str) -> list[str]:
    return [span.href for span in split_links(text, BASE) if span.href]


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8000/a",
        "http://acme.localhost:8000/b?c=d#e",
        "https://admin.localhost:8000",
        "http://ACME.localhost:8000/",
    ],
)
def test_an_address_of_ours_is_a_link(address: str) -> None:
    assert links(f"Open {address}.") == [address]


@pytest.mark.parametrize(
    "address",
    [
        "http://evil.example/",
        "http://localhost:8000.evil.example/",
        "http://evillocalhost:8000/",
        "http://localhost:8000@evil.example/",
        "http://localhost:9000/",
        "javascript:alert(1)",
        "http://[::1/",
        "//localhost:8000/",
    ],
)
def test_any_other_address_stays_text(address: str) -> None:
    assert links(f"Open {address} now") == []


def test_the_end_of_a_sentence_is_no_part_of_a_link() -> None:
    assert links("(see http://localhost:8000/a), or http://localhost:8000/b!") == [
        "http://localhost:8000/a",
        "http://localhost:8000/b",
    ]


@given(st.lists(st.sampled_from(["http://localhost:8000/x", "http://evil.example/", " ", ".", "\n", "<b>", "é"])))
def test_no_character_of_the_text_is_lost(parts: list[str]) -> None:
    text = "".join(parts)
    assert "".join(span.text for span in split_links(text, BASE)) == text
