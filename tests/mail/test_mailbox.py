"""The mailbox shows what would have been sent, to this machine only and never in production."""

from __future__ import annotations

import os

import pytest
from pydantic import SecretStr

from app import create_app
from app.core.config import Environment, Settings
from app.core.database.session import engines, registry
from app.mail import queries
from app.web.hosts import Portal
from tests.mail.outbox import queue_toy
from tests.page import PageClient
from tests.work import run_jobs


@pytest.fixture
def visitor(app: Portal) -> PageClient:
    """Somebody at this machine, on the public host."""
    return PageClient(app.test_client(), "localhost")


def send(*names: str) -> None:
    for number, name in enumerate(names):
        queue_toy(f"{name}/{number}", name=name, to=f"{name.lower()}@example.com")
    run_jobs()


def test_an_empty_mailbox_says_what_will_arrive(visitor: PageClient) -> None:
    assert "No mail yet" in visitor.get("/mailbox").text


def test_mails_are_listed_and_opened(visitor: PageClient) -> None:
    send("Bob")
    row = visitor.get("/mailbox").select("tbody a")[0]
    page = visitor.get(row.get("href"))
    assert "Open http://acme.localhost:8000/invitations/xxx" in page.text
    assert page.select(".mail-text a")[0].get("href") == "http://acme.localhost:8000/invitations/" + "x" * 90


def test_the_newest_mail_comes_first(visitor: PageClient, instance: Settings) -> None:
    send("Bob", "Carol")
    for path in instance.mail_dir.glob("*.eml"):
        os.utime(path, (0, 100 if b"Hello Bob" in path.read_bytes() else 200))
    assert visitor.get("/mailbox").texts("tbody th") == ["Hello Carol", "Hello Bob"]


def test_a_search_finds_a_part_of_the_address_or_the_subject(visitor: PageClient) -> None:
    send("Bob", "Carol")
    visitor.get("/mailbox")
    assert visitor.submit("#filter", q="CAROL@ex").texts("tbody th") == ["Hello Carol"]
    assert visitor.submit("#filter", q="lo bo").texts("tbody th") == ["Hello Bob"]
    assert "No mail matches" in visitor.submit("#filter", q="dave").text


def test_htmx_gets_the_rows_alone(visitor: PageClient) -> None:
    send("Bob", "Carol")
    assert visitor.get("/mailbox?q=bob", fragment=True).texts("th a") == ["Hello Bob"]


def test_pages_lead_on_and_back(visitor: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PAGE_ROWS", 1)
    send("Bob", "Carol", "Dave")
    first = visitor.get("/mailbox").texts("tbody th")
    second = visitor.get(visitor.select("[rel=next]")[0].get("href")).texts("tbody th")
    third = visitor.get(visitor.select("[rel=next]")[0].get("href")).texts("tbody th")
    assert {*first, *second, *third} == {"Hello Bob", "Hello Carol", "Hello Dave"}
    visitor.get(visitor.select("[rel=prev]")[0].get("href"))
    assert visitor.get(visitor.select("[rel=prev]")[0].get("href")).texts("tbody th") == first


def test_the_html_part_is_a_file_to_download(visitor: PageClient) -> None:
    send("Bob")
    visitor.get(visitor.get("/mailbox").select("tbody a")[0].get("href"))
    answer = visitor.client.get(visitor.select("a.btn-quiet")[0].get("href"))
    assert answer.headers["Content-Disposition"] == "attachment; filename=mail.html"
    assert b"Hello Bob" in answer.data


@pytest.mark.parametrize("name", ["nothing", "..%2fsecret_key", "0" * 64 + "@localhost", "0" * 64 + "@..%2f.."])
def test_an_unknown_mail_is_not_found(visitor: PageClient, name: str) -> None:
    assert visitor.get(f"/mailbox/{name}").status == 404


@pytest.mark.parametrize("path", ["/mailbox", "/mailbox/x", "/mailbox/x/html"])
@pytest.mark.parametrize("address", ["203.0.113.9", "10.0.0.1", "::ffff:10.0.0.1", ""])
def test_another_machine_finds_nothing(app: Portal, path: str, address: str) -> None:
    answer = app.test_client().get(path, base_url="http://localhost", environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_a_proxy_that_nobody_trusts_is_another_machine(app: Portal, header: str) -> None:
    answer = app.test_client().get("/mailbox", base_url="http://localhost", headers={header: "127.0.0.1"})
    assert answer.status_code == 404


@pytest.mark.parametrize(("forwarded", "status"), [("127.0.0.1", 200), ("203.0.113.9", 404)])
def test_a_trusted_proxy_says_who_asks(instance: Settings, app: Portal, forwarded: str, status: int) -> None:
    behind_proxy = create_app(instance.model_copy(update={"trusted_proxy_count": 1}), polls=False)
    client = behind_proxy.test_client()
    answer = client.get("/mailbox", base_url="http://localhost", headers={"X-Forwarded-For": forwarded})
    _close(behind_proxy)
    assert answer.status_code == status


@pytest.mark.parametrize("host", ["admin.localhost", "acme.localhost"])
def test_only_the_public_host_has_a_mailbox(app: Portal, host: str) -> None:
    assert app.test_client().get("/mailbox", base_url=f"http://{host}").status_code == 404


def test_production_has_no_mailbox(instance: Settings, app: Portal) -> None:
    changes = {"environment": Environment.PRODUCTION, "url_scheme": "https", "smtp_url": SecretStr("smtp://mail")}
    production = create_app(instance.model_copy(update=changes), polls=False)
    answer = production.test_client().get("/mailbox", base_url="https://localhost")
    _close(production)
    assert answer.status_code == 404


def test_the_mailbox_says_so_when_mail_leaves_by_smtp(visitor: PageClient, sends_by_smtp: object) -> None:
    sends_by_smtp("smtp://127.0.0.1:25")
    assert "SMTP_URL is set" in visitor.get("/mailbox").text


def _close(app: Portal) -> None:
    with app.app_context():
        engines().dispose()
        registry().close()
