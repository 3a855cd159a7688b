"""The first admin gets in by a link that stays the same until it was used or has expired, and is then never printed."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from app.audit.models import ControlAuditEvent
from app.core import clock
from app.staff.models import StaffUser
from app.web.hosts import Portal
from tests.factories import ADMIN_HOST, PASSWORD, actions_of, browser, make_staff_user, rows_of


def ensure(app: Portal, *options: str) -> str:
    answer = app.test_cli_runner().invoke(args=["staff", "ensure-first-admin", *options])
    assert answer.exit_code == 0, answer.output
    return answer.output


def enter(app: Portal, link: str) -> int:
    client = browser(app, ADMIN_HOST)
    client.get(urlsplit(link).path)
    return client.submit(urlsplit(link).path, password=PASSWORD, repeated=PASSWORD, follow=False).status


def test_it_prints_one_line_that_leads_in(app: Portal) -> None:
    [line] = ensure(app).splitlines()
    assert line.startswith("http://admin.localhost:8000/sign-in/")
    assert enter(app, line) == 303


def test_starting_again_prints_the_same_link(app: Portal) -> None:
    assert ensure(app) == ensure(app)
    assert len(rows_of(StaffUser)) == 1
    assert actions_of(rows_of(ControlAuditEvent)) == ["staff.created", "staff.sign_in_link_created"]


def test_once_an_admin_has_signed_in_it_prints_nothing(app: Portal) -> None:
    enter(app, ensure(app).strip())
    assert ensure(app) == ""


def test_a_support_user_who_signed_in_is_no_admin(app: Portal) -> None:
    make_staff_user("sue@platform.example", role="support")
    assert ensure(app) != ""


def test_an_expired_link_is_replaced(app: Portal) -> None:
    first = ensure(app)
    with clock.shifted(timedelta(days=4)):
        second = ensure(app)
        assert second not in ("", first)
        assert enter(app, second.strip()) == 303


def test_the_command_takes_an_address_and_a_name(app: Portal) -> None:
    ensure(app, "--email", "grace@platform.example", "--name", "Grace Hopper")
    [user] = rows_of(StaffUser)
    assert (user.email, user.name, user.role) == ("grace@platform.example", "Grace Hopper", "admin")


def test_an_admin_made_by_hand_who_never_got_in_gets_the_link(app: Portal) -> None:
    app.test_cli_runner().invoke(args=["staff", "create", "grace@platform.example", "--role", "admin"])
    assert ensure(app) != ""
    assert [user.email for user in rows_of(StaffUser)] == ["grace@platform.example"]
