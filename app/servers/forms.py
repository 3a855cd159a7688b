"""The forms about servers: the shape of what is entered; services judge what it means."""

from __future__ import annotations

from app.servers.models import Server
from app.servers.services import ServerTerms
from app.web.choices import REGIONS
from app.web.forms import Form, checkbox_field, choice_field, password_field, text_field, whole_number_field

MOST_NAME_CHARACTERS = 31
DEFAULT_CAPACITY = 1_000
URL_HINT = (
    "postgresql://tenantry_owner:password@host:port/database. It is kept in a file that only the product can read, and "
    "never shown again."
)


class TermsForm(Form):
    """What staff decide about a server."""

    region = choice_field("Region", REGIONS)
    capacity = whole_number_field("Capacity", minimum=1, hint="How many homes it takes, of all tiers together.")
    accepts_homes = checkbox_field("Takes new homes", hint="Homes that are there stay either way.")

    @classmethod
    def of(cls, server: Server) -> TermsForm:
        """Return the form as it shows a server."""
        return cls(obj=server)

    @property
    def terms(self) -> ServerTerms:
        """Return what was entered."""
        return ServerTerms(self.region.data, self.capacity.data, self.accepts_homes.data)


class RegistrationForm(TermsForm):
    """A further server, with its owner's URL."""

    name = text_field("Name", max_length=MOST_NAME_CHARACTERS, hint="Small letters, digits and dashes; it stays.")
    url = password_field("Owner’s URL", autocomplete="off", hint=URL_HINT)


class UrlForm(Form):
    """The owner's URL at a server's other address."""

    url = password_field("Owner’s new URL", autocomplete="off", hint=URL_HINT)
