"""The forms of clones."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from wtforms import HiddenField

from app.clones.services import DEFAULT_DAYS, MOST_DAYS, CloneDraft, today_in
from app.core.ids import new_id
from app.core.tenancy.scopes import Tier
from app.servers.models import Server
from app.tenants.models import Tenant
from app.web.choices import TIERS, name_region
from app.web.forms import Form, choice_field, date_field, email_field, radio_field, set_choices, text_field

MASKED, KEPT = "masked", "kept"
NAMES = (
    (MASKED, "Mask names and e-mail addresses: “Member 3fa8…”, at an address that no mail reaches"),
    (KEPT, "Keep names and e-mail addresses: whoever reads them can ask for a new password by mail"),
)
CLOSED_HINT = "It is archived when this day begins in its time zone. Leave it empty for a clone that stays."


class CloneForm(Form):
    """What the new tenant is called, whose it is, where it lies, how long it works and what it keeps."""

    submission = HiddenField(default=lambda: str(new_id()))
    name = text_field("Name", max_length=100, autocomplete="off")
    slug = text_field("Address", max_length=63, hint="Letters, digits and dashes; no look-alikes.", autocomplete="off")
    owner_name = text_field("Owner’s name", max_length=100, autocomplete="off")
    owner_email = email_field("Owner’s e-mail", hint="The invitation goes there. Nobody else gets in at first.")
    names = radio_field("Members", NAMES)
    expires_on = date_field("Closed on", required=False, hint=CLOSED_HINT)
    tier = choice_field("Isolation", TIERS)
    server = choice_field("Server")

    def offer(self, source: Tenant, servers: list[Server]) -> None:
        """Give the fields what only this source knows."""
        set_choices(self.server, [(one.name, f"{one.name} – {name_region(one.region)}") for one in servers])
        self.expires_on.render_kw = _bounds(source)

    def draft(self, actor_key: str) -> CloneDraft:
        """Return what was entered as a draft."""
        return CloneDraft(
            name=self.name.data,
            slug=self.slug.data,
            owner_name=self.owner_name.data,
            owner_email=self.owner_email.data,
            tier=Tier(self.tier.data),
            server=self.server.data,
            expires_on=self.expires_on.data,
            keeps_names=self.names.data == KEPT,
            submission_key=f"clone:{actor_key}:{self.submission.data}",
        )


class ExpiryForm(Form):
    """The day on which a clone is closed."""

    expires_on = date_field("Closed on", required=False, hint=CLOSED_HINT)

    def offer(self, clone: Tenant) -> None:
        """Give the field its bounds."""
        self.expires_on.render_kw = _bounds(clone)


def suggest(source: Tenant, slug: str, tier: str, server: str) -> dict[str, Any]:
    """Return what a new form says before anybody has written in it."""
    return {
        "name": f"{source.name} copy",
        "slug": slug,
        "owner_name": source.owner_name,
        "owner_email": source.owner_email,
        "names": MASKED,
        "expires_on": today_in(source.time_zone) + timedelta(days=DEFAULT_DAYS),
        "tier": tier,
        "server": server,
    }


def _bounds(tenant: Tenant) -> dict[str, str]:
    today: date = today_in(tenant.time_zone)
    days = {"min": today + timedelta(days=1), "max": today + timedelta(days=MOST_DAYS)}
    return {name: day.isoformat() for name, day in days.items()}
