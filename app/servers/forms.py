"""The forms about servers: the shape of what is entered; services judge what it means."""

from __future__ import annotations

from app.servers.models import MIB, Server
from app.servers.services import ServerTerms
from app.web.choices import REGIONS
from app.web.forms import Form, checkbox_field, choice_field, password_field, text_field, whole_number_field

MOST_NAME_CHARACTERS = 31
USUAL_TERMS = ServerTerms(region="", capacity=1_000, accepts_homes=True)
MOST_READY = 100
READY_HINT = "Empty homes, made ahead so that the next tenant of this tier need not wait. 0: made when it is needed."
STORAGE_HINT = (
    "How much its databases may hold together. A move or a clone that needs more is refused before it begins. Empty: "
    "room is not checked."
)
URL_HINT = (
    "postgresql://tenantry_owner:password@host:port/database. It is kept in a file that only the product can read, and "
    "never shown again."
)


class TermsForm(Form):
    """What staff decide about a server."""

    region = choice_field("Region", REGIONS)
    capacity = whole_number_field("Capacity", minimum=1, hint="How many homes it takes, of all tiers together.")
    storage_mib = whole_number_field("Storage limit in MiB", minimum=1, required=False, hint=STORAGE_HINT)
    accepts_homes = checkbox_field("Takes new homes", hint="Homes that are there stay either way.")
    ready_schema_count = whole_number_field("Schemas kept ready", minimum=0, maximum=MOST_READY, hint=READY_HINT)
    ready_database_count = whole_number_field("Databases kept ready", minimum=0, maximum=MOST_READY)

    @classmethod
    def of(cls, server: Server) -> TermsForm:
        """Return the form as it shows a server."""
        return cls(obj=server)

    @property
    def terms(self) -> ServerTerms:
        """Return what was entered."""
        return ServerTerms(
            self.region.data,
            self.capacity.data,
            self.accepts_homes.data,
            self.ready_schema_count.data,
            self.ready_database_count.data,
            None if self.storage_mib.data is None else self.storage_mib.data * MIB,
        )


class RegistrationForm(TermsForm):
    """A further server, with its owner's URL."""

    name = text_field("Name", max_length=MOST_NAME_CHARACTERS, hint="Small letters, digits and dashes; it stays.")
    url = password_field("Owner’s URL", autocomplete="off", hint=URL_HINT)


class UrlForm(Form):
    """The owner's URL at a server's other address."""

    url = password_field("Owner’s new URL", autocomplete="off", hint=URL_HINT)
