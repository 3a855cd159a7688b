"""Saved views: each staff user's own queries of the list, under names."""

from __future__ import annotations

import pytest

from app.core.audit_actions import AuditAction
from app.core.errors import InputError, NotFoundError
from app.core.ids import new_id
from app.core.tenancy.scopes import platform_scope
from app.tenants import services
from app.tenants.models import SavedView
from app.tenants.services.saved_views import MAX_VIEWS
from tests.factories import SETUP, make_staff_user, rows_of
from tests.tenants.registry import count_events, last_event, register

QUERY = "?q=ac&status=active&sort=name"


def save(client, name, query=QUERY):
    """Save the list's present query under a name."""
    client.get(f"/tenants{query}")
    return client.submit("/tenants/views", name=name)


def test_a_query_is_saved_under_a_name_and_opened_by_it(ada):
    register("acme")
    save(ada, "Active ones")
    assert "View “Active ones” was saved." in ada.text
    ada.get("/tenants")
    assert [link.get("href") for link in ada.select(".view a")] == [f"/tenants{QUERY}"]
    assert last_event(AuditAction.VIEW_SAVED).changes == {"query": [None, QUERY]}


def test_saving_leads_back_to_the_views_and_the_keyboard_with_it(ada):
    ada.get(f"/tenants{QUERY}")
    ada.submit("/tenants/views", name="Active ones", follow=False)
    assert ada.page.response.location == f"/tenants{QUERY}#views"
    assert ada.get(f"/tenants{QUERY}").select("#views")[0].get("tabindex") == "-1"


def test_the_view_that_is_open_is_marked_and_not_offered_for_saving(ada):
    register("acme")
    save(ada, "Active ones")
    assert ada.select(".view-current a[aria-current=page]")
    assert not ada.select("[name=query]")


def test_the_whole_list_needs_no_view(ada):
    register("acme")
    ada.get("/tenants?cursor=x")
    assert not ada.select("[name=query]")


def test_a_deleted_view_comes_back_by_undo(ada):
    register("acme")
    save(ada, "Active ones")
    ada.submit("Delete view Active ones")
    assert "View “Active ones” was deleted." in ada.text
    assert count_events(AuditAction.VIEW_DELETED) == 1
    ada.submit("Undo")
    assert [(view.name, view.query) for view in rows_of(SavedView)] == [("Active ones", QUERY)]


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_name_that_cannot_be_comes_back_with_the_list(ada, name):
    register("acme")
    save(ada, name)
    assert ada.status == 422
    assert ada.field_error("name")
    assert ada.page.texts("td[data-label=Address]") == ["acme"]


def test_a_name_is_taken_once(ada):
    register("acme")
    save(ada, "Mine")
    save(ada, "Mine", "?status=suspended")
    assert ada.field_error("name") == "You have a view of this name already."


def test_only_what_the_list_understands_is_kept(ada):
    register("acme")
    ada.get(f"/tenants{QUERY}")
    ada.submit("/tenants/views", name="Forged", query="https://evil.example/?q=x&evil=1&cursor=abc&status=happy")
    assert [view.query for view in rows_of(SavedView)] == ["?"]


def test_views_belong_to_the_staff_user_who_saved_them(ada, sam):
    register("acme")
    save(ada, "Active ones")
    sam.get("/tenants")
    assert not sam.select(".view")
    save(sam, "Active ones")
    assert len(rows_of(SavedView)) == 2


def test_somebody_elses_view_does_not_exist(app):
    ada_id, eve_id = make_staff_user("a@x.example"), make_staff_user("e@x.example")
    with platform_scope("test"):
        view_id = services.save_view(ada_id, "tenants", name="Mine", query=QUERY, actor=SETUP)
        with pytest.raises(NotFoundError):
            services.delete_view(eve_id, view_id, actor=SETUP)
    assert len(rows_of(SavedView)) == 1


def test_there_are_so_many_views_at_most(app):
    ada_id = make_staff_user()
    with platform_scope("test"):
        for number in range(MAX_VIEWS):
            services.save_view(ada_id, "tenants", name=f"View {number}", query=QUERY, actor=SETUP)
        with pytest.raises(InputError, match="30 views"):
            services.save_view(ada_id, "tenants", name="One more", query=QUERY, actor=SETUP)


def test_a_query_that_is_too_long_is_refused(app):
    with platform_scope("test"), pytest.raises(InputError, match="too long"):
        services.save_view(new_id(), "tenants", name="Long", query="?q=" + "x" * 1_000, actor=SETUP)
