"""The forms of moves."""

from __future__ import annotations

from wtforms import Field
from wtforms.validators import ValidationError

from app.core.tenancy.scopes import Tier
from app.servers.models import Server
from app.web.choices import name_region
from app.web.forms import Form, choice_field, set_choices, text_field

TIERS = {
    Tier.POOL: "Shared pool – tables shared with other tenants, kept apart row by row",
    Tier.SCHEMA: "Schema – tables of its own in a shared database",
    Tier.DATABASE: "Database – a database of its own",
}


class MoveForm(Form):
    """Where a home is to go."""

    tier = choice_field("Isolation", [(tier.value, label) for tier, label in TIERS.items()])
    server = choice_field("Server")

    def offer_servers(self, servers: list[Server]) -> None:
        """Give the server field its choices."""
        set_choices(self.server, [(server.name, f"{server.name} – {name_region(server.region)}") for server in servers])


class ReturnForm(Form):
    """The wish to go back; there is nothing to fill in."""


class PurgeForm(Form):
    """The name of the tenant whose old home is to be dropped: that cannot be undone."""

    name = text_field("Tenant’s address", max_length=63, hint="Type it to confirm.", autocomplete="off")

    def expect(self, slug: str) -> None:
        """Say which name confirms."""
        self.slug = slug

    def validate_name(self, field: Field) -> None:
        """Refuse any other name."""
        if field.data != self.slug:
            raise ValidationError(f"Type {self.slug} to confirm.")
