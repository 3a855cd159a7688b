"""Visits to canaries' portals, through the whole application and over no network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import copy_context

from flask import Flask, current_app
from sqlalchemy import delete, select
from werkzeug.test import Client, TestResponse

from app.core import clock
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import tenant_scope
from app.credentials.rules import MEMBER_SESSION
from app.credentials.sessions import Visit, make_session_token, session_values
from app.isolation.canaries import Canary
from app.isolation.outcomes import NotTried
from app.members.models import Member, MemberSession
from app.web.hosts import parse_host
from app.web.links import tenant_url

ADDRESS = "127.0.0.1"
AGENT = "isolation probe"


class Visitor:
    """Somebody with a session's cookie, or with none."""

    def __init__(self, token: str | None) -> None:
        self.app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # A copy of it is pushed.
        self._headers = {"User-Agent": AGENT}
        if token is not None:
            self._headers["Cookie"] = f"{self.app.config['SESSION_COOKIE_NAME']}={_seal(self.app, token)}"

    def get(self, canary: Canary, path: str) -> TestResponse:
        """Ask a canary's portal for a page, in a context of its own as every request has."""
        return copy_context().run(self._get, tenant_url(canary.route.slug, ""), path)

    def _get(self, base_url: str, path: str) -> TestResponse:
        with self.app.app_context():
            client = Client(self.app, use_cookies=False)
            return client.get(path, base_url=base_url, headers=self._headers, environ_base={"REMOTE_ADDR": ADDRESS})


@contextmanager
def signed_in(canary: Canary) -> Iterator[Visitor]:
    """Open a session for a canary's member under the rules of every session, and delete it at the end.

    Errors: NotTried when it has no member.
    """
    token = make_session_token()
    with tenant_scope(canary.route, reason="isolation probe signs in"), transaction():
        _open_session(canary, token)
    try:
        yield Visitor(token)
    finally:
        with tenant_scope(canary.route, reason="isolation probe signs out"), transaction():
            _end_sessions()


def _open_session(canary: Canary, token: str) -> None:
    _end_sessions()  # A probe that was killed has left one.
    member = db.session.scalars(select(Member).limit(1)).first()
    if member is None:
        raise NotTried("The canary has no member.")
    visit = Visit(parse_host(tenant_url(canary.route.slug, "").partition("://")[2]), ADDRESS, AGENT)
    db.session.add(MemberSession(member_id=member.id, **session_values(token, visit, MEMBER_SESSION, clock.now())))


def _end_sessions() -> None:
    db.session.execute(delete(MemberSession), execution_options={"synchronize_session": False})


def _seal(app: Flask, token: str) -> str:
    interface: object = app.session_interface
    serializer = interface.get_signing_serializer(app)  # type: ignore[attr-defined]  # Flask's own, in every app.
    return str(serializer.dumps({"_user_id": token, "_fresh": True}))
