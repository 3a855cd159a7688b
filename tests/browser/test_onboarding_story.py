"""The main story in Chromium, with JavaScript and without."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Tab
from tests.browser.site import Site
from tests.work import run_jobs

PASSWORD = "violet anchor thimble meadow"


def fill_in_tenant(page: Page) -> None:
    page.fill("[name=name]", "Wonka")
    page.fill("[name=slug]", "wonka")
    page.fill("[name=owner_name]", "Willy")
    page.fill("[name=owner_email]", "willy@wonka.example")


def follow_the_invitation(page: Page, site: Site) -> None:
    page.goto(site.url("", "/mailbox"))
    page.click("text=You are invited to Wonka")
    page.click("a[href*='/invitation/']")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=repeated]", PASSWORD)
    page.click("main button[type=submit]")


def test_an_admin_onboards_a_tenant_and_watches_it_come_up(site: Site, tab: Tab) -> None:
    page = tab()
    site.sign_in_as_ada(page)
    page.goto(site.url("admin", "/tenants/new"))
    fill_in_tenant(page)
    expect(page.locator("#slug-check")).to_have_text("“wonka” is free.")
    page.click("text=Create tenant")
    expect(page.locator("main")).to_contain_text("Provisioning")
    run_jobs()
    expect(page.locator("main .page-name-row")).to_contain_text("Active")
    follow_the_invitation(page, site)
    expect(page).to_have_url(site.url("wonka"))
    expect(page.locator("h1")).to_have_text("Wonka")
    expect(page.locator("body")).not_to_contain_text("Acme")


def test_the_address_follows_the_name_until_somebody_writes_it(site: Site, tab: Tab) -> None:
    page = tab()
    page.goto(site.url("", "/sign-up"))
    slug = page.locator("[name=slug]")
    page.locator("[name=name]").press_sequentially("Wonka")
    expect(slug).to_have_value("wonka")
    page.locator("[name=name]").press_sequentially(" Inc")
    expect(slug).to_have_value("wonka-inc")
    slug.fill("mine")
    expect(page.locator("#slug-check")).to_have_text("“mine” is free.")
    with page.expect_response(lambda answer: "slug-suggestions" in answer.url) as kept:
        page.locator("[name=name]").press_sequentially("orporated")
    assert kept.value.status == 204
    expect(slug).to_have_value("mine")


def test_the_whole_story_works_without_javascript(site: Site, tab: Tab) -> None:
    page = tab(java_script_enabled=False)
    site.sign_in_as_ada(page)
    page.goto(site.url("admin", "/tenants/new"))
    fill_in_tenant(page)
    page.click("text=Create tenant")
    shown = page.url
    run_jobs()
    page.goto(shown)
    expect(page.locator("main .page-name-row")).to_contain_text("Active")
    follow_the_invitation(page, site)
    expect(page).to_have_url(site.url("wonka"))


def test_a_visitor_signs_up_and_watches_the_workspace_come_up(site: Site, tab: Tab) -> None:
    page = tab(360)
    page.goto(site.url("", "/sign-up"))
    fill_in_tenant(page)
    page.check("[name=accept]")
    page.click("main button[type=submit]")
    run_jobs()
    page.goto(site.url("", "/mailbox"))
    page.click("text=Confirm your workspace Wonka")
    page.click("a[href*='/sign-up/confirmations/']")
    page.click("text=Set up my workspace")
    run_jobs()
    expect(page.locator("main")).to_contain_text("Your workspace is ready")


def test_the_story_needs_the_keyboard_alone(site: Site, tab: Tab) -> None:
    page = tab()
    site.sign_in_as_ada(page)
    page.goto(site.url("admin", "/tenants/new"))
    page.focus("[name=name]")
    for text in ("Wonka", "wonka"):
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    page.focus("[name=owner_name]")
    page.keyboard.type("Willy")
    page.keyboard.press("Tab")
    page.keyboard.type("willy@wonka.example")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/tenants/[0-9a-f-]{36}$"))
