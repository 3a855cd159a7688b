"""The page client itself: it has to notice what it is there to notice."""

from __future__ import annotations

import pytest
from flask import Flask, Response, request

from tests.page import PageClient

NONCE = "abc123"
POLICY = f"default-src 'self'; script-src 'self' 'nonce-{NONCE}'"
GOOD = (
    '<!doctype html><html lang="en"><head><title>Things · Acme</title></head><body><main><h1>Things</h1>@</main>'
    '<div aria-live="polite"></div></body></html>'
)


def _visitor(html: str, policy: str = POLICY) -> PageClient:
    app = Flask("pages")
    app.add_url_rule("/", "page", lambda: Response(html, headers={"Content-Security-Policy": policy}))
    app.add_url_rule("/echo", "echo", _echo, methods=["GET", "POST"])
    app.add_url_rule("/moved", "moved", lambda: Response(status=303, headers={"Location": "http://b.localhost/"}))
    return PageClient(app.test_client())


def _echo() -> dict[str, list[str]]:
    return {**request.form.to_dict(flat=False), **request.args.to_dict(flat=False)}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<p>Words</p></b>", "invalid HTML"),
        ("<h1>Two</h1>", "the page has 2 of h1"),
        ('<input name="q">', "has no label"),
        ('<i id="a"></i><i id="a"></i>', "the id 'a' is used 2 times"),
        ('<label for="nobody">N</label>', "the missing id 'nobody'"),
        ('<form method="post"></form>', "posts without a CSRF token"),
        ('<form><input type="hidden" name="csrf_token" value="x"></form>', "into the address"),
        ('<p style="color:red">W</p>', "has the attribute style"),
        ("<script>x()</script>", "is inline"),
        ('<script src="/a.js"></script>', "lacks this page's nonce"),
        ('<button onclick="x()">B</button>', "has the attribute onclick"),
        ('<a href="javascript:x()">A</a>', "runs a script in href"),
        ('<p hx-get="/">W</p>', "without this page's hx-nonce"),
        ('<p hx-get="/" hx-nonce="other">W</p>', "without this page's hx-nonce"),
        ('<a href="/"></a>', "has no name"),
        ('<img src="/a.png">', "has no alt"),
        ("<table><tr><td>1</td></tr></table>", "has no caption"),
        (
            "<table><caption>C</caption><thead><tr><th>A</th></tr></thead>"
            '<tbody><tr><td data-label="B">1</td></tr></tbody></table>',
            "no header's text",
        ),
    ],
)
def test_a_fault_fails_the_test_that_meets_it(body: str, fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        _visitor(GOOD.replace("@", body)).get("/")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("Things · Acme", "Things", "not one of the form"),
        ("Things · Acme", " · Acme", "not one of the form"),
        (' lang="en"', "", "html has no lang"),
        ("<!doctype html>", "", "invalid HTML"),
        (' aria-live="polite"', "", "0 live regions"),
    ],
)
def test_a_faulty_frame_fails_too(old: str, new: str, fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        _visitor(GOOD.replace(old, new)).get("/")


@pytest.mark.parametrize("policy", ["", "script-src 'self' 'nonce-a' 'unsafe-inline'"])
def test_a_page_without_a_strict_policy_fails(policy: str) -> None:
    with pytest.raises(AssertionError, match="content security policy"):
        _visitor(GOOD, policy).get("/")


FORM = """<form id="f" method="post" action="/echo"><input type="hidden" name="csrf_token" value="t">
<label>N<input name="name" value="old"></label><label>T<textarea name="text">
words</textarea></label><label>S<select name="plan"><option value="a">A</option><option value="b" selected>B</option>
</select></label><label>X<input type="checkbox" name="tag" value="x" checked></label>
<label>Y<input type="checkbox" name="tag" value="y" checked></label>
<label>Z<input type="radio" name="r" value="z"></label>
<button>Save</button><button name="how" value="fast" formaction="/echo?b=1">Fast</button></form>
<label>O<input form="f" name="outside" value="o"></label>"""


def test_a_form_is_sent_as_it_stands_with_what_was_changed() -> None:
    visitor = _visitor(GOOD.replace("@", FORM))
    visitor.get("/")
    sent = visitor.submit("#f", name="new", r="z").response.json
    assert sent == {
        **{"csrf_token": ["t"], "name": ["new"], "text": ["words"], "plan": ["b"], "tag": ["x", "y"]},
        **{"r": ["z"], "outside": ["o"]},
    }


def test_a_button_sends_its_own_name_to_its_own_address() -> None:
    visitor = _visitor(GOOD.replace("@", FORM))
    visitor.get("/")
    sent = visitor.submit("Save", {"tag": ["y"]}, button="Fast").response.json
    assert (sent["how"], sent["b"], sent["tag"]) == (["fast"], ["1"], ["y"])


@pytest.mark.parametrize("values", [{"nobody": "x"}, {"plan": "c"}, {"tag": ["q"]}])
def test_what_a_person_could_not_fill_in_is_refused(values: dict[str, str]) -> None:
    visitor = _visitor(GOOD.replace("@", FORM))
    visitor.get("/")
    with pytest.raises(AssertionError):
        visitor.submit("/echo", values)


def test_a_box_is_ticked_and_cleared_with_true_and_false() -> None:
    visitor = _visitor(GOOD.replace("@", FORM))
    visitor.get("/")
    assert "tag" not in visitor.submit("#f", tag=False).response.json
    visitor.get("/")
    assert visitor.submit("#f", tag=True).response.json["tag"] == ["x"]


def test_a_redirect_may_lead_to_another_host() -> None:
    visitor = _visitor(GOOD)
    assert visitor.get("/moved", host="a.localhost").url == "http://b.localhost/"
    assert visitor.get("/moved", follow=False).status == 303


def test_selectors_reach_down_and_match_attributes() -> None:
    page = _visitor(GOOD.replace("@", '<p class="a b">1<i title="x y">2</i></p><p>3</p>')).get("/")
    assert page.texts("main p.a.b i") == ["2"]
    assert page.texts('p [title="x y"]') == ["2"]
    assert page.texts("p") == ["12", "3"]
    assert page.text == "Things · AcmeThings123"
