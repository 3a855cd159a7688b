"""The form that asks for a rotation."""

from __future__ import annotations

from flask_wtf import FlaskForm

from app.core.encryption.keys import KeyPurpose
from app.web.forms import choice_field, choices_of


class RotationForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types.
    """Which of an owner's keys gets a new version."""

    purpose = choice_field("Key", choices_of(KeyPurpose))
