"""Errors as pages, as alerts for htmx and as problem+json."""

from __future__ import annotations

import pytest
from flask import Flask, Response, abort
from flask.testing import FlaskClient
from werkzeug.exceptions import Conflict

from tests.page import PageClient
from tests.web.conftest import PARTIAL
from tests.web.gallery import make_app


@pytest.mark.parametrize(
    ("kind", "status"),
    [("missing", 404), ("conflict", 409), ("input", 422), ("throttled", 429), ("away", 503), ("bug", 500)],
)
def test_each_kind_of_error_has_its_status_and_a_valid_page(visitor: PageClient, kind: str, status: int) -> None:
    page = visitor.get(f"/raise/{kind}")
    assert page.status == status
    assert str(status) in page.texts("h1")[0]


def test_the_message_of_a_domain_error_is_what_the_reader_gets(visitor: PageClient) -> None:
    assert "Somebody else saved this first." in visitor.get("/raise/conflict").text


def test_an_error_without_a_message_still_says_what_to_do(visitor: PageClient) -> None:
    assert "nothing at this address" in visitor.get("/raise/missing").text


def test_an_unhandled_error_tells_nothing_of_its_cause(visitor: PageClient) -> None:
    page = visitor.get("/raise/bug")
    assert "secret" not in page.response.text
    assert "Something broke" in page.text


def test_an_unhandled_error_shows_the_request_id(client: FlaskClient) -> None:
    app = make_app()
    app.before_request(_name_the_request)
    page = PageClient(app.test_client()).get("/raise/bug")
    assert "Request id req-17" in page.text


@pytest.mark.parametrize(("kind", "seconds"), [("throttled", "60"), ("away", "5")])
def test_what_may_pass_says_when_to_come_back(client: FlaskClient, kind: str, seconds: str) -> None:
    response = client.get(f"/raise/{kind}")
    assert response.headers["Retry-After"] == seconds
    assert "Try again" in response.text


def test_htmx_gets_an_alert_that_leaves_the_rest_of_the_page_alone(visitor: PageClient) -> None:
    page = visitor.get("/raise/conflict", fragment=True)
    assert page.response.headers["HX-Retarget"] == "#alerts"
    assert page.texts(".notice-title") == ["Not possible now"]
    assert page.select("html") == []


def test_the_api_gets_a_problem_document(client: FlaskClient) -> None:
    response = client.get("/api/raise/input", headers=PARTIAL)
    assert response.mimetype == "application/problem+json"
    assert response.json == {
        "type": "about:blank",
        "title": "Check what you entered",
        "status": 422,
        "detail": "Too short.",
        "instance": "/api/raise/input",
        "errors": [{"field": "name", "message": "Too short."}],
    }


def test_an_unknown_address_under_the_api_is_a_problem_document_too(client: FlaskClient) -> None:
    response = client.get("/api/nothing")
    assert (response.status_code, response.mimetype) == (404, "application/problem+json")


def test_a_form_without_its_token_says_that_it_expired(client: FlaskClient) -> None:
    response = client.post("/things", data={"name": "Acme"})
    assert response.status_code == 400
    assert "This form has expired" in response.text


def test_a_wrong_method_names_the_right_ones(visitor: PageClient) -> None:
    page = visitor.get("/things")
    assert page.status == 405
    assert "POST" in page.response.headers["Allow"]


def test_a_sentence_given_to_abort_reaches_the_reader() -> None:
    app = make_app()
    app.add_url_rule("/gone", view_func=lambda: abort(410, "The link was used already."))
    page = PageClient(app.test_client()).get("/gone")
    assert (page.status, "The link was used already." in page.text) == (410, True)


def test_an_answer_that_somebody_made_already_passes_unchanged() -> None:
    app = make_app()
    app.add_url_rule("/own", view_func=_abort_with_own_answer)
    assert app.test_client().get("/own").text == "mine"


def test_an_error_page_renders_while_context_processors_fail() -> None:
    app = make_app()
    app.context_processor(_ask_a_dead_database)
    assert PageClient(app.test_client()).get("/raise/away").status == 503


@pytest.mark.parametrize("path", ["/suspended", "/api/suspended"])
def test_a_suspended_tenant_says_why(client: FlaskClient, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 403
    assert "Two invoices are unpaid." in response.text


def test_a_suspended_tenant_tells_htmx_in_an_alert(visitor: PageClient) -> None:
    page = visitor.get("/suspended", fragment=True)
    assert page.texts(".notice-title") == ["Acme is suspended"]


def test_a_suspended_tenants_page_names_who_can_help(visitor: PageClient) -> None:
    page = visitor.get("/suspended")
    assert page.title == "Suspended · Acme"
    assert "help@example.com" in page.text


def _name_the_request() -> None:
    from flask import g

    g.request_id = "req-17"


def _abort_with_own_answer() -> Response:
    raise Conflict(response=Response("mine"))


def _ask_a_dead_database() -> dict[str, object]:
    raise RuntimeError("no database")


def test_a_redirect_of_the_router_stays_a_redirect(gallery: Flask) -> None:
    app = make_app()
    app.add_url_rule("/folder/", endpoint="folder", view_func=lambda: "in")
    assert app.test_client().get("/folder").status_code == 308
