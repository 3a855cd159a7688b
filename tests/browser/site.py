"""The whole product for Chromium: served on a free port, over the test's own database, with the demo's month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page

from app import create_app
from app.core.config import Settings
from app.core.database.session import engines, registry
from app.core.tenancy.scopes import platform_scope
from app.demo.passwords import demo_password
from app.demo.seeding import seed_demo
from app.instance.processes import free_port
from app.plans.services import seed_catalogue
from app.web.hosts import Portal
from tests.browser.serving import serving
from tests.factories import ADA, PASSWORD, make_staff_user, use_cheap_passwords


@dataclass
class Site:
    """A running portal; its context is pushed, so the test can run its jobs."""

    app: Portal
    port: int

    def url(self, host: str, path: str = "/") -> str:
        """Return an address on one of the hosts; an empty host is the public one."""
        return f"http://{host + '.' if host else ''}localhost:{self.port}{path}"

    def sign_in_as_ada(self, page: Page) -> None:
        """Sign in on the platform's host."""
        self._sign_in(page, "admin", ADA, PASSWORD)

    def sign_in_as_bob(self, page: Page) -> None:
        """Sign in on the demo's Acme."""
        self._sign_in(page, "acme", "bob@acme.example", demo_password())

    def sign_in_as_gina(self, page: Page) -> None:
        """Sign in on the demo's Hooli, which is suspended."""
        self._sign_in(page, "hooli", "gina@hooli.example", demo_password())

    def _sign_in(self, page: Page, host: str, email: str, password: str) -> None:
        page.goto(self.url(host, "/sign-in"))
        page.fill("[name=email]", email)
        page.fill("[name=password]", password)
        page.click("main button[type=submit]")
        page.wait_for_url(self.url(host))


@pytest.fixture
def site(app: Portal, instance: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Serve the product, with Ada as its platform admin."""
    use_cheap_passwords(monkeypatch)
    port = free_port()
    portal = create_app(instance.model_copy(update={"base_domain": f"localhost:{port}", "port": port}), polls=False)
    for mail in instance.mail_dir.glob("*.eml"):
        mail.unlink()
    with serving(portal, port), portal.app_context():
        with platform_scope("test"):
            seed_catalogue()
        make_staff_user()
        yield Site(portal, port)
        engines().dispose()
        registry().close()


@pytest.fixture
def lived_in_site(site: Site) -> Site:
    """The site after the demo's month."""
    seed_demo()
    return site
