"""A slug is a DNS label in one spelling; look-alikes share a skeleton, and none of them passes for the platform."""

import re
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from app.core.errors import InputError
from app.tenants import slugs
from app.tenants.slugs import check_slug, is_reserved, skeleton, suggest_slug

ANY_TEXT = st.text(st.characters(exclude_categories=()))
SLUG_LIKE = st.text("abilmnorw019-ABM ", max_size=70)
LABEL = re.compile(r"(?!..--)(?![0-9]+\Z)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])")
RESERVED = sorted(
    slug
    for line in Path(slugs.__file__).with_name("reserved_slugs.txt").read_text().splitlines()
    for slug in line.partition("#")[0].split()
)


def refusal_of(text: str) -> str | None:
    """Return the sentence of the refusal, or None for an accepted slug."""
    try:
        check_slug(text)
    except InputError as error:
        return str(error)
    return None


@pytest.mark.parametrize("slug", ["acme", "globex", "a1", "1a", "7-eleven", "a-b", "1-2", "a--b", "abc--d", "x" * 63])
def test_a_label_is_its_own_slug(slug: str) -> None:
    assert check_slug(slug) == slug


@pytest.mark.parametrize("text", ["Acme", " acme ", "ACME\n", "\tacme"])
def test_case_and_outer_spaces_are_put_right(text: str) -> None:
    assert check_slug(text) == "acme"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Choose a name"),
        ("   ", "Choose a name"),
        ("a", "at least 2"),
        ("7", "at least 2"),
        ("x" * 64, "at most 63"),
        ("-acme", "Begin and end"),
        ("acme-", "Begin and end"),
        ("--", "Begin and end"),
        ("xn--acme", "third and fourth"),
        ("XN--MNICH-KVA", "third and fourth"),
        ("ab--cd", "third and fourth"),
        ("2024", "at least one letter"),
        ("acme corp", "only the letters"),
        ("acme.globex", "only the letters"),
        ("acme_1", "only the letters"),
        ("acme\nx", "only the letters"),
        ("acme\0", "only the letters"),
        ("acmé", "only the letters"),
        ("аcme", "only the letters"),
        ("ac\N{KELVIN SIGN}me", "only the letters"),
        ("acme\N{ZERO WIDTH SPACE}", "only the letters"),
        ("acme２", "only the letters"),
        ("straße", "only the letters"),
        ("x" * 1_000_000, "at most 63"),
    ],
)
def test_what_is_no_label_is_refused_with_its_reason(text: str, message: str) -> None:
    assert message in str(refusal_of(text))


def test_the_error_names_the_field() -> None:
    with pytest.raises(InputError) as caught:
        check_slug("-")
    assert caught.value.field == "slug"


@given(st.one_of(ANY_TEXT, SLUG_LIKE))
@example("\ud800")
def test_what_is_accepted_is_a_label_and_stays_as_it_is(text: str) -> None:
    assume(refusal_of(text) is None)
    slug = check_slug(text)
    assert LABEL.fullmatch(slug)
    assert check_slug(slug) == slug


@given(st.from_regex(LABEL, fullmatch=True))
def test_every_label_that_is_not_reserved_is_accepted(slug: str) -> None:
    assume(not is_reserved(slug))
    assert check_slug(slug) == slug


@pytest.mark.parametrize(
    ("slug", "lookalike"),
    [("acme", "acrne"), ("globex", "g1obex"), ("globex", "gl0bex"), ("lamina", "1arnina"), ("m00n", "rnoon")],
)
def test_lookalikes_share_a_skeleton(slug: str, lookalike: str) -> None:
    assert skeleton(slug) == skeleton(lookalike)


@pytest.mark.parametrize(("one", "other"), [("ac-me", "acme"), ("mint", "mlnt"), ("vvest", "west"), ("acme", "acne")])
def test_what_people_can_tell_apart_has_two_skeletons(one: str, other: str) -> None:
    assert skeleton(one) != skeleton(other)


@given(st.from_regex(LABEL, fullmatch=True))
def test_a_skeleton_is_the_skeleton_of_itself(slug: str) -> None:
    assert skeleton(skeleton(slug)) == skeleton(slug)
    assert len(skeleton(slug)) <= slugs.SKELETON_MAXIMUM_CHARACTERS


@given(st.from_regex(LABEL, fullmatch=True), st.data())
def test_any_mix_of_confusable_letters_keeps_the_skeleton(slug: str, data: st.DataObject) -> None:
    swaps = {"0": "0o", "o": "0o", "1": "1l", "l": "1l", "m": ["m", "rn"]}
    lookalike = "".join(data.draw(st.sampled_from(swaps.get(letter, letter))) for letter in slug)
    assert skeleton(lookalike) == skeleton(slug)


def test_the_reserved_list_is_long_and_each_entry_a_label() -> None:
    assert len(RESERVED) == len(set(RESERVED)) > 300
    assert [slug for slug in RESERVED if not LABEL.fullmatch(slug)] == []


def test_every_reserved_slug_is_refused() -> None:
    assert [slug for slug in RESERVED if "reserved" not in str(refusal_of(slug.upper()))] == []


@pytest.mark.parametrize(
    "slug",
    ["adrnin", "adm1n", "admln", "rnail", "ernai1", "supp0rt", "l0gin", "b1lling", "bil1ing", "r00t", "1ocalhost"],
)
def test_what_looks_reserved_is_refused(slug: str) -> None:
    assert slug not in RESERVED or slug in {"adm1n", "b1lling"}
    assert "reserved" in str(refusal_of(slug))


@pytest.mark.parametrize("slug", ["acme", "globex", "administrate-it", "wwwidgets", "mailchimp-fans", "statusquo"])
def test_a_name_that_only_begins_like_a_reserved_one_is_free(slug: str) -> None:
    assert not is_reserved(slug)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Acme", "acme"),
        ("Acme Widgets GmbH & Co. KG", "acme-widgets-gmbh-and-co-kg"),
        ("Müller’s Bäckerei", "mullers-backerei"),
        ("Ångström & Søn", "angstrom-and-son"),
        ("Łódź Straße", "lodz-strasse"),
        ("  --Globex—Corporation--  ", "globex-corporation"),
        ("ＡＣＭＥ ２", "acme-2"),
        ("İstanbul Işık", "istanbul-isik"),
        ("日本 Acme", "acme"),
        ("x" * 62 + " tail", "x" * 62),
        ("", ""),
        ("Кафе", ""),
        ("2024", ""),
        ("A", ""),
        ("Admin", ""),
        ("Supp0rt", ""),
    ],
)
def test_a_name_suggests_its_slug(name: str, slug: str) -> None:
    assert suggest_slug(name) == slug


@given(st.one_of(ANY_TEXT, SLUG_LIKE))
@example("\ud800")
@example("xn--mnich-kva")
def test_a_suggestion_is_accepted_or_empty(name: str) -> None:
    slug = suggest_slug(name)
    assert slug == "" or check_slug(slug) == slug
