"""The views that a staff user has saved."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from app.core.database.session import db
from app.core.errors import NotFoundError
from app.tenants.models import SavedView


def list_views(staff_user_id: UUID, list_name: str) -> list[SavedView]:
    """Return a staff user's views of one list in alphabetical order."""
    statement = select(SavedView).where(SavedView.staff_user_id == staff_user_id, SavedView.list_name == list_name)
    return list(db.session.scalars(statement.order_by(SavedView.name)))


def get_view(staff_user_id: UUID, view_id: UUID) -> SavedView:
    """Return a view of a staff user's own.

    Errors: NotFoundError, for somebody else's too.
    """
    view = db.session.get(SavedView, view_id)
    if view is None or view.staff_user_id != staff_user_id:
        raise NotFoundError("There is no such view.")
    return view
