"""A staff user is made by a command or an admin, gets a mail with a one-time link, and has one account an address."""

from __future__ import annotations

import json

import pytest

from app.audit.models import ControlAuditEvent
from app.core.errors import InputError
from app.core.jobs import PlatformJob
from app.core.tenancy.scopes import platform_scope
from app.credentials.link_rows import derive_link_token
from app.staff import services
from app.staff.models import StaffUser
from app.web.hosts import Portal
from tests.factories import ADA, SETUP, actions_of, deliver_mails, link_in, rows_of


def create(email: str = ADA, name: str = "Ada Lovelace", role: str = "admin") -> None:
    with platform_scope("test"):
        services.create_staff_user(email=email, name=name, role=role, actor=SETUP)


def test_the_account_is_active_and_has_no_password_yet(app: Portal) -> None:
    create(email="Ada@Platform.example")
    [user] = rows_of(StaffUser)
    assert (user.email, user.role, user.state, user.password_hash) == (ADA, "admin", "active", None)


def test_it_is_audited(app: Portal) -> None:
    create()
    [event] = rows_of(ControlAuditEvent)
    assert (event.action, event.target_label, event.actor_label) == ("staff.created", ADA, SETUP.label)
    assert event.changes["role"] == [None, "admin"]


def test_the_mail_carries_the_link_that_the_command_prints(app: Portal) -> None:
    answer = app.test_cli_runner().invoke(args=["staff", "create", ADA, "--role", "support", "--json"])
    [mail] = deliver_mails()
    assert mail["To"] == ADA
    assert link_in(mail) == json.loads(answer.output)["link"]
    assert "as Support" in mail.get_body(("plain",)).get_content()


def test_the_job_holds_no_link(app: Portal) -> None:
    create()
    [user], [job] = rows_of(StaffUser), rows_of(PlatformJob)
    assert set(job.payload) == {"staff_user_id", "serial", "mail", "key"}
    with platform_scope("test"):
        assert derive_link_token(user) not in str(job.payload)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "ada"}, "email"),
        ({"email": ""}, "email"),
        ({"role": "owner"}, "role"),
        ({"role": ""}, "role"),
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
    ],
)
def test_bad_input_is_refused_beside_its_field(app: Portal, values: dict[str, str], field: str) -> None:
    with pytest.raises(InputError) as caught:
        create(**values)
    assert caught.value.field == field
    assert rows_of(StaffUser) == []


def test_an_address_has_one_account(app: Portal) -> None:
    create()
    with pytest.raises(InputError, match="already"):
        create(email="ADA@platform.EXAMPLE")
    assert actions_of(rows_of(ControlAuditEvent)) == ["staff.created"]


def test_no_mail_goes_out_for_a_link_that_was_replaced(app: Portal) -> None:
    create()
    with platform_scope("test"):
        services.create_sign_in_link(email=ADA, actor=SETUP)
    assert deliver_mails() == []
