"""The product with the members page of the peer: the same plain template, everything around it the product's."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask.typing import ResponseReturnValue
from jinja2 import ChoiceLoader, FileSystemLoader

from app import create_app
from app.core.permissions import Permission
from app.members import queries
from app.web.decorators import require
from app.web.htmx import render
from app.web.identity import current_viewer
from app.web.tables import TableState
from tests.bench.peers import PROJECT


def create_plain_app() -> Flask:
    """Compose the product and let its members page be the peer's."""
    app = create_app()
    app.jinja_loader = ChoiceLoader([app.jinja_loader, FileSystemLoader(PROJECT / "templates")])
    app.view_functions["members_tenant.list_members"] = list_members
    return app


@require(Permission.WORKSPACE_MEMBER_READ)
def list_members() -> ResponseReturnValue:
    """Show the members, with the reads of the product's view and the peer's template."""
    counts = [{"state": state, "count": count} for state, count in sorted(queries.count_members().items())]
    roles = sorted(queries.list_roles(), key=lambda role: role.key)
    page = queries.list_members(TableState(sort="name", default_sort="name"))
    given: dict[str, Any] = {"counts": counts, "roles": roles, "members": page.rows, "has_more": bool(page.next_cursor)}
    return render("plain_members.html", viewer=current_viewer(), **given)
