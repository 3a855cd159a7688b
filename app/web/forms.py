"""The form that every form is, the fields that forms share, and a service's refusal put beside its field."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import ClassVar

from email_validator import EmailNotValidError, validate_email
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    EmailField,
    Field,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, NumberRange, Optional, StopValidation, ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from app.core.errors import InputError

Choices = Iterable[tuple[str, str]]
Validator = Callable[[FlaskForm, Field], None]

REQUIRED = "Fill in this field."
NO_CHOICE = "Choose one of the options."
MAX_PASSWORD_CHARACTERS = 1_000
MAX_INTEGER = 2**31 - 1


class Form(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types.
    """A form with a CSRF token; `add_errors` puts a service's refusal beside the field it names."""

    @property
    def general_errors(self) -> list[str]:
        """List the errors that stand beside no visible field: the form's own and those of hidden fields."""
        hidden = [error for field in self if field.widget.__class__.__name__ == "HiddenInput" for error in field.errors]
        return [*self.form_errors, *map(str, hidden)]


def add_errors(form: FlaskForm, error: InputError) -> None:
    """Put a service's refusal beside the field it names, or above the form when it names none of its fields."""
    if error.field is not None and error.field in form:
        field = form[error.field]
        field.errors = [*field.errors, str(error)]
    else:
        form.form_errors = [*form.form_errors, str(error)]


def text_field(
    label: str,
    *,
    max_length: int,
    min_length: int = 0,
    required: bool = True,
    hint: str = "",
    autocomplete: str | None = None,
    placeholder: str | None = None,
    validators: Sequence[Validator] = (),
) -> StringField:
    """Make a field for one line of text, trimmed and composed; empty text is None unless it is required."""
    checks = [*_presence(required), one_line, _length(min_length, max_length), *validators]
    return StringField(
        label,
        checks,
        filters=[trimmed],
        description=hint,
        render_kw=_attributes(autocomplete=autocomplete, placeholder=placeholder, maxlength=max_length),
    )


def long_text_field(
    label: str,
    *,
    max_length: int,
    required: bool = True,
    hint: str = "",
    rows: int = 4,
    validators: Sequence[Validator] = (),
) -> TextAreaField:
    """Make a field for text of several lines, trimmed, its line ends made one kind."""
    checks = [*_presence(required), no_control_characters, _length(0, max_length), *validators]
    attributes = _attributes(rows=rows, maxlength=max_length)
    return TextAreaField(label, checks, filters=[trimmed], description=hint, render_kw=attributes)


def email_field(label: str = "E-mail", *, required: bool = True, hint: str = "") -> EmailField:
    """Make a field for an e-mail address; only its syntax is checked, its domain comes back in lower case."""
    checks = [*_presence(required), email_syntax]
    attributes = _attributes(autocomplete="email", maxlength=254, spellcheck="false")
    return EmailField(label, checks, filters=[trimmed], description=hint, render_kw=attributes)


def password_field(
    label: str = "Password",
    *,
    autocomplete: str = "current-password",
    min_length: int = 0,
    hint: str = "",
) -> PasswordField:
    """Make a field for a password, taken as it was typed.

    Units: the upper limit keeps the hash function from being fed megabytes.
    """
    checks = [InputRequired(REQUIRED), _length(min_length, MAX_PASSWORD_CHARACTERS)]
    return PasswordField(label, checks, description=hint, render_kw=_attributes(autocomplete=autocomplete))


def choice_field(
    label: str, choices: Choices = (), *, required: bool = True, blank: str | None = None, hint: str = ""
) -> SelectField:
    """Make a drop-down list; `blank` is the text of a first option that chooses nothing."""
    options = _options(choices, blank)
    return SelectField(
        label,
        _presence(required),
        choices=options,
        coerce=_none_if_empty,
        invalid_choice_message=NO_CHOICE,
        description=hint,
    )


def radio_field(label: str, choices: Choices = (), *, hint: str = "") -> RadioField:
    """Make a group of options of which one is chosen, all of them in view."""
    checks = [InputRequired(NO_CHOICE)]
    return RadioField(label, checks, choices=_options(choices), invalid_choice_message=NO_CHOICE, description=hint)


def checkboxes_field(label: str, choices: Choices = (), *, hint: str = "") -> SelectMultipleField:
    """Make a group of options of which any number is chosen."""
    return SelectMultipleField(
        label,
        choices=_options(choices),
        invalid_choice_message=NO_CHOICE,
        description=hint,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )


def checkbox_field(label: str, *, hint: str = "", must_accept: str | None = None) -> BooleanField:
    """Make one box to tick; `must_accept` is what is said when it has to be ticked and is not."""
    return BooleanField(label, [InputRequired(must_accept)] if must_accept else [], description=hint)


def whole_number_field(
    label: str, *, minimum: int = 0, maximum: int = MAX_INTEGER, required: bool = True, hint: str = ""
) -> IntegerField:
    """Make a field for a whole number within a range; without one, what a column of type integer holds."""
    message = f"Write a whole number from {minimum:,} to {maximum:,}."
    attributes = _attributes(min=minimum, max=maximum, inputmode="numeric")
    return IntegerField(
        label,
        [*_presence(required), _readable, NumberRange(minimum, maximum, message)],
        invalid_value_message=message,
        description=hint,
        render_kw=attributes,
    )


def date_field(label: str, *, required: bool = True, hint: str = "") -> DateField:
    """Make a field for a day."""
    return _DayField(label, _presence(required), description=hint)


class _DayField(DateField):  # type: ignore[misc]  # WTForms has no types.
    """WTForms' own, with a sentence that says what to write."""

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError("Write a day, such as 2026-12-24.") from None


def set_choices(field: Field, choices: Choices, *, blank: str | None = None) -> None:
    """Give a field the options that only this request knows."""
    field.choices = _options(choices, blank)


def choices_of(vocabulary: type[StrEnum]) -> list[tuple[str, str]]:
    """List an enum's values with labels made of them: `past_due` reads "Past due"."""
    return [(item.value, item.value.replace("_", " ").capitalize()) for item in vocabulary]


def trimmed(text: str | None) -> str | None:
    """Cut white space at both ends, compose the characters and make line ends one kind; nothing left is None.

    Source: Unicode Standard Annex 15, form NFC, so that equal looking text is equal.
    """
    if text is None:
        return None
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").strip()) or None


def one_line(_form: FlaskForm, field: Field) -> None:
    """Refuse line breaks and control characters."""
    no_control_characters(_form, field)
    if "\n" in (field.data or "") or "\t" in (field.data or ""):
        raise ValidationError("Write this on one line.")


def no_control_characters(_form: FlaskForm, field: Field) -> None:
    """Refuse control characters: PostgreSQL cannot hold one of them and nobody can see the others."""
    if any(unicodedata.category(character) == "Cc" and character not in "\n\t" for character in field.data or ""):
        raise ValidationError("Take out the control characters.")


def email_syntax(_form: FlaskForm, field: Field) -> None:
    """Refuse what is no e-mail address by its syntax; the network is not asked.

    Source: RFC 5322 and 6531 as email-validator reads them; addresses with a local part beyond ASCII are refused.
    """
    try:
        # test_environment lets the reserved domain .test through.
        checked = validate_email(
            field.data or "", check_deliverability=False, allow_smtputf8=False, test_environment=True
        )
    except EmailNotValidError as error:
        raise StopValidation("Write an e-mail address, such as ada@example.com.") from error
    field.data = checked.normalized


class ConfirmForm(Form):
    """What cannot be undone asks for the name of the thing it destroys."""

    def __init__(self, *args: object, expected: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected
        self.confirm_name.label.text = f"Type {expected} to confirm"

    confirm_name = StringField("Confirm", validators=[InputRequired(REQUIRED)], filters=[trimmed])

    def validate_confirm_name(self, field: Field) -> None:
        """Refuse any other name than the expected one."""
        if field.data != self.expected:
            raise ValidationError(f"Type {self.expected} to confirm.")


class Required:
    """Refuses a field without a value; filters have made blank text None, and the number 0 is a value."""

    field_flags: ClassVar = {"required": True}

    def __call__(self, _form: FlaskForm, field: Field) -> None:
        if field.data is None and not field.errors:
            raise StopValidation(NO_CHOICE if isinstance(field, SelectField) else REQUIRED)


def _presence(required: bool) -> list[Validator]:
    return [Required()] if required else [Optional()]


def _readable(_form: FlaskForm, field: Field) -> None:
    # What could not be read has its message already; no other check has anything to look at.
    if field.errors:
        raise StopValidation


def _length(minimum: int, maximum: int) -> Length:
    words = f"Use {minimum} to {maximum} characters." if minimum else f"Use at most {maximum} characters."
    return Length(minimum, maximum, words)


def _options(choices: Choices, blank: str | None = None) -> dict[str, str]:
    # WTForms 3.3 takes a mapping of values to labels; its pairs are about to go.
    return ({} if blank is None else {"": blank}) | dict(choices)


def _none_if_empty(value: object) -> object:
    return value or None


def _attributes(**attributes: object) -> dict[str, object]:
    return {name: value for name, value in attributes.items() if value is not None}
