"""An account's audit events read as its story."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.audit.models import HomeAuditEvent
from app.core.audit_actions import AuditAction
from app.credentials.history import StoryItem, tell_story

AT = datetime(2026, 5, 14, 9, 30, tzinfo=UTC)


def tell(action: str = AuditAction.MEMBER_ROLE_CHANGED, **more: Any) -> StoryItem:
    given = {"actor_label": "bob@acme.example", "target_label": "dora@acme.example", "changes": {}, **more}
    [item] = tell_story([HomeAuditEvent(action=action, at=AT, **given)])
    return item


def test_a_change_is_told_with_both_values_and_who_made_it() -> None:
    item = tell(changes={"role": ["member", "admin"]}, address="192.0.2.1")
    assert (item.title, item.text) == ("Role changed", "Role: member → admin")
    assert (item.actor, item.at) == ("bob@acme.example, 192.0.2.1", AT)


def test_a_beginning_is_told_without_an_old_value() -> None:
    item = tell(AuditAction.MEMBER_INVITED, changes={"email": [None, "dora@acme.example"], "role": [None, "member"]})
    assert item.text == "E-mail: dora@acme.example; Role: member"


def test_a_reason_is_a_sentence_of_its_own() -> None:
    item = tell(AuditAction.MEMBER_DEACTIVATED, changes={"state": ["active", "deactivated"]}, reason="left in May")
    assert item.text == "State: active → deactivated. Left in May"


def test_who_acts_on_their_own_account_is_not_named() -> None:
    assert tell(actor_label="dora@acme.example", address="192.0.2.1").actor == "192.0.2.1"
    assert tell(actor_label="dora@acme.example").actor == ""


def test_an_action_of_another_release_is_told_too() -> None:
    assert (tell("member.knighted").title, tell("member.knighted").tone) == ("Knighted", "neutral")


@pytest.mark.parametrize("action", [item for item in AuditAction if item.startswith(("member.", "staff."))])
def test_every_action_on_an_account_has_a_look_of_its_own(action: str) -> None:
    assert tell(action).icon != "circle"
    assert "sign in " not in tell(action).title.lower()
