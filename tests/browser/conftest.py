"""Chromium, tabs that report what they should not log, and axe-core."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.browser.site import lived_in_site, site  # noqa: F401  # Fixtures of every test here.

AXE = Path(__file__).parents[1] / "vendor/axe-core-4.14.1/axe.min.js"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}

# Long enough for a busy machine: a first page took more than 5 s with twelve browsers on two cores.
PATIENCE_MILLISECONDS = 60_000

Tab = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on PATH: apt-get install chromium")
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Tab]:
    """Open tabs; afterwards none may have logged a violation of a policy or an error of a script."""
    logged: list[str] = []
    contexts = []

    def note(message: ConsoleMessage) -> None:
        # An answer of 4xx or 5xx is logged too, and is often what a test asks for.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            logged.append(message.text)

    def open_tab(width: int = 1440, theme: str = "light", **options: Any) -> Page:
        viewport = {"width": width, "height": 900}
        context = browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        page.on("console", note)
        page.on("pageerror", lambda error: logged.append(str(error)))
        return page

    yield open_tab
    for context in contexts:
        context.close()
    assert not logged


@pytest.fixture(scope="session")
def axe() -> Callable[..., None]:
    """Give the check that axe-core, or some of its rules, find nothing on a page."""
    source = AXE.read_text()

    def check(page: Page, only: list[str] | None = None) -> None:
        # A click returns as soon as the next page has begun to arrive.
        page.wait_for_load_state("load")
        if not page.evaluate("'axe' in window"):
            page.evaluate(source)
        options = {"runOnly": only, "resultTypes": ["violations"]} if only else AXE_OPTIONS
        found = page.evaluate("options => axe.run(document, options)", options)["violations"]
        told = [{"rule": item["id"], "nodes": [node["html"] for node in item["nodes"]]} for item in found]
        details = [node["failureSummary"] for item in found for node in item["nodes"]]
        assert not found, json.dumps(told, indent=1) + "\n".join(details)

    return check
