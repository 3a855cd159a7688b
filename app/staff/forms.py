"""The forms about staff users: the shape of what is entered; services judge what it means."""

from __future__ import annotations

from app.credentials.names import MAXIMUM_CHARACTERS
from app.staff.roles import StaffRole
from app.web.forms import Form, choice_field, email_field, long_text_field, text_field

MAX_REASON_CHARACTERS = 500
ROLES = tuple((role.value, role.label) for role in StaffRole)


class RoleForm(Form):
    """Which role a staff user has."""

    role = choice_field("Role", ROLES)


class StaffUserForm(RoleForm):
    """Who joins the staff, and as what."""

    name = text_field("Name", max_length=MAXIMUM_CHARACTERS, autocomplete="off")
    email = email_field(hint="A one-time link goes there, and they sign in with it.")


class ProfileForm(Form):
    """How a staff user calls themselves."""

    name = text_field("Name", max_length=MAXIMUM_CHARACTERS, autocomplete="name")


class DeactivationForm(Form):
    """Why somebody is let in no more."""

    reason = long_text_field(
        "Reason", max_length=MAX_REASON_CHARACTERS, required=False, hint="Kept in the platform’s audit trail.", rows=3
    )
