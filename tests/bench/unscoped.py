"""The product with tenancy taken out of the members page: no scope, no criterion, no context, no row-level security.

Everything else is the product's own: routing, session cookie, permissions, navigation, template, headers, log line. The
database is read with the owner's login through SQLAlchemy's own driver, from copies of the tables that it owns.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, g, request
from flask.typing import ResponseReturnValue
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from app import create_app
from app.core import clock
from app.core.actors import ActorKind
from app.core.config import Settings
from app.core.database.engines import CONNECTION_AGE_SECONDS
from app.core.database.server_urls import CONNECT_ARGUMENTS, login_url
from app.core.permissions import Permission
from app.core.tenancy.scopes import Login
from app.members.models import MemberState
from app.members.queries import DEFAULT_SORT, SORTS
from app.web import identity, scoping
from app.web.decorators import require
from app.web.forms import choices_of
from app.web.hosts import Surface, current_place, current_route
from app.web.htmx import render
from app.web.identity import Viewer, register_session_loader
from app.web.moments import show_moments_in
from app.web.tables import TableState
from tests.bench import unscoped_queries as queries
from tests.bench.seeding import UNSCOPED_SCHEMA


def create_unscoped_app() -> Flask:
    """Compose the product and take out what tenancy does in a request for the members page."""
    app = create_app()
    app.extensions["bench_engine"] = unscoped_engine(app.extensions["tenantry_settings"])
    app.before_request_funcs[None].remove(scoping.enter_scope)
    app.teardown_request_funcs[None].remove(scoping._leave_scope)
    app.teardown_request_funcs[None].append(_close_session)
    processors = app.template_context_processors[None]
    (own,) = [processor for processor in processors if processor.__name__ == "add_tenant"]
    processors[processors.index(own)] = _add_tenant
    # Outside any scope the product knows no viewer; here there are no scopes to be outside of.
    identity.find_scope = lambda: app  # type: ignore[assignment,return-value]
    register_session_loader(app, Surface.TENANT, _load_viewer)
    app.view_functions["members_tenant.list_members"] = list_members
    return app


def unscoped_engine(settings: Settings) -> Engine:
    """Return the owner's engine as SQLAlchemy makes it, with the pool and the connections of the product's."""
    given = {**CONNECT_ARGUMENTS, "autocommit": False, "application_name": "tenantry-unscoped"}
    engine = create_engine(
        make_url(login_url(settings, Login.OWNER)).set(drivername="postgresql+psycopg"),
        pool_size=settings.database_pool_size,
        max_overflow=settings.database_pool_size,
        pool_recycle=CONNECTION_AGE_SECONDS,
        connect_args=given,
        hide_parameters=True,
    )
    schemas = {"tenant": UNSCOPED_SCHEMA, "control": UNSCOPED_SCHEMA}
    return engine.execution_options(schema_translate_map=schemas)


@require(Permission.WORKSPACE_MEMBER_READ)
def list_members() -> ResponseReturnValue:
    """Show the members, with the reads and the template of the product's view."""
    filters = {"state": list(MemberState), "role": None}
    state = TableState.from_args(request.args, sorts=SORTS, default_sort=DEFAULT_SORT, filters=filters)
    session, tenant_id = _session(), current_route().tenant_id
    counts = queries.count_members(session, tenant_id)
    roles = [(role.key, role.name) for role in queries.list_roles(session, tenant_id)]
    selects = [
        {"name": "state", "label": "State", "options": choices_of(MemberState)},
        {"name": "role", "label": "Role", "options": roles},
    ]
    page = queries.list_members(session, tenant_id)
    return render("members/tenant/list_members.html", page=page, state=state, counts=counts, selects=selects)


def _load_viewer(token: str) -> Viewer | None:
    found = queries.find_live_session(
        _session(), current_route().tenant_id, token, current_place().host, now := clock.now()
    )
    if found is None:
        return None
    session, member = found
    assert not session.is_seen_due(now)
    permissions = member.role.granted
    return Viewer(
        ActorKind.MEMBER, member.id, session.id, member.name, member.email, member.role.name, token, permissions
    )


def _add_tenant() -> dict[str, Any]:
    tenant = queries.get_tenant(_session(), current_route().tenant_id)
    show_moments_in(tenant.time_zone, tenant.locale)
    return {"tenant": tenant}


def _session() -> Session:
    if "bench_session" not in g:
        g.bench_session = Session(current_app.extensions["bench_engine"], expire_on_commit=False)
    found: Session = g.bench_session
    return found


def _close_session(_error: BaseException | None) -> None:
    session = g.pop("bench_session", None)
    if session is not None:
        session.close()
