"""A tiny real app that shows every component, layout and error page; the tests of app.web run on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from flask import Flask, Response, flash, request, url_for
from flask_wtf import CSRFProtect
from jinja2 import ChoiceLoader, FileSystemLoader

from app.core.errors import ConflictError, InputError, NotFoundError, ThrottledError, UnavailableError
from app.web import forms, htmx, navigation, tables
from app.web.error_pages import init_error_pages, show_suspended
from app.web.moments import init_moments
from app.web.security_headers import init_security_headers

ROOT = Path(__file__).parents[2]
AT = datetime(2026, 5, 14, 9, 30, tzinfo=UTC)
NAV = [
    ("Dashboard", "show_gallery", "layout-dashboard", ""),
    ("Tenants", "list_rows", "building", ""),
    ("Operations", "show_dialogs", "activity", ""),
    ("Forms", "new_thing", "checklist", "Build"),
    ("Sign-in", "show_public", "login", "Build"),
]


@dataclass(frozen=True)
class Viewer:
    """Who looks, as the layouts want it."""

    name: str = "Ada Lovelace"
    role_label: str = "Platform admin"


@dataclass(frozen=True)
class Row:
    """One line of the gallery's table."""

    name: str
    slug: str
    status: str
    plan: str
    member_count: int
    created_at: datetime = AT


ROWS = [
    Row("Acme", "acme", "active", "Scale", 42),
    Row("Globex", "globex", "past_due", "Starter", 7),
    Row("Initech with a rather long legal name GmbH & Co. KG", "initech", "provisioning", "Scale", 0),
    Row("Umbrella", "umbrella", "suspended", "Starter", 118),
    Row("Hooli", "hooli", "archived", "Trial", 3),
]


class ThingForm(forms.Form):
    """One of each field."""

    name = forms.text_field("Name", max_length=40, autocomplete="organization")
    slug = forms.text_field("Slug", max_length=30, hint="Letters, digits and dashes; part of the address.")
    email = forms.email_field("Owner's e-mail")
    password = forms.password_field(autocomplete="new-password", min_length=12, hint="At least 12 characters.")
    plan = forms.choice_field("Plan", [("starter", "Starter"), ("scale", "Scale")], blank="Choose a plan")
    region = forms.radio_field("Region", [("eu", "European Union"), ("us", "United States")])
    tags = forms.checkboxes_field("Tags", [("beta", "Beta"), ("vip", "Key account")], hint="Only staff see these.")
    seats = forms.whole_number_field("Seats", minimum=1, maximum=500, required=False)
    notes = forms.long_text_field("Notes", max_length=500, required=False)
    terms = forms.checkbox_field("The owner accepted the terms", must_accept="The owner has to accept the terms.")


def make_app(*, is_https: bool = False) -> Flask:
    """Build the gallery with the rooms of app.web as create_app would."""
    app = Flask("gallery", static_folder=str(ROOT / "static"), static_url_path="/static")
    app.config.update(SECRET_KEY="gallery " * 5, TESTING=True, PROPAGATE_EXCEPTIONS=False)
    folders = (ROOT / "templates", ROOT / "tests/web/templates")
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
    CSRFProtect(app)
    init_security_headers(app, is_https=is_https)
    init_moments(app)
    init_error_pages(app)
    items = [
        navigation.NavItem("gallery", label, endpoint, icon, None, order, section)
        for order, (label, endpoint, icon, section) in enumerate(NAV)
    ]
    app.jinja_env.globals.update(
        navigation=lambda: items,
        static_url=lambda path: url_for("static", filename=path),
    )
    app.context_processor(lambda: {"viewer": Viewer(), "tenant": None, "at": AT, "rows": ROWS})
    _add_pages(app)
    _add_errors(app)
    return app


def _add_pages(app: Flask) -> None:
    @app.get("/")
    def show_gallery() -> Response:
        return htmx.render("gallery/components.html")

    @app.get("/empty")
    def show_empty() -> Response:
        return htmx.render("gallery/empty.html")

    @app.get("/dialogs")
    def show_dialogs() -> Response:
        return htmx.render("gallery/dialogs.html", form=forms.ConfirmForm(expected="acme"))

    @app.get("/sign-in")
    def show_public() -> Response:
        return htmx.render("gallery/public.html", form=ThingForm())

    @app.get("/rows")
    def list_rows() -> Response:
        return _list_rows()

    @app.get("/things/new")
    def new_thing() -> Response:
        return htmx.render("gallery/form.html", form=ThingForm())

    @app.post("/things")
    def create_thing() -> Response:
        return _create_thing()

    @app.post("/toasts")
    def create_toast() -> Response:
        flash("The invitation was sent again.", "success")
        if htmx.is_fragment_request():
            return htmx.render("gallery/empty.html", fragment="gallery/_polled.html")
        return htmx.redirect_to(url_for("show_gallery"))


def _list_rows() -> Response:
    state = tables.TableState.from_args(
        request.args, sorts=["name", "members"], default_sort="name", filters={"status": {"active", "suspended"}}
    )
    key = "member_count" if state.sort == "members" else "name"
    found = [row for row in ROWS if state.search.lower() in row.name.lower()]
    found = [row for row in found if row.status == state.filters.get("status", row.status)]
    found.sort(key=lambda row: (getattr(row, key), row.slug), reverse=state.descending)
    place = tables.decode_cursor(state.cursor, state.sort, (int,))
    start = place.values[0] if place and isinstance(place.values[0], int) else 0
    page = tables.Page(
        found[start : start + 3],
        next_cursor=tables.encode_cursor(tables.Cursor((start + 3,)), state.sort) if len(found) > start + 3 else None,
        previous_cursor=tables.encode_cursor(tables.Cursor((start - 3,)), state.sort) if start else None,
        total=len(found),
    )
    return htmx.render("gallery/list_rows.html", fragment="gallery/_rows.html", page=page, state=state)


def _create_thing() -> Response:
    form = ThingForm()
    if form.validate_on_submit() and form.slug.data != "acme":
        flash(f"{form.name.data} was created.", "success")
        return htmx.redirect_to(url_for("show_gallery"))
    if not form.errors:
        forms.add_errors(form, InputError("That slug is taken.", "slug"))
    return htmx.render("gallery/form.html", 422, form=form)


def _add_errors(app: Flask) -> None:
    raised: dict[str, Exception] = {
        "missing": NotFoundError(""),
        "conflict": ConflictError("Somebody else saved this first."),
        "input": InputError("Too short.", "name"),
        "throttled": ThrottledError("Too many tries. Wait a minute.", 60),
        "away": UnavailableError("The database restarts."),
        "bug": RuntimeError("a secret in a message"),
    }

    @app.get("/suspended")
    @app.get("/api/suspended", endpoint="api_suspended")
    def show_suspended_page() -> Response:
        return show_suspended("Acme", "Two invoices are unpaid.", "help@example.com")

    @app.get("/raise/<kind>")
    @app.get("/api/raise/<kind>", endpoint="api_raise")
    def raise_error(kind: str) -> Response:
        raise raised[kind]
