"""Reading plans."""

from __future__ import annotations

from sqlalchemy import select

from app.core.database.session import db
from app.core.errors import InputError
from app.plans.models import Plan


def list_plans() -> list[Plan]:
    """Return the catalogue in its order."""
    return list(db.session.scalars(select(Plan).order_by(Plan.position)))


def get_plan(key: str) -> Plan:
    """Return a plan by its key.

    Errors: InputError on the field `plan`, naming the plans that exist.
    """
    plan = db.session.scalar(select(Plan).where(Plan.key == key))
    if plan is None:
        known = ", ".join(plan.key for plan in list_plans())
        raise InputError(f"There is no plan “{key}”; choose one of {known}.", "plan")
    return plan
