"""A kind of mail of the tests' own, an empty mail folder, and SMTP servers that really listen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from jinja2 import ChoiceLoader, FileSystemLoader
from pydantic import SecretStr

from app.core.config import Settings
from app.core.tenancy.scopes import TenantRoute
from app.mail.composers import Mail, composer
from app.web.hosts import Portal
from tests.mail.smtp import SmtpServer, start_smtp
from tests.tenant_rows import make_tenant_rows

TEMPLATES = Path(__file__).parent / "templates"


class ToyMail(StrEnum):
    """The toy kinds; SILENT has nothing to say any more."""

    TOY = "toy"
    SILENT = "silent"


@composer(ToyMail.TOY)
def compose_toy(payload: dict[str, str]) -> Mail:
    """Greet the name in the payload."""
    link = "http://acme.localhost:8000/invitations/" + "x" * 90
    context: dict[str, Any] = {"name": payload["name"]} | ({} if payload.get("lost") else {"link": link})
    return Mail(payload.get("to", "bob@example.com"), "toy", context)


@composer(ToyMail.SILENT)
def compose_silence(_payload: dict[str, str]) -> None:
    """Have nothing to say."""


@pytest.fixture(autouse=True)
def mail_app(app: Portal, instance: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Portal]:
    """The application with the toy templates and an empty mail folder."""
    shutil.rmtree(instance.mail_dir, ignore_errors=True)
    known = app.extensions["tenantry_mail_templates"]
    toys = known.overlay(loader=ChoiceLoader([FileSystemLoader(TEMPLATES), known.loader]))
    monkeypatch.setitem(app.extensions, "tenantry_mail_templates", toys)
    yield app
    shutil.rmtree(instance.mail_dir, ignore_errors=True)


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_tenant_rows("acme")


@pytest.fixture
def globex(app: Portal) -> TenantRoute:
    return make_tenant_rows("globex")


@pytest.fixture
def smtp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function that starts an SMTP server whose certificate this process trusts."""
    started: list[SmtpServer] = []
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))

    def start(**options: Any) -> SmtpServer:
        started.append(start_smtp(tmp_path, **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def sends_by_smtp(app: Portal, instance: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that sets SMTP_URL."""

    def use(url: str) -> None:
        changed = instance.model_copy(update={"smtp_url": SecretStr(url)})
        monkeypatch.setitem(app.extensions, "tenantry_settings", changed)

    return use
