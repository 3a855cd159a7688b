"""One act on many tenants: what is said before, what is said after, and each row on its own."""

from __future__ import annotations

import pytest

from app.core.audit_actions import AuditAction
from app.core.errors import InputError
from app.core.ids import new_id
from app.core.tenancy.scopes import platform_scope
from app.tenants import services
from app.tenants.services.metadata import MAX_TAGS
from app.tenants.views.admin.bulk import MOST_ROWS
from tests.factories import SETUP
from tests.page_rules import text_of
from tests.tenants.registry import count_events, last_event, register, status_of


def choose(client, button, *tenant_ids):
    """Tick rows of the list and press a button of the bulk bar."""
    client.get("/tenants")
    return client.submit("#bulk", ids=[str(tenant_id) for tenant_id in tenant_ids], button=button)


def rows_of_table(page):
    """Return what the cells of the page's table say, row by row."""
    return [[text_of(cell) for cell in row] for row in page.select("tbody tr")]


def results(page):
    """Return how it went for each tenant by name: done or not, what happened."""
    return {name: (outcome, message) for name, outcome, message, _status in rows_of_table(page)}


def test_the_confirmation_says_what_will_happen_to_each(ada):
    acme, globex = register("acme"), register("globex", status="archived")
    choose(ada, "Suspend", acme, globex)
    assert ada.page.title.startswith("Suspend 1 of 2 tenants")
    assert [row[-1] for row in rows_of_table(ada.page)] == ["Will be suspended", "Stays as it is: archived"]
    assert status_of(acme) == "active"


def test_an_admin_suspends_several_and_sees_how_it_went_for_each(ada):
    acme, globex = register("acme"), register("globex")
    choose(ada, "Suspend", acme, globex)
    ada.submit("/tenants/bulk-suspensions", ids=[str(acme), str(globex)], reason="Unpaid.")
    assert results(ada.page) == {"Acme": ("Done", "Suspended"), "Globex": ("Done", "Suspended")}
    assert {status_of(acme), status_of(globex)} == {"suspended"}
    assert count_events(AuditAction.TENANT_SUSPENDED) == 2


def test_a_row_that_went_stale_is_reported_and_stops_no_other(ada):
    acme, globex = register("acme"), register("globex")
    choose(ada, "Suspend", acme, globex)
    with platform_scope("test"):
        services.archive_tenant(acme, reason="gone", actor=SETUP)
    ada.submit("/tenants/bulk-suspensions", ids=[str(acme), str(globex)], reason="Unpaid.")
    found = results(ada.page)
    assert found["Acme"] == ("Not done", "Acme is archived; it cannot become suspended.")
    assert found["Globex"] == ("Done", "Suspended")
    assert (status_of(acme), status_of(globex)) == ("archived", "suspended")


def test_an_id_of_nobody_is_reported(ada):
    acme, nobody = register("acme"), new_id()
    choose(ada, "Suspend", acme)
    ada.submit("/tenants/bulk-suspensions", ids=[str(acme), str(nobody)], reason="Unpaid.")
    assert results(ada.page)[str(nobody)] == ("Not done", "There is no such tenant.")


def test_an_id_named_twice_is_one_row(ada):
    acme = register("acme")
    choose(ada, "Suspend", acme)
    ada.submit("/tenants/bulk-suspensions", ids=[str(acme), str(acme)], reason="Unpaid.")
    assert results(ada.page) == {"Acme": ("Done", "Suspended")}


def test_several_work_again(ada):
    acme, globex = register("acme", status="suspended"), register("globex", status="past_due")
    choose(ada, "Reactivate", acme, globex)
    ada.submit("/tenants/bulk-reactivations", ids=[str(acme), str(globex)])
    assert ada.page.title.startswith("2 of 2 done")
    assert {status_of(acme), status_of(globex)} == {"active"}


def test_several_get_a_tag_and_who_has_it_keeps_it(ada):
    acme, globex = register("acme"), register("globex", tags=["vip"])
    choose(ada, "Tag", acme, globex)
    ada.submit("/tenants/bulk-tags", ids=[str(acme), str(globex)], tag="VIP")
    assert results(ada.page) == {"Acme": ("Done", "Tagged"), "Globex": ("Done", "Had this tag already")}
    assert ada.get("/tenants?tag=vip&sort=slug").texts("td[data-label=Address]") == ["acme", "globex"]


def test_a_tenant_that_is_full_of_tags_is_reported(ada):
    acme, globex = register("acme", tags=[f"t{number}" for number in range(MAX_TAGS)]), register("globex")
    choose(ada, "Tag", acme, globex)
    ada.submit("/tenants/bulk-tags", ids=[str(acme), str(globex)], tag="vip")
    assert [outcome for outcome, _ in results(ada.page).values()] == ["Not done", "Done"]


@pytest.mark.parametrize(
    ("button", "noun", "field", "wrong"),
    [("Suspend", "suspensions", "reason", ""), ("Reactivate", "reactivations", "reason", "x" * 501),
     ("Tag", "tags", "tag", ""), ("Tag", "tags", "tag", "=1")],
)  # fmt: skip
def test_what_is_not_acceptable_comes_back_with_the_selection(ada, button, noun, field, wrong):
    acme = register("acme", status="past_due")
    choose(ada, button, acme)
    ada.submit(f"/tenants/bulk-{noun}", ids=[str(acme)], **{field: wrong})
    assert ada.status == 422
    assert ada.field_error(field)
    assert ada.select("input[name=ids]")[0].get("value") == str(acme)
    assert status_of(acme) == "past_due"


def test_when_nothing_can_be_done_nothing_is_asked(ada):
    acme = register("acme", status="archived")
    choose(ada, "Suspend", acme)
    assert "There is nothing to do" in ada.text
    assert not ada.select("[name=reason]")


@pytest.mark.parametrize("ids", [[], ["not-an-id"], [str(new_id()) for _ in range(MOST_ROWS + 1)]])
def test_a_selection_that_cannot_be_used_is_refused_with_a_sentence(ada, ids):
    register("acme")
    ada.get("/tenants")
    token = ada.select("#bulk input[name=csrf_token]")[0].get("value")
    data = {"csrf_token": token, "ids": ids}
    answer = ada.client.post("/tenants/bulk-suspensions/new", data=data, base_url="http://admin.localhost")
    assert answer.status_code == 422


def test_a_tenant_that_is_gone_by_then_is_counted_in_the_confirmation(ada):
    acme = register("acme")
    ada.get("/tenants")
    token = ada.select("#bulk input[name=csrf_token]")[0].get("value")
    data = {"csrf_token": token, "ids": [str(acme), str(new_id())]}
    answer = ada.client.post("/tenants/bulk-tags/new", data=data, base_url="http://admin.localhost")
    assert "1 of the selected tenants no longer exist." in answer.text


def test_a_reason_that_says_nothing_is_refused_before_the_first_row(app):
    acme = register("acme")
    with platform_scope("test"), pytest.raises(InputError, match="Say why"):
        services.suspend_tenants([acme], reason=" ", actor=SETUP)


def test_what_is_no_tag_is_refused_before_the_first_row(app):
    acme = register("acme")
    with platform_scope("test"), pytest.raises(InputError, match="Begin with a letter"):
        services.tag_tenants([acme], "=", actor=SETUP)


def test_the_results_can_be_opened_again_and_a_reload_repeats_nothing(ada):
    acme, globex = register("acme"), register("globex", status="archived")
    choose(ada, "Suspend", acme, globex)
    ada.submit("/tenants/bulk-suspensions", ids=[str(acme), str(globex)], reason="Unpaid.", follow=False)
    assert ada.status == 303
    address = ada.page.response.headers["Location"]
    for _ in range(2):
        ada.get(address)
        assert results(ada.page) == {
            "Acme": ("Done", "Suspended"),
            "Globex": ("Not done", "Globex is archived; it cannot become suspended."),
        }
    assert count_events(AuditAction.TENANT_SUSPENDED) == 1


def test_the_act_itself_is_an_event_with_its_reason(ada):
    acme = register("acme")
    choose(ada, "Suspend", acme)
    ada.submit("/tenants/bulk-suspensions", ids=[str(acme)], reason="Unpaid.")
    event = last_event(AuditAction.TENANTS_CHANGED_TOGETHER)
    assert (event.target_label, event.reason, event.tenant_id) == ("Suspend: 1 of 1 done", "Unpaid.", None)
    assert "Suspend: 1 of 1 done" in ada.get("/audit").text


def test_an_act_that_never_was_is_not_found(ada):
    assert ada.get(f"/tenants/bulk-results/{new_id()}").status == 404
