"""The commands answer in text or JSON; bad input is one clear sentence and exit code 1."""

from __future__ import annotations

import json

import pytest

from app.audit.models import ControlAuditEvent
from app.core.actors import ActorKind
from app.core.tenancy.scopes import platform_scope
from app.staff import services
from app.staff.models import StaffUser
from app.web.hosts import Portal
from tests.factories import ADA, SETUP, actions_of, make_staff_user, rows_of


def run(app: Portal, *args: str) -> tuple[int, str, str]:
    answer = app.test_cli_runner().invoke(args=["staff", *args])
    return answer.exit_code, answer.stdout, answer.stderr


def test_create_prints_the_link_alone(app: Portal) -> None:
    code, out, _ = run(app, "create", ADA, "--role", "admin")
    assert (code, out.count("\n")) == (0, 1)
    assert out.startswith("http://admin.localhost:8000/sign-in/")


def test_create_in_json_tells_id_state_and_link(app: Portal) -> None:
    _, out, _ = run(app, "create", ADA, "--role", "support", "--name", "Ada L", "--json")
    facts = json.loads(out)
    assert (facts["email"], facts["name"], facts["role"], facts["state"]) == (ADA, "Ada L", "support", "active")
    assert {"id", "link"} <= facts.keys()
    assert facts["created_at"] == rows_of(StaffUser)[0].created_at.isoformat()
    assert facts["last_signed_in_at"] is None


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (("create", "ada", "--role", "admin"), "Write an e-mail address"),
        (("create", ADA, "--role", "boss"), "There is no role “boss”; choose one of admin, support."),
        (("create", ADA, "--role", "admin", "--name", ""), "Write a name"),
        (("sign-in-link", "nobody@platform.example"), "There is no staff user “nobody@platform.example”."),
        (("ensure-first-admin", "--email", "x"), "Write an e-mail address"),
    ],
)
def test_bad_input_is_one_sentence(app: Portal, args: tuple[str, ...], sentence: str) -> None:
    code, out, err = run(app, *args)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert sentence in err


def test_a_new_link_voids_the_old_one(app: Portal) -> None:
    _, first, _ = run(app, "create", ADA, "--role", "admin")
    _, second, _ = run(app, "sign-in-link", ADA)
    assert first != second
    assert app.test_client().get(first.strip()).status_code == 410
    assert app.test_client().get(second.strip()).status_code == 200


def test_who_is_deactivated_gets_no_link(app: Portal) -> None:
    make_staff_user()
    other = make_staff_user("grace@platform.example")
    with platform_scope("test"):
        services.deactivate_staff_user(other, actor=SETUP)
    code, _, err = run(app, "sign-in-link", "grace@platform.example")
    assert (code, "deactivated" in err) == (1, True)


def test_commands_are_audited_as_system(app: Portal) -> None:
    run(app, "create", ADA, "--role", "admin")
    run(app, "sign-in-link", ADA, "--json")
    events = rows_of(ControlAuditEvent)
    assert actions_of(events) == ["staff.created", "staff.sign_in_link_created"]
    assert {event.actor_kind for event in events} == {ActorKind.SYSTEM}


def test_list_tells_everybody_and_no_secret(app: Portal) -> None:
    make_staff_user()
    _, out, _ = run(app, "list", "--json")
    [facts] = json.loads(out)
    assert facts["email"] == ADA
    assert facts["last_signed_in_at"] == rows_of(StaffUser)[0].last_signed_in_at.isoformat()
    assert not any("hash" in key or "link" in key for key in facts)
    assert ADA in run(app, "list")[1]


def test_an_empty_list_says_so(app: Portal) -> None:
    assert "no staff user" in run(app, "list")[1]
