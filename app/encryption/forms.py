"""The form that asks for a rotation."""

from __future__ import annotations

from app.core.encryption.keys import KeyPurpose
from app.web.forms import Form, choice_field, choices_of


class RotationForm(Form):
    """Which of an owner's keys gets a new version."""

    purpose = choice_field("Key", choices_of(KeyPurpose))
