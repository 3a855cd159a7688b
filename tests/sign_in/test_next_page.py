"""After a sign-in one goes where one wanted, if that is a path of the same host, and nowhere else."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.tenancy.scopes import TenantRoute
from app.sign_in.next_page import choose_next_page
from app.web.hosts import Portal
from tests.factories import ADA, ADMIN_HOST, BOB, PASSWORD, browser, host_of, make_bob, make_staff_user

GOOD = ["/members", "/members?q=a&sort=-name", "/audit?cursor=abc%2F%2Fdef", "/a//b", "/%2F%2Fevil.example", "/?x=//y"]
BAD = [
    None,
    "",
    "members",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "\n//evil.example",
    "/\r/evil.example",
    " //evil.example",
    "https://evil.example",
    "http:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "/\u2028/evil.example",
    "/" + "x" * 3_000,
    "/sign-in",
    "/sign-in?next=/sign-in",
    "/sign-out",
    "@evil.example",
    ".evil.example",
    "/\x00",
]


@pytest.mark.parametrize("wanted", GOOD)
def test_a_path_of_this_host_is_kept(wanted: str) -> None:
    assert choose_next_page(wanted) == wanted


@pytest.mark.parametrize("wanted", BAD)
def test_anything_else_is_the_start_page(wanted: str | None) -> None:
    assert choose_next_page(wanted) == "/"


@given(st.text(st.sampled_from("/\\:@.?#%evil \t\n\u2028[]"), max_size=12))
def test_no_text_leads_to_another_host(wanted: str) -> None:
    # Browsers drop tabs and line ends and read a backslash as a slash.
    seen = choose_next_page(wanted).replace("\t", "").replace("\n", "").replace("\\", "/")
    assert urlsplit(urljoin("http://acme.localhost/sign-in", seen)).netloc == "acme.localhost"


def test_a_page_asked_for_while_signed_out_is_shown_after_the_sign_in(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    client = browser(app, host_of(acme))
    client.get("/settings?tab=1")
    assert urlsplit(client.page.url).path == "/sign-in"
    client.submit("/sign-in", email=BOB, password=PASSWORD, follow=False)
    assert client.page.response.location == "/settings?tab=1"


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "/%5Cevil.example"])
def test_a_prepared_link_leads_to_no_other_host(app: Portal, wanted: str) -> None:
    make_staff_user()
    client = browser(app, ADMIN_HOST)
    client.get(f"/sign-in?next={wanted}")
    client.submit("/sign-in", email=ADA, password=PASSWORD, follow=False)
    assert client.page.response.location == "/"


def test_the_wanted_page_survives_a_wrong_password(app: Portal, acme: TenantRoute) -> None:
    make_bob(acme)
    client = browser(app, host_of(acme))
    client.get("/sign-in?next=/settings")
    client.submit("/sign-in", email=BOB, password="wrong password")
    client.submit("/sign-in", email=BOB, password=PASSWORD, follow=False)
    assert client.page.response.location == "/settings"
