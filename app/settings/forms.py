"""The form of the settings page."""

from __future__ import annotations

from zoneinfo import available_timezones

from app.settings.definitions import SUPPORT_EMAIL, WELCOME_MESSAGE
from app.web.forms import Form, choice_field, email_field, long_text_field, text_field

LOCALES = (("en", "English"), ("de", "Deutsch"), ("fr", "Français"), ("es", "Español"), ("ja", "日本語"))
TIME_ZONES = tuple(
    (zone, zone.replace("_", " ")) for zone in sorted(available_timezones()) if "/" in zone and "Etc" not in zone
)


class WorkspaceForm(Form):
    """How the workspace calls and shows itself."""

    name = text_field("Workspace name", max_length=100, autocomplete="organization")
    time_zone = choice_field("Time zone", TIME_ZONES, hint="Days and reports follow it.")
    locale = choice_field("Language and formats", LOCALES)
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
