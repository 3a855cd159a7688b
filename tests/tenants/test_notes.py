"""Notes about a tenant: written, removed, restored."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core.audit_actions import AuditAction
from app.core.errors import NotFoundError
from app.core.tenancy.scopes import platform_scope
from app.tenants import queries, services
from tests.factories import ADA, SETUP
from tests.tenants.registry import count_events, last_event, register


def notes_of(tenant_id):
    """Return the texts of a tenant's notes."""
    with platform_scope("test"):
        return [note.text for note in queries.list_notes(tenant_id)]


def test_a_note_is_kept_with_its_author(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#note-form", text="Prefers calls.\r\nNever on Mondays.")
    assert notes_of(tenant_id) == ["Prefers calls.\nNever on Mondays."]
    assert ADA in ada.page.texts(".note-meta")[0]
    assert last_event(AuditAction.TENANT_NOTED).changes == {"note": [None, "Prefers calls.\nNever on Mondays."]}


def test_markup_in_a_note_is_shown_as_it_was_written(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#note-form", text="<script>alert(1)</script>")
    assert ada.page.texts(".note-text") == ["<script>alert(1)</script>"]


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 4_001])
def test_a_note_that_says_nothing_or_too_much_comes_back(ada, text):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#note-form", text=text)
    assert ada.status == 422
    assert notes_of(tenant_id) == []


def test_a_removed_note_comes_back_by_undo(ada):
    tenant_id = register("acme")
    ada.get(f"/tenants/{tenant_id}/metadata")
    ada.submit("#note-form", text="Prefers calls.")
    ada.submit(ada.select(".note form")[0].get("action"))
    assert notes_of(tenant_id) == []
    ada.submit("Undo")
    assert notes_of(tenant_id) == ["Prefers calls."]
    assert count_events(AuditAction.TENANT_NOTE_REMOVED) == count_events(AuditAction.TENANT_NOTE_RESTORED) == 1


def test_removing_and_restoring_twice_is_one_event_each(app):
    tenant_id = register("acme")
    with platform_scope("test"):
        note_id = services.add_note(tenant_id, "Prefers calls.", actor=SETUP)
        for service in (services.remove_note, services.restore_note):
            service(tenant_id, note_id, actor=SETUP)
            service(tenant_id, note_id, actor=SETUP)
    assert count_events(AuditAction.TENANT_NOTE_REMOVED) == count_events(AuditAction.TENANT_NOTE_RESTORED) == 1


def test_a_note_is_reached_through_its_own_tenant_only(app):
    acme, globex = register("acme"), register("globex")
    with platform_scope("test"):
        note_id = services.add_note(acme, "Prefers calls.", actor=SETUP)
        for tenant_id, wanted in ((globex, note_id), (acme, uuid4())):
            with pytest.raises(NotFoundError):
                services.remove_note(tenant_id, wanted, actor=SETUP)
    assert notes_of(acme) == ["Prefers calls."]
