"""Every component in Chromium: readable by all, inside the policy, alive with htmx, useful without JavaScript."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Tab
from tests.browser.serving import serving
from tests.web.gallery import make_app

PATHS = ["/", "/empty", "/dialogs", "/sign-in", "/rows", "/rows?q=zzz", "/things/new", "/nowhere", "/suspended"]


@pytest.fixture(scope="module")
def gallery_url() -> Iterator[str]:
    with serving(make_app()) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_axe_finds_nothing_and_nothing_overflows(
    gallery_url: str, tab: Tab, axe: Callable[..., None], width: int, theme: str
) -> None:
    page = tab(width, theme)
    for path in PATHS:
        page.goto(gallery_url + path)
        axe(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_in_what_opens(gallery_url: str, tab: Tab, axe: Callable[..., None], theme: str) -> None:
    page = tab(360, theme)
    page.goto(gallery_url + "/things/new")
    page.click("text=Create thing")
    axe(page)
    page.goto(gallery_url + "/dialogs")
    page.click("[data-dialog]")
    axe(page)
    page.goto(gallery_url + "/")
    page.click("[popovertarget=menu-acme]")
    axe(page)
    page.keyboard.press("Escape")
    page.click("[popovertarget=sidebar]")
    axe(page)
    page.goto(gallery_url + "/rows")
    page.check("[aria-label='Select Acme']")
    axe(page)


def test_a_search_swaps_the_list_and_keeps_focus_and_address(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/rows")
    page.locator("#filter-q").press_sequentially("glob")
    expect(page.locator("#tenants tbody th")).to_have_count(1)
    expect(page).to_have_url(gallery_url + "/rows?q=glob")
    expect(page.locator("#filter-q")).to_be_focused()
    expect(page.locator("#live")).to_have_text("Tenants: 1 shown")


def test_the_way_back_shows_while_the_search_narrows(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/rows")
    expect(page.locator("[data-clear]")).to_be_hidden()
    page.locator("#filter-q").press_sequentially("glob")
    expect(page.locator("[data-clear]")).to_be_visible()
    page.locator("#filter-q").fill("")
    expect(page.locator("[data-clear]")).to_be_hidden()
    page.goto(gallery_url + "/rows?status=active")
    page.click("[data-clear]")
    expect(page).to_have_url(gallery_url + "/rows")


def test_the_next_page_takes_the_focus_along_when_its_link_is_gone(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/rows")
    page.focus("#page-next")
    page.keyboard.press("Enter")
    expect(page.locator("#tenants tbody th")).to_have_count(2)
    expect(page.locator("#rows")).to_be_focused()
    page.go_back()
    expect(page.locator("#tenants tbody th")).to_have_count(3)


def test_a_header_sorts_in_place_and_keeps_the_focus(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/rows")
    page.click("#tenants-sort-members")
    expect(page.locator("th[aria-sort=ascending]")).to_have_text("Members")
    expect(page.locator("#tenants-sort-members")).to_be_focused()


def test_an_error_stands_in_the_alerts_and_is_announced(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/dialogs")
    page.click("#fail")
    expect(page.locator("#alerts")).to_contain_text("Somebody else saved this first.")
    expect(page.locator("#live")).to_contain_text("Not possible now")
    expect(page.locator("#fail")).to_be_visible()


def test_a_toast_comes_with_a_fragment_and_is_announced(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/empty")
    page.click("#again")
    expect(page.locator(".toast-card")).to_have_text("The invitation was sent again. Dismiss", use_inner_text=True)
    expect(page.locator("#live")).to_have_text("The invitation was sent again.")
    expect(page.locator("#again")).to_be_focused()


def test_good_news_goes_by_itself_and_trouble_waits_to_be_dismissed(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.clock.install()
    page.goto(gallery_url + "/empty")
    for tone in ("success", "error"):
        page.evaluate(
            """tone => document.body.dispatchEvent(new CustomEvent("toast", {
              bubbles: true, detail: { messages: [{ message: tone, tone }] } }))""",
            tone,
        )
    page.clock.fast_forward(7000)
    expect(page.locator(".toast-text")).to_have_text("error")
    page.click("[data-dismiss]")
    expect(page.locator(".toast-card")).to_have_count(0)


def test_a_refused_form_moves_the_focus_to_what_is_wrong(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/things/new")
    page.click("text=Create thing")
    expect(page.locator("[data-focus]")).to_be_focused()
    page.click("[data-focus] a >> text=Region")
    expect(page.locator("#region-0")).to_be_focused()


def test_a_dialog_opens_closes_and_gives_the_focus_back(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/dialogs")
    page.focus("[data-dialog]")
    page.keyboard.press("Enter")
    expect(page.locator("#suspend")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#suspend")).to_be_hidden()
    expect(page.locator("[data-dialog]")).to_be_focused()
    page.click("[data-dialog]")
    page.click("#suspend >> text=Cancel")
    expect(page.locator("#suspend")).to_be_hidden()


def test_a_slow_answer_leaves_the_focus_on_the_button(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/empty")
    page.route("**/toasts", lambda route: (page.wait_for_timeout(300), route.continue_()))
    page.focus("#again")
    page.keyboard.press("Enter")
    expect(page.locator("#again[aria-disabled]")).to_be_focused()
    expect(page.locator(".toast-card")).to_have_count(1)
    expect(page.locator("#again")).to_be_focused()


def test_a_form_is_sent_once_however_often_it_is_pressed(gallery_url: str, tab: Tab) -> None:
    page = tab()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto(gallery_url + "/empty")
    page.evaluate("for (let i = 0; i < 5; i++) document.querySelector('#polled').requestSubmit()")
    expect(page.locator(".toast-card")).to_have_count(1)
    assert len(sent) == 1


def test_rows_are_chosen_one_by_one_or_all_at_once(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/rows")
    expect(page.locator("#bulk")).to_be_hidden()
    page.check("[aria-label='Select Acme']")
    expect(page.locator("#bulk")).to_contain_text("1 selected")
    page.check("[data-select-all]")
    expect(page.locator("#bulk")).to_contain_text("3 selected")
    page.uncheck("[data-select-all]")
    expect(page.locator("#bulk")).to_be_hidden()


def test_a_value_is_copied(gallery_url: str, tab: Tab) -> None:
    page = tab(permissions=["clipboard-read", "clipboard-write"])
    page.goto(gallery_url + "/")
    page.click("[data-copy]")
    expect(page.locator("#live")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("http://acme.localhost:8000/")


def test_the_chosen_colours_are_kept_and_the_systems_are_followed(gallery_url: str, tab: Tab) -> None:
    page = tab(theme="dark")
    page.goto(gallery_url + "/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.click("[data-theme-choice=light]")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    expect(page.locator("[data-theme-choice=light]")).to_have_attribute("aria-pressed", "true")
    page.click("[data-theme-choice=system]")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_the_skip_link_is_the_first_stop(gallery_url: str, tab: Tab) -> None:
    page = tab()
    page.goto(gallery_url + "/rows")
    page.keyboard.press("Tab")
    expect(page.locator(".skip-to-main")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_cards_on_a_phone_are_still_a_table(gallery_url: str, tab: Tab) -> None:
    page = tab(360)
    page.goto(gallery_url + "/rows")
    table = page.get_by_role("table", name="Tenants")
    expect(table.get_by_role("row")).to_have_count(4)
    expect(table.get_by_role("rowheader", name="Acme")).to_be_visible()


def test_everything_is_reached_without_javascript(gallery_url: str, tab: Tab) -> None:
    page = tab(360, "dark", java_script_enabled=False)
    page.goto(gallery_url + "/rows")
    page.click("[popovertarget=sidebar]")
    page.click("#sidebar >> text=Forms")
    expect(page).to_have_url(gallery_url + "/things/new")
    page.goto(gallery_url + "/dialogs")
    page.click("[data-dialog]")
    expect(page).to_have_url(gallery_url + "/things/new")
    page.goto(gallery_url + "/rows")
    page.fill("#filter-q", "glob")
    page.click("text=Apply")
    expect(page.locator("#tenants tbody th")).to_have_count(1)
    expect(page.locator("#bulk")).to_be_visible()


def test_without_javascript_the_systems_colours_hold_and_toasts_cover_nothing(gallery_url: str, tab: Tab) -> None:
    page = tab(theme="dark", java_script_enabled=False)
    page.goto(gallery_url + "/empty")
    page.click("#again")
    assert page.locator("#toasts").evaluate("element => getComputedStyle(element).position") == "static"
    assert page.locator("body").evaluate("element => getComputedStyle(element).colorScheme") == "light dark"
    expect(page.locator("[data-dismiss]")).to_be_hidden()


def test_an_injected_htmx_attribute_does_nothing(gallery_url: str, browser_tab_that_may_log: Page) -> None:
    page = browser_tab_that_may_log
    page.goto(gallery_url + "/rows")
    page.evaluate(
        """() => {
          document.querySelector('#rows').innerHTML = '<button id="bad" hx-get="/rows">x</button>';
          htmx.process(document.querySelector('#rows'));
        }"""
    )
    page.click("#bad")
    expect(page.locator("#bad")).to_be_visible()
    assert page.locator("#bad").get_attribute("hx-get") is None


@pytest.fixture
def browser_tab_that_may_log(browser: object) -> Iterator[Page]:
    context = browser.new_context()  # type: ignore[attr-defined]
    yield context.new_page()
    context.close()
