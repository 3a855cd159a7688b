"""Fields, their checks, and a service's refusal beside its field."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from app.core.errors import InputError
from app.web import forms
from tests.page import PageClient
from tests.web.gallery import ThingForm

GOOD = {
    "name": "  Acme\u0301  ",
    "slug": "globex",
    "email": " Ada@EXAMPLE.com ",
    "password": " correct horse battery ",
    "plan": "scale",
    "region": "eu",
    "tags": ["beta", "vip"],
    "seats": "12",
    "notes": "one\r\ntwo ",
    "terms": "y",
}


@pytest.fixture(autouse=True)
def _request(gallery: Flask) -> Iterator[None]:
    with gallery.test_request_context("/", method="POST"):
        yield


def _filled(**changes: object) -> ThingForm:
    return ThingForm(formdata=MultiDict(GOOD | changes), meta={"csrf": False})


def test_good_values_come_out_clean() -> None:
    form = _filled()
    assert form.validate(), form.errors
    assert form.name.data == "Acm\u00e9"
    assert form.email.data == "Ada@example.com"
    assert form.password.data == " correct horse battery "
    assert (form.seats.data, form.tags.data, form.notes.data) == (12, ["beta", "vip"], "one\ntwo")


def test_optional_fields_left_blank_are_none() -> None:
    form = _filled(seats="", notes="  ", tags=[])
    assert form.validate(), form.errors
    assert (form.seats.data, form.notes.data, form.tags.data) == (None, None, [])


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("name", "   ", "Fill in this field."),
        ("name", "a\nb", "Write this on one line."),
        ("name", "a\x00b", "Take out the control characters."),
        ("name", "a" * 41, "Use at most 40 characters."),
        ("notes", "a\x07", "Take out the control characters."),
        ("email", "ada", "Write an e-mail address, such as ada@example.com."),
        ("email", "", "Fill in this field."),
        ("password", "short", "Use 12 to 1000 characters."),
        ("plan", "", "Choose one of the options."),
        ("plan", "free", "Choose one of the options."),
        ("region", "mars", "Choose one of the options."),
        ("seats", "0", "Write a whole number from 1 to 500."),
        ("seats", "many", "Write a whole number from 1 to 500."),
        ("terms", "", "The owner has to accept the terms."),
    ],
)
def test_bad_values_are_refused_beside_their_field(name: str, value: str, message: str) -> None:
    form = _filled(**{name: value})
    assert not form.validate()
    assert form.errors == {name: [message]}


def test_a_services_refusal_stands_beside_the_field_it_names() -> None:
    form = _filled()
    forms.add_errors(form, InputError("That slug is taken.", "slug"))
    assert form.slug.errors == ["That slug is taken."]


@pytest.mark.parametrize("field", [None, "no_such_field"])
def test_a_refusal_of_no_field_stands_above_the_form(field: str | None) -> None:
    form = _filled()
    forms.add_errors(form, InputError("Two plans at once.", field))
    assert form.general_errors == ["Two plans at once."]


def test_what_cannot_be_undone_asks_for_its_name() -> None:
    wrong = forms.ConfirmForm(formdata=MultiDict({"confirm_name": "Acme"}), meta={"csrf": False}, expected="acme")
    right = forms.ConfirmForm(formdata=MultiDict({"confirm_name": " acme "}), meta={"csrf": False}, expected="acme")
    assert not wrong.validate()
    assert wrong.confirm_name.errors == ["Type acme to confirm."]
    assert right.validate()


def test_a_vocabulary_makes_choices() -> None:
    status = StrEnum("status", {"ACTIVE": "active", "PAST_DUE": "past_due"})
    assert forms.choices_of(status) == [("active", "Active"), ("past_due", "Past due")]


def test_choices_may_come_with_the_request() -> None:
    form = _filled(plan="pro")
    forms.set_choices(form.plan, [("pro", "Pro")], blank="Choose a plan")
    assert form.validate(), form.errors
    assert form.plan.choices == {"": "Choose a plan", "pro": "Pro"}


def test_nothing_to_trim_stays_nothing() -> None:
    assert forms.trimmed(None) is None


def test_a_refused_form_comes_back_with_its_values_and_errors(visitor: PageClient) -> None:
    visitor.get("/things/new")
    page = visitor.submit("#thing", name="Acme", slug="acme", email="nope", region="eu")
    assert page.status == 422
    assert visitor.field_error("email") == "Write an e-mail address, such as ada@example.com."
    assert visitor.field_error("name") is None
    assert page.select("#name")[0].get("value") == "Acme"
    assert page.select("#email")[0].get("aria-invalid") == "true"
    assert "There is a problem" in visitor.text


def test_a_refusal_by_the_service_comes_back_the_same_way(visitor: PageClient) -> None:
    visitor.get("/things/new")
    values = {key: value for key, value in GOOD.items() if key != "terms"}
    visitor.submit("#thing", {**values, "slug": "acme", "notes": "n", "name": "n"}, terms=True)
    assert visitor.field_error("slug") == "That slug is taken."


def test_an_accepted_form_leads_on(visitor: PageClient) -> None:
    visitor.get("/things/new")
    values = {key: value for key, value in GOOD.items() if key != "terms"}
    page = visitor.submit("Create thing", {**values, "name": "Globex", "notes": ""}, terms=True)
    assert (page.url, page.texts(".toast-text")[0]) == ("http://localhost/", "Globex was created.")
