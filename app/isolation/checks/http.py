"""The portal: a signed-in member of canary A asks every page, also for what is canary B's."""

from __future__ import annotations

from uuid import UUID

from flask import current_app
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.core.database.session import db
from app.core.ids import new_id
from app.core.tenancy.scopes import tenant_scope
from app.isolation.canaries import Pair
from app.isolation.outcomes import Breach, Check, NotTried
from app.isolation.visiting import Visitor, signed_in
from app.members.models import Member, MemberSession, Role
from app.web.hosts import Surface

WALL = "all, through the portal"
OVERVIEW = "/"
MEMBERS = "/members"
GONE = 404


def read_pages(pair: Pair) -> str:
    """Open every page and export of A's portal and look for what is planted at B."""
    rules = [rule for rule in _list_rules() if not rule.arguments]
    with signed_in(pair.a) as visitor:
        own = visitor.get(pair.a, MEMBERS)
        if pair.a.planted not in own.text:
            raise NotTried(f"A’s own page {MEMBERS} does not show its own member ({own.status_code}).")
        for rule in rules:
            _look_for_foreign(visitor.get(pair.a, rule.rule), pair, rule.rule)
    return f"{len(rules)} pages and exports held nothing of the other canary."


def ask_for_foreign_ids(pair: Pair) -> str:
    """Ask for B's objects by their ids: each page answers as for an id that nobody has."""
    rules = [rule for rule in _list_rules() if len(rule.arguments) == 1 and "<uuid:" in rule.rule]
    with signed_in(pair.b), signed_in(pair.a) as visitor:
        ids = _read_ids(pair)
        for rule in rules:
            unknown = visitor.get(pair.a, _fill(rule, new_id())).status_code
            for id_ in ids:
                response = visitor.get(pair.a, _fill(rule, id_))
                _look_for_foreign(response, pair, rule.rule)
                if (response.status_code, unknown) != (GONE, GONE):
                    raise Breach(f"{rule.rule}: {response.status_code} for the other canary’s id, {unknown} for none.")
    return f"{len(rules)} pages were asked for {len(ids)} ids of the other canary and answered 404, as for none."


def carry_a_session_over(pair: Pair) -> str:
    """Show A's session to B's portal."""
    with signed_in(pair.a) as visitor:
        home = visitor.get(pair.a, OVERVIEW)
        if home.status_code != 200:
            raise NotTried(f"A’s session does not open its own portal ({home.status_code}).")
        for path in (OVERVIEW, MEMBERS):
            for who, response in (("A’s session", visitor), ("nobody’s", Visitor(None))):
                _expect_sign_in(response.get(pair.b, path), pair, f"{who} at {path}")
    return "A’s session opens nothing at the other canary’s portal."


CHECKS = (
    Check("http.pages", WALL, "No page shows what is another tenant’s", read_pages),
    Check("http.foreign_ids", WALL, "Another tenant’s object is a 404, as if it did not exist", ask_for_foreign_ids),
    Check("http.foreign_session", WALL, "A session opens its own portal alone", carry_a_session_over),
)


def _list_rules() -> list[Rule]:
    found = current_app.url_map.iter_rules()
    return [
        rule
        for rule in found
        if rule.subdomain == Surface.TENANT and "GET" in (rule.methods or ()) and rule.endpoint != "static"
    ]


def _fill(rule: Rule, id_: UUID) -> str:
    (name,) = rule.arguments
    return rule.rule.replace(f"<uuid:{name}>", str(id_))


def _read_ids(pair: Pair) -> list[UUID]:
    with tenant_scope(pair.b.route, reason="isolation probe"):
        return [id_ for model in (Member, MemberSession, Role) for id_ in db.session.scalars(select(model.id))]


def _look_for_foreign(response: TestResponse, pair: Pair, path: str) -> None:
    headers = " ".join(value for _name, value in response.headers)
    if pair.b.planted in response.text or pair.b.planted in headers:
        raise Breach(f"{path}: the answer holds a value that is planted at the other canary.")
    if response.status_code >= 500:
        raise NotTried(f"{path}: the portal answered {response.status_code}.")


def _expect_sign_in(response: TestResponse, pair: Pair, what: str) -> None:
    _look_for_foreign(response, pair, what)
    if response.status_code not in (302, 303) or "/sign-in" not in response.headers.get("Location", ""):
        raise Breach(f"{what}: answered {response.status_code} instead of leading to the sign-in.")
