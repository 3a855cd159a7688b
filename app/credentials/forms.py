"""The form by which somebody who is signed in changes the password, on either portal."""

from __future__ import annotations

from wtforms import Field
from wtforms.validators import ValidationError

from app.credentials.passwords import MINIMUM_CHARACTERS
from app.web.forms import Form, password_field


class ChangePasswordForm(Form):
    """The present password as proof, and the new one twice because nobody sees it."""

    old_password = password_field("Present password")
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
