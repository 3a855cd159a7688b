"""The forms about members: the shape of what is entered; services judge what it means."""

from __future__ import annotations

from collections.abc import Iterable

from app.credentials.names import MAXIMUM_CHARACTERS
from app.members.models import Role
from app.web.forms import Form, choice_field, email_field, long_text_field, set_choices, text_field

MAX_REASON_CHARACTERS = 500


class RoleForm(Form):
    """Which role a member has."""

    role = choice_field("Role")

    def offer_roles(self, roles: Iterable[Role]) -> None:
        """Give the role field what the viewer can hand out."""
        set_choices(self.role, [(role.key, role.name) for role in roles])


class InvitationForm(RoleForm):
    """Who is invited, and to what."""

    name = text_field("Name", max_length=MAXIMUM_CHARACTERS, hint="As colleagues know them.", autocomplete="off")
    email = email_field(hint="The invitation goes there, and they sign in with it.")


class DeactivationForm(Form):
    """Why somebody is let in no more."""

    reason = long_text_field(
        "Reason", max_length=MAX_REASON_CHARACTERS, required=False, hint="Kept in the member’s history.", rows=3
    )


class ProfileForm(Form):
    """How a member calls themselves."""

    name = text_field("Name", max_length=MAXIMUM_CHARACTERS, autocomplete="name")
