"""The forms that start a tenant."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from wtforms import HiddenField
from wtforms.validators import ValidationError

from app.core.ids import new_id
from app.core.tenancy.scopes import Tier
from app.plans.models import Plan
from app.servers.models import Server
from app.tenants.services import TenantDraft
from app.tenants.slugs import suggest_slug
from app.web.choices import CURRENCIES, REGIONS, TIERS, TIME_ZONES, name_region
from app.web.forms import Form, checkbox_field, choice_field, email_field, set_choices, text_field

MADE_FROM_NAME = "This address was made from the name. Send the form again to take it, or write another."


def _fresh_key() -> str:
    return str(new_id())


class TenantForm(Form):
    """What both roads ask: whose workspace, at which address, on which plan."""

    submission = HiddenField(default=_fresh_key)
    name = text_field("Name", max_length=100, hint="As the tenant calls itself.", autocomplete="organization")
    slug = text_field("Address", max_length=63, hint="Letters, digits and dashes; no look-alikes.")
    owner_name = text_field("Owner’s name", max_length=100)
    owner_email = email_field("Owner’s e-mail", hint="The invitation goes there.")
    plan = choice_field("Plan")

    def offer_plans(self, plans: list[Plan]) -> None:
        """Give the plan field the catalogue."""
        set_choices(self.plan, [(plan.key, f"{plan.name} – {plan.price_label}") for plan in plans])

    def validate(self, extra_validators: Any = None) -> bool:
        """Check the form; an address that was left out is made from the name and shown, to be confirmed."""
        is_valid = super().validate(extra_validators)
        if self.slug.data is None and (suggestion := suggest_slug(self.name.data or "")):
            self.slug.data, self.slug.errors = suggestion, [MADE_FROM_NAME]
        return bool(is_valid)

    def validate_submission(self, field: HiddenField) -> None:
        """Refuse a key that this form did not make."""
        try:
            UUID(field.data or "")
        except ValueError:
            field.data = _fresh_key()
            raise ValidationError("Please send the form again.") from None

    def draft(self, surface: str) -> TenantDraft:
        """Return what was entered as a draft."""
        return TenantDraft(
            name=self.name.data,
            slug=self.slug.data,
            owner_name=self.owner_name.data,
            owner_email=self.owner_email.data,
            plan=self.plan.data,
            region=_value(self, "region"),
            time_zone=_value(self, "time_zone"),
            currency=_value(self, "currency"),
            tier=_tier(_value(self, "tier")),
            server=_value(self, "server"),
            submission_key=f"{surface}:{self.submission.data}",
        )


class PlatformTenantForm(TenantForm):
    """The platform's form adds what a plan would default."""

    region = choice_field("Region", REGIONS, required=False, blank="The plan’s default")
    time_zone = choice_field("Time zone", TIME_ZONES, required=False, blank="The plan’s default")
    currency = choice_field("Currency", CURRENCIES, required=False, blank="The plan’s default")
    tier = choice_field("Isolation", TIERS, required=False, blank="The plan’s default")
    server = choice_field("Server", required=False)

    def offer_servers(self, servers: list[Server]) -> None:
        """Give the server field those that take another home now."""
        names = [(server.name, f"{server.name} – {name_region(server.region)}") for server in servers]
        set_choices(self.server, names, blank="One with room, in the region if possible")


class SignUpForm(TenantForm):
    """The visitor's form speaks to the owner."""

    name = text_field("Workspace name", max_length=100, autocomplete="organization")
    owner_name = text_field("Your name", max_length=100, autocomplete="name")
    owner_email = email_field("Your e-mail", hint="We send a link there to confirm it.")
    accept = checkbox_field("I accept the terms of use.", must_accept="Please accept the terms to go on.")


class OwnerLinkForm(Form):
    """Whether the owner gets another link; `seen` is the latest one that the asker knows of."""

    seen = HiddenField()

    @property
    def seen_id(self) -> UUID | None:
        """Return the operation that was seen, None when there was none."""
        try:
            return UUID(self.seen.data or "")
        except ValueError:
            return None


def _tier(value: str | None) -> Tier | None:
    return Tier(value) if value else None


def _value(form: TenantForm, name: str) -> str | None:
    return form[name].data if name in form else None
