"""The form that starts a run."""

from __future__ import annotations

from app.homes.fleet import DEFAULT_FAILURE_RATIO
from app.web.forms import Form, whole_number_field

DEFAULT_PERCENT = round(DEFAULT_FAILURE_RATIO * 100)


class RunForm(Form):
    """How many failures a run bears."""

    percent = whole_number_field(
        "Stop when more than so many percent of the homes have failed",
        minimum=0,
        maximum=100,
        hint="Looked at after each ring, and within one as soon as twenty homes were attempted.",
    )
