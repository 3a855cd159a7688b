"""Whole pages or fragments, redirects, toasts."""

from __future__ import annotations

import json

import pytest
from flask import Flask, Response, flash
from flask.testing import FlaskClient

from app.web import htmx
from tests.page import PageClient
from tests.web.conftest import PARTIAL


def test_a_browser_gets_the_whole_page(visitor: PageClient) -> None:
    page = visitor.get("/rows")
    assert page.title == "Tenants · Tenantry"
    assert len(page.select("#rows")) == 1


def test_htmx_gets_the_fragment_alone(visitor: PageClient) -> None:
    page = visitor.get("/rows", fragment=True)
    assert page.select("h1") == []
    assert page.root[0].get("id") == "rows"


@pytest.mark.parametrize("extra", [{"HX-Request-Type": "full"}, {"HX-History-Restore-Request": "true"}])
def test_a_swap_of_the_whole_body_gets_the_page(client: FlaskClient, extra: dict[str, str]) -> None:
    assert "<title>" in client.get("/rows", headers=PARTIAL | extra).text


def test_caches_keep_page_and_fragment_apart(client: FlaskClient) -> None:
    assert {"HX-Request", "HX-Request-Type"} <= set(client.get("/rows").vary)


def test_a_redirect_is_a_303_for_a_browser_and_a_header_for_htmx(gallery: Flask) -> None:
    with gallery.test_request_context("/"):
        plain = htmx.redirect_to("/next")
    with gallery.test_request_context("/", headers=PARTIAL):
        swapped = htmx.redirect_to("/next")
    assert (plain.status_code, plain.headers["Location"]) == (303, "/next")
    assert (swapped.status_code, swapped.headers["HX-Redirect"]) == (204, "/next")


def test_flashed_messages_travel_with_a_fragment_as_toasts(visitor: PageClient) -> None:
    visitor.get("/empty")
    page = visitor.submit("#polled", fragment=True)
    toast = json.loads(page.response.headers["HX-Trigger"])["toast"]
    assert toast["messages"] == [{"message": "The invitation was sent again.", "tone": "success"}]


def test_flashed_messages_stand_on_the_next_page_without_javascript(visitor: PageClient) -> None:
    visitor.get("/empty")
    page = visitor.submit("#polled")
    assert page.texts(".toast-text")[0] == "The invitation was sent again."


def test_events_and_toasts_of_one_answer_add_up() -> None:
    response = htmx.trigger(Response(), "refresh-jobs", {"id": 7})
    htmx.toast(htmx.toast(response, "One."), "Zwei – ü", "danger")
    events = json.loads(response.headers["HX-Trigger"])
    assert events["refresh-jobs"] == {"id": 7, "target": "body"}
    assert [message["message"] for message in events["toast"]["messages"]] == ["One.", "Zwei – ü"]
    assert response.headers["HX-Trigger"].isascii()


def test_a_message_with_markup_is_shown_as_text(gallery: Flask) -> None:
    with gallery.test_request_context("/"):
        flash("<b>bold</b>", "error")
        text = htmx.render("gallery/empty.html").get_data(as_text=True)
    assert "&lt;b&gt;bold" in text
    assert 'data-tone="danger"' in text


def test_an_address_can_be_put_into_the_history() -> None:
    assert htmx.push_url(Response(), "/rows?q=a").headers["HX-Push-Url"] == "/rows?q=a"
