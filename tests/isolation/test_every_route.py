"""Every route against everybody: signed out, without permission, of another tenant, with another tenant's ids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app import create_app
from app.core.database.session import db
from app.core.ids import new_id
from app.core.tenancy.scopes import platform_scope, tenant_scope
from app.members import queries as members_queries
from app.web.decorators import find_access
from app.web.hosts import Surface
from tests.factories import (
    ADMIN_HOST,
    BOB,
    CAROL,
    host_of,
    make_bob,
    make_carol,
    make_member,
    make_staff_user,
    make_tenant,
    rows_of,
    sign_in,
    use_cheap_passwords,
)

TABLE = Path(__file__).with_name("routes.txt")
HOSTS = {Surface.ADMIN: ADMIN_HOST, Surface.TENANT: "acme.localhost", Surface.PUBLIC: "localhost"}
SIGNED_OUT = {303, 401}


def rules(app: Flask, *surfaces: Surface) -> Iterator[tuple[str, Rule]]:
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static" and (not surfaces or rule.subdomain in surfaces):
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, rule


def guarded(app: Flask, *surfaces: Surface) -> Iterator[tuple[str, Rule]]:
    for method, rule in rules(app, *surfaces):
        if not find_access(app.view_functions[rule.endpoint]).anybody_because:
            yield method, rule


def describe(app: Flask, method: str, rule: Rule) -> str:
    access = find_access(app.view_functions[rule.endpoint])
    who = (
        f"anybody: {access.anybody_because}" if access.anybody_because else access.permission or "whoever is signed in"
    )
    return f"{rule.subdomain} {method} {rule.rule} {rule.endpoint} [{who}]"


def ask(app: Flask, method: str, rule: Rule, ids: dict[str, Any], *, client: Any = None) -> int:
    adapter = app.url_map.bind(HOSTS[rule.subdomain], subdomain=rule.subdomain)
    values = {name: ids.get(name, new_id()) for name in rule.arguments}
    path = adapter.build(rule.endpoint, values, method=method)
    with app.app_context():
        client = client or app.test_client()
        return client.open(path, method=method, base_url=f"http://{HOSTS[rule.subdomain]}").status_code


@pytest.fixture
def portals(app, monkeypatch):
    """Acme with Bob, Globex with Carol, and forms that need no token: here it is the access that refuses."""
    use_cheap_passwords(monkeypatch)
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    acme, globex = make_tenant("acme"), make_tenant("globex")
    make_bob(acme)
    make_carol(globex)
    return acme, globex


def test_the_table_of_routes_is_the_url_map(app):
    assert sorted(describe(app, *found) for found in rules(app)) == TABLE.read_text().splitlines()


def test_nothing_behind_a_permission_answers_somebody_signed_out(app, portals):
    answers = {describe(app, *found): ask(app, *found, {}) for found in guarded(app)}
    assert {route: status for route, status in answers.items() if status not in SIGNED_OUT} == {}


def test_nothing_behind_a_permission_answers_a_member_without_it(app, portals):
    make_member(portals[0], "dora@acme.example")
    with tenant_scope(portals[0], reason="test"):
        held = set(members_queries.find_member_by_email("dora@acme.example").role.permissions)
    client = sign_in_bare(app, host_of(portals[0]), "dora@acme.example")
    for method, rule in guarded(app, Surface.TENANT):
        permission = find_access(app.view_functions[rule.endpoint]).permission
        if permission is not None and permission not in held:
            assert ask(app, method, rule, {}, client=client) == 403, describe(app, method, rule)


def test_nothing_behind_a_permission_answers_support_staff_without_it(app, portals):
    from app.staff.roles import StaffRole

    make_staff_user("sam@platform.example", role="support", name="Sam")
    client = sign_in_bare(app, ADMIN_HOST, "sam@platform.example")
    for method, rule in guarded(app, Surface.ADMIN):
        permission = find_access(app.view_functions[rule.endpoint]).permission
        if permission is not None and permission not in StaffRole.SUPPORT.permissions:
            assert ask(app, method, rule, {}, client=client) == 403, describe(app, method, rule)


def test_a_session_of_another_tenant_opens_nothing(app, portals):
    carol = sign_in(app, host_of(portals[1]), CAROL)
    name = app.config["SESSION_COOKIE_NAME"]
    stolen = carol.client.get_cookie(name, domain="globex.localhost").value
    for surface in (Surface.TENANT, Surface.ADMIN):
        client = app.test_client()
        client.set_cookie(name, stolen, domain=HOSTS[surface])
        for method, rule in guarded(app, surface):
            assert ask(app, method, rule, {}, client=client) in SIGNED_OUT, describe(app, method, rule)


def test_another_tenants_objects_do_not_exist(app, portals):
    from app.audit.models import HomeAuditEvent
    from app.members.models import Member, MemberSession

    globex = portals[1]
    sign_in(app, host_of(globex), CAROL)
    foreign = {
        "member_id": rows_of(Member, globex)[0].id,
        "session_id": rows_of(MemberSession, globex)[0].id,
        "event_id": rows_of(HomeAuditEvent, globex)[0].id,
        "report_id": add_report_of_another_server(),
    }
    client = sign_in_bare(app, host_of(portals[0]), BOB)
    for method, rule in guarded(app, Surface.TENANT):
        if rule.arguments:
            assert set(rule.arguments) <= set(foreign), f"no foreign object is known for {rule.rule}"
            assert ask(app, method, rule, foreign, client=client) == 404, describe(app, method, rule)


def test_the_platforms_unknown_objects_do_not_exist(app, portals):
    make_staff_user()
    client = sign_in_bare(app, ADMIN_HOST, "ada@platform.example")
    for method, rule in guarded(app, Surface.ADMIN):
        if rule.arguments:
            assert ask(app, method, rule, {}, client=client) == 404, describe(app, method, rule)


def add_report_of_another_server() -> Any:
    """Keep a report of a server on which neither tenant's home lies."""
    from app.isolation.models import Probe

    with platform_scope("test"):
        signed = {"document": b"{}", "signature": b"s", "key_id": "k"}
        report = Probe(server="elsewhere", state="passed", actor_label="test", **signed)
        db.session.add(report)
        db.session.commit()
        return report.id


def sign_in_bare(app: Flask, host: str, email: str) -> Any:
    """Return the bare client of somebody who has signed in."""
    return sign_in(app, host, email).client


if __name__ == "__main__":
    # Writes the table anew, for the reviewer to read the difference.
    portal = create_app(polls=False)
    TABLE.write_text("\n".join(sorted(describe(portal, *found) for found in rules(portal))) + "\n")
