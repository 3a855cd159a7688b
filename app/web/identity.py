"""Who is looking: the viewer from the session cookie, their permissions, and the hook that denies by default."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode
from uuid import UUID

from flask import Flask, abort, current_app, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_principal import ActionNeed, AnonymousIdentity, Identity, Principal, identity_loaded
from flask_principal import Permission as PrincipalPermission
from werkzeug.wrappers import Response

from app.core.actors import Actor, ActorKind
from app.core.config import Settings, root_secret
from app.core.permissions import Permission
from app.core.secrets import derive_key
from app.core.tenancy.scopes import find_scope
from app.web.decorators import find_access
from app.web.hosts import Surface, current_place
from app.web.htmx import redirect_to


@dataclass(frozen=True, eq=False)
class Viewer(UserMixin):  # type: ignore[misc]  # Flask-Login ships no types.
    """Somebody signed in on one surface; `token` is what the cookie holds and the session's row hashes."""

    kind: ActorKind
    id: UUID
    session_id: UUID
    name: str
    email: str
    role_label: str
    token: str = field(repr=False)
    permissions: frozenset[Permission]

    def get_id(self) -> str:
        """Return what Flask-Login keeps in the cookie: the session's token, never the person's id."""
        return self.token

    def may(self, permission: str) -> bool:
        """Tell whether the viewer holds a permission."""
        return permission in self.permissions


SessionLoader = Callable[[str], Viewer | None]


def init_identity(app: Flask, settings: Settings) -> None:
    """Read the session cookie on each request, and deny every endpoint that does not allow this viewer."""
    _configure_cookies(app, settings)
    app.extensions["tenantry_session_loaders"] = {}
    manager = LoginManager(app)
    manager.session_protection = None  # Sessions are rows with rules of their own.
    manager.user_loader(_load_viewer)
    principal = Principal(app, use_sessions=False, skip_static=False)
    principal.identity_loader(_load_identity)
    identity_loaded.connect(_provide_permissions, app)
    app.before_request(enforce_access)


def register_session_loader(app: Flask, surface: Surface, loader: SessionLoader) -> None:
    """Give a surface the function that finds the viewer of a session token."""
    app.extensions["tenantry_session_loaders"][surface] = loader


def sign_in_viewer(viewer: Viewer) -> None:
    """Put a fresh session into the cookie; what an earlier visitor left there is gone."""
    session.clear()
    login_user(viewer)


def sign_out_viewer() -> None:
    """Empty the cookie."""
    logout_user()
    session.clear()


def find_viewer() -> Viewer | None:
    """Return who is signed in on this surface, or None."""
    return current_user if find_scope() is not None and current_user.is_authenticated else None


def current_viewer() -> Viewer:
    """Return who is signed in; views behind a declaration ask."""
    viewer = find_viewer()
    if viewer is None:
        abort(401)
    return viewer


def current_actor() -> Actor:
    """Return the actor that services record: the viewer, or a visitor, with the address asked from."""
    viewer = find_viewer()
    if viewer is None:
        return Actor.visitor(request.remote_addr)
    return Actor(viewer.kind, viewer.email, viewer.id, request.remote_addr)


def may(permission: str) -> bool:
    """Tell whether the viewer holds a permission; nobody holds none."""
    return bool(PrincipalPermission(ActionNeed(permission)).can())


def enforce_access() -> Response | None:
    """Let a request through only as its endpoint declares.

    Errors: 403 without the permission or without a declaration; signed out, the way leads to the sign-in page.
    """
    if request.endpoint is None or request.endpoint == "static":
        return None
    access = find_access(current_app.view_functions[request.endpoint])
    if access is None:
        abort(403)
    if access.anybody_because:
        return None
    if find_viewer() is None:
        return _ask_to_sign_in()
    if access.permission is not None and not may(access.permission):
        abort(403)
    return None


def _ask_to_sign_in() -> Response:
    if request.path.startswith("/api/") or current_place().surface is Surface.PUBLIC:
        abort(401)
    if request.method != "GET":
        return redirect_to("/sign-in")
    target = request.full_path.rstrip("?")
    return redirect_to("/sign-in" if target == "/" else f"/sign-in?{urlencode({'next': target})}")


def _load_viewer(token: str) -> Viewer | None:
    loader: SessionLoader | None = current_app.extensions["tenantry_session_loaders"].get(current_place().surface)
    return loader(token) if loader is not None and find_scope() is not None else None


def _load_identity() -> Identity:
    viewer = find_viewer()
    return AnonymousIdentity() if viewer is None else Identity(viewer.id)


def _provide_permissions(_app: Flask, identity: Identity) -> None:
    viewer = find_viewer()
    if viewer is not None:
        identity.provides.update(ActionNeed(permission) for permission in viewer.permissions)


def _configure_cookies(app: Flask, settings: Settings) -> None:
    app.secret_key = derive_key(root_secret(settings), "flask-session")
    # Safari and curl drop Secure cookies on http; the port keeps two instances on one machine apart.
    name = "__Host-tenantry" if settings.is_https else f"tenantry_{settings.port}"
    app.config.update(
        SESSION_COOKIE_NAME=name,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.is_https,
        SESSION_COOKIE_PATH="/",
        WTF_CSRF_TIME_LIMIT=None,  # A form lives as long as its session.
        MAX_CONTENT_LENGTH=1024 * 1024,
    )
