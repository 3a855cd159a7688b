"""The form of the settings page."""

from __future__ import annotations

from app.settings.definitions import SUPPORT_EMAIL, WELCOME_MESSAGE
from app.web.choices import TIME_ZONES
from app.web.forms import Form, choice_field, email_field, long_text_field, text_field

LOCALES = (("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("ja", "日本語"))


class WorkspaceForm(Form):
    """How the workspace calls and shows itself."""

    name = text_field("Workspace name", max_length=100, autocomplete="organization")
    time_zone = choice_field("Time zone", TIME_ZONES, hint="Every time in this workspace is shown in it.")
    locale = choice_field("Formats", LOCALES, hint="How dates and numbers are written; the texts stay English.")
    support_email = email_field(SUPPORT_EMAIL.label, required=False, hint="Shown to members on the overview.")
    welcome_message = long_text_field(
        WELCOME_MESSAGE.label,
        max_length=WELCOME_MESSAGE.max_characters,
        required=False,
        hint="Shown to members on the overview.",
    )

    @property
    def changes(self) -> dict[str, str]:
        """Return what was entered, by field name; what was left empty is empty text."""
        names = ("name", "time_zone", "locale", "support_email", "welcome_message")
        return {name: self[name].data or "" for name in names}
