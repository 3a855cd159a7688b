"""The forms about tenants: the shape of what is entered; services judge what it means."""

from __future__ import annotations

from datetime import datetime

from wtforms import HiddenField

from app.tenants import entries
from app.tenants.models import Tenant
from app.tenants.services import TenantBasics
from app.web.forms import ConfirmForm, Form, checkbox_field, email_field, long_text_field, text_field

SHOWN_WIDELY = "Shown to the tenant’s members when they sign in, and kept in its history."
KEPT = "Kept in the tenant’s history, where its owners can read it."


class SuspensionForm(Form):
    """Why tenants are suspended."""

    reason = long_text_field("Reason", max_length=entries.MAX_REASON_CHARACTERS, hint=SHOWN_WIDELY, rows=3)


class ReactivationForm(Form):
    """Why tenants work again."""

    reason = long_text_field("Reason", max_length=entries.MAX_REASON_CHARACTERS, required=False, hint=KEPT, rows=3)


class ArchivalForm(ConfirmForm):
    """Why a tenant is closed, and its slug once more: nobody can work there from then on."""

    reason = long_text_field("Reason", max_length=entries.MAX_REASON_CHARACTERS, hint=KEPT, rows=3)


class UnarchivalForm(ReactivationForm):
    """Why a closed tenant opens again, and whether a suspension that it had then stays."""

    keep_suspended = checkbox_field("Keep it suspended", hint="With the reason above; nobody can work there.")


class BasicsForm(Form):
    """What a tenant is called and whom to contact; `seen` is the version that the editor looked at."""

    seen = HiddenField()
    name = text_field("Name", max_length=entries.MAX_NAME_CHARACTERS, autocomplete="organization")
    owner_name = text_field("Owner’s name", max_length=entries.MAX_NAME_CHARACTERS)
    owner_email = email_field(
        "Owner’s e-mail", hint="For contact only. Who signs in, and with which address, is for the tenant to change."
    )

    @classmethod
    def of(cls, tenant: Tenant) -> BasicsForm:
        """Return the form as it shows a tenant."""
        return cls(obj=tenant, seen=tenant.updated_at.isoformat())

    @property
    def seen_at(self) -> datetime | None:
        """Return the version that was looked at, None when it cannot be read: then nothing is compared."""
        try:
            return datetime.fromisoformat(self.seen.data or "")
        except ValueError:
            return None

    @property
    def basics(self) -> TenantBasics:
        """Return what was entered."""
        return TenantBasics(self.name.data, self.owner_name.data, self.owner_email.data)

    def show_version(self, tenant: Tenant) -> None:
        """Go on from the tenant as it is now, with what was entered kept."""
        self.seen.data = tenant.updated_at.isoformat()


class TagForm(Form):
    """One tag."""

    tag = text_field("Tag", max_length=entries.MAX_TAG_CHARACTERS, placeholder="key-account")


class MetadatumForm(Form):
    """One key with its value."""

    key = text_field("Key", max_length=entries.MAX_KEY_CHARACTERS, placeholder="crm-id")
    value = text_field("Value", max_length=entries.MAX_VALUE_CHARACTERS)


class NoteForm(Form):
    """One note."""

    text = long_text_field("Note", max_length=entries.MAX_NOTE_CHARACTERS, rows=3)


class ViewForm(Form):
    """The name of a view; the query travels along."""

    name = text_field("Name of the view", max_length=entries.MAX_VIEW_NAME_CHARACTERS)
    query = HiddenField()
