"""Writing plans."""

from __future__ import annotations

from sqlalchemy import select

from app.audit.services import unaudited
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.plans.catalogue import CATALOGUE
from app.plans.models import Plan


@unaudited("reference data that comes with the release")
def seed_catalogue() -> None:
    """Add the plans of the catalogue that the database lacks; existing ones stay as they are."""
    with transaction():
        present = set(db.session.scalars(select(Plan.key)))
        for values in CATALOGUE:
            if values["key"] not in present:
                db.session.add(Plan(**values))
