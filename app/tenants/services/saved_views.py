"""Saved views: a list's query under a name, each staff user's own."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.audit.services import Target, record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import InputError
from app.core.ids import new_id
from app.tenants import queries
from app.tenants.entries import check_view_name
from app.tenants.models import SavedView

MAX_VIEWS = 30
MAX_QUERY_CHARACTERS = 1_000


def save_view(staff_user_id: UUID, list_name: str, *, name: str, query: str, actor: Actor) -> UUID:
    """Keep a list's query under a name; return the view's id.

    Shape: `query` as TableState renders it, without place.
    Errors: InputError for a name that is empty, too long or taken, or for one view too many.
    """
    name = check_view_name(name)
    if len(query) > MAX_QUERY_CHARACTERS:
        raise InputError("This view is too long to be saved; shorten the search.", "name")
    view = SavedView(id=new_id(), staff_user_id=staff_user_id, list_name=list_name, name=name, query=query)
    with transaction():
        if len(queries.list_views(staff_user_id, list_name)) >= MAX_VIEWS:
            raise InputError(f"You have {MAX_VIEWS} views here; delete one first.", "name")
        _insert(view)
        record_event(AuditAction.VIEW_SAVED, target=_target(view), actor=actor, changes={"query": (None, query)})
    return view.id


def delete_view(staff_user_id: UUID, view_id: UUID, *, actor: Actor) -> SavedView:
    """Delete a view of a staff user's own and return what it was.

    Errors: NotFoundError for one that is not theirs.
    """
    with transaction():
        view = queries.get_view(staff_user_id, view_id)
        db.session.delete(view)
        record_event(AuditAction.VIEW_DELETED, target=_target(view), actor=actor, changes={"query": (view.query, None)})
    return view


def _insert(view: SavedView) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(view)
    except IntegrityError as error:
        raise InputError("You have a view of this name already.", "name") from error


def _target(view: SavedView) -> Target:
    return Target("view", view.id, view.name)
