"""The forms of signing in and of choosing a password."""

from __future__ import annotations

from wtforms import Field, HiddenField
from wtforms.validators import ValidationError

from app.credentials.passwords import MINIMUM_CHARACTERS
from app.web.forms import Form, email_field, password_field


class SignInForm(Form):
    """Who somebody is, what they know, and where they wanted to go."""

    email = email_field()
    password = password_field()
    next = HiddenField()


class PasswordForm(Form):
    """A new password, typed twice because nobody sees it."""

    password = password_field(
        "New password",
        autocomplete="new-password",
        hint=f"At least {MINIMUM_CHARACTERS} characters; a few words that do not belong together work well.",
    )
    repeated = password_field("New password again", autocomplete="new-password")

    def validate_repeated(self, field: Field) -> None:
        """Refuse two passwords that differ."""
        if field.data != self.password.data:
            raise ValidationError("The two passwords differ.")


class ForgottenPasswordForm(Form):
    """Whose password was forgotten."""

    email = email_field()
