"""Every page, lived in: axe-core finds nothing, nothing overflows, nothing breaks the policy; the README's pictures."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Page
from werkzeug.exceptions import NotFound

from app.web.decorators import find_access
from app.web.hosts import Surface
from tests.browser.conftest import Tab
from tests.browser.places import Place, object_places, signed_out_places
from tests.browser.site import Site

HOSTS = {Surface.ADMIN: "admin", Surface.TENANT: "acme", Surface.PUBLIC: ""}
DOWNLOADS = ("public_key", "document", "signature", "pdf")
# Answers that are no pages of their own: files, and fragments that htmx swaps.
NO_PAGES = ("show_home", "csv", "slug_check", "slug_suggestion", "mail_html", "preparing", "suspension", *DOWNLOADS)
# What stands beyond the window's edge, where nothing can be scrolled to it.
CUT_OFF = """[...document.querySelectorAll("main *")].filter(element => {
    if (element.getBoundingClientRect().right <= innerWidth + 1 || !element.checkVisibility()) return false
    for (let parent = element; parent; parent = parent.parentElement)
        if (/auto|scroll/.test(getComputedStyle(parent).overflowX)) return false
    return true
}).map(element => element.outerHTML.slice(0, 200))"""
PICTURES = {
    "overview": ("admin", "/"),
    "tenants": ("admin", "/tenants"),
    "members": ("acme", "/members"),
    "workspace": ("acme", "/"),
    "sign-up": ("", "/sign-up"),
}


def paths(site: Site, surface: Surface) -> Iterator[str]:
    """List the pages of a surface that need no object, from the URL map itself."""
    for rule in site.app.url_map.iter_rules():
        access = find_access(site.app.view_functions[rule.endpoint])
        is_page = "GET" in rule.methods and not rule.arguments and not rule.endpoint.endswith(NO_PAGES)
        if rule.subdomain == surface and is_page and rule.endpoint != "static" and access is not None:
            yield rule.rule


def test_every_page_is_readable_by_all(lived_in_site: Site, tab: Tab, axe: Callable[..., None], annex: str) -> None:
    page = tab()
    lived_in_site.sign_in_as_ada(page)
    lived_in_site.sign_in_as_bob(page)
    lived_in_site.sign_in_as_gina(page)
    visits = [Place(HOSTS[surface], path) for surface in HOSTS for path in sorted(paths(lived_in_site, surface))]
    objects = list(object_places())
    for place in [*visits, *objects]:
        look(page, lived_in_site, place, axe)
    visitor, links = tab(), list(signed_out_places())
    for place in links:
        look(visitor, lived_in_site, place, axe)
    assert missing(lived_in_site, [*objects, *links]) == set()


def look(page: Page, site: Site, place: Place, axe: Callable[..., None]) -> None:
    """Open a page, and look at it wide and narrow, light and dark."""
    answer = page.goto(site.url(place.host, place.path))
    assert answer.status == place.status, place
    for width, theme in itertools.product((1440, 360), ("light", "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        # A theme changes colours and nothing else.
        axe(page, only=["color-contrast"] if theme == "dark" else None)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (place, width)
        assert page.evaluate(CUT_OFF) == [], (place, width)


def missing(site: Site, places: list[Place]) -> set[str]:
    """Return the pages of an object to which none of the places leads."""
    seen, wanted = set(), set()
    for place in places:
        surface = {host: surface for surface, host in HOSTS.items()}.get(place.host, Surface.TENANT)
        adapter = site.app.url_map.bind("localhost", subdomain=surface)
        with suppress(NotFound):
            seen.add(adapter.match(place.path.partition("?")[0])[0])
    for rule in site.app.url_map.iter_rules():
        if "GET" in rule.methods and rule.arguments and not rule.endpoint.endswith((*NO_PAGES, "static")):
            wanted.add(rule.endpoint)
    return wanted - seen


def test_pictures_for_the_readme(lived_in_site: Site, tab: Tab, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    folder = Path(pytestconfig.getoption("--pictures") or tmp_path)
    page = tab(1280)
    lived_in_site.sign_in_as_ada(page)
    lived_in_site.sign_in_as_bob(page)
    for name, (host, path) in PICTURES.items():
        page.goto(lived_in_site.url(host, path))
        page.screenshot(path=folder / f"{name}.png")
        assert (folder / f"{name}.png").stat().st_size > 10_000
