"""A client that reads like a browser: every page it gets is parsed and checked, every form is filled as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree.ElementTree import Element

import html5lib
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.page_rules import find_faults, text_of

FRAGMENT_HEADERS = {"HX-Request": "true", "HX-Request-Type": "partial"}
COMPOUNDS = re.compile(r"(?:\[[^\]]*\]|[^\s\[])+")
COMPOUND = re.compile(r"(?P<tag>[a-z][\w-]*|\*)?(?P<rest>(?:#[\w-]+|\.[\w-]+|\[[^\]]+\])*)$")
PART = re.compile(r"#(?P<id>[\w-]+)|\.(?P<cls>[\w-]+)|\[(?P<name>[\w:-]+)(?:=[\"']?(?P<value>[^\"'\]]*)[\"']?)?\]")

FieldValue = str | int | bool | list[str] | None


class Page:
    """An answer as its reader sees it; making one of HTML that breaks a rule fails the test."""

    def __init__(self, response: TestResponse, url: str, *, whole: bool = True) -> None:
        self.response, self.url, self.status = response, url, response.status_code
        self.is_html = response.mimetype == "text/html" and bool(response.data)
        self.root = Element("html")
        if self.is_html:
            parser = html5lib.HTMLParser(namespaceHTMLElements=False)
            parse = parser.parse if whole else parser.parseFragment
            self.root = parse(response.get_data(as_text=True))
            invalid = [f"invalid HTML at {place}: {code} {data}" for place, code, data in parser.errors]
            faults = invalid + find_faults(self.root, dict(response.headers), whole=whole)
            assert not faults, f"{url} answered {self.status} with a page that breaks rules:\n" + "\n".join(faults)

    @property
    def text(self) -> str:
        """Return the words on the page, its title first."""
        return text_of(self.root) if self.is_html else self.response.get_data(as_text=True)

    @property
    def title(self) -> str:
        """Return the title of the document."""
        return text_of(self.select("title")[0])

    def select(self, selector: str) -> list[Element]:
        """List the elements for a selector of tags, #ids, .classes, [attributes] and descendants."""
        found = [self.root]
        for depth, compound in enumerate(COMPOUNDS.findall(selector)):
            pairs = [(outer, inner) for outer in found for inner in outer.iter() if depth == 0 or inner is not outer]
            found = list({id(inner): inner for _, inner in pairs if _matches(inner, compound)}.values())
        return found

    def texts(self, selector: str) -> list[str]:
        """List what the elements for a selector say."""
        return [text_of(element) for element in self.select(selector)]

    def field_error(self, name: str) -> str | None:
        """Return what is said beside a field, None when nothing is."""
        field = next(iter(self.select(f"[name={name}]")), None)
        assert field is not None, f"{self.url} has no field {name}"
        ids = [field.get("id") or name, name]
        return next((text_of(element) for id_ in ids for element in self.select(f"#{id_}-error")), None)

    def form(self, wanted: str) -> Element:
        """Find one form by a selector, its action's path, or the name of its button."""
        if wanted.startswith("/"):
            found = [form for form in self.select("form") if _action_path(form, self.url) == urlsplit(wanted).path]
        elif wanted.startswith(("#", ".", "[", "form")):
            found = self.select(wanted)
        else:
            found = [form for form in self.select("form") if wanted in map(text_of, form.iter("button"))]
        assert len(found) == 1, f"{self.url} has {len(found)} forms for {wanted!r}"
        return found[0]


class PageClient:
    """A visitor with cookies who goes from page to page; `page` is where it is."""

    def __init__(self, client: FlaskClient, host: str = "localhost", scheme: str = "http") -> None:
        self.client, self.host, self.scheme = client, host, scheme
        self.page: Page

    @property
    def text(self) -> str:
        """Return the words on the page where the visitor is."""
        return self.page.text

    @property
    def status(self) -> int:
        """Return the status of the last answer."""
        return self.page.status

    def select(self, selector: str) -> list[Element]:
        """List elements of the page where the visitor is."""
        return self.page.select(selector)

    def field_error(self, name: str) -> str | None:
        """Return what is said beside a field of the page where the visitor is."""
        return self.page.field_error(name)

    def get(self, url: str, host: str | None = None, *, fragment: bool = False, follow: bool = True) -> Page:
        """Open an address, on another host if one is named, as htmx does if a fragment is wanted."""
        self.host = host or self.host
        return self._go("GET", url, None, fragment=fragment, follow=follow)

    def submit(
        self,
        form: str,
        values: Mapping[str, FieldValue] | None = None,
        *,
        button: str | None = None,
        fragment: bool = False,
        follow: bool = True,
        **fields: FieldValue,
    ) -> Page:
        """Fill a form of the page as it stands, send it with its token and go where the answer leads."""
        element = self.page.form(form)
        data = _standing_values(element, self.page.root)
        action = element.get("action") or self.page.url
        for pressed in self._buttons(element, button):
            action = pressed.get("formaction") or action
            data |= {pressed.get("name", ""): pressed.get("value", "")} if pressed.get("name") else {}
        for name, value in {**(values or {}), **fields}.items():
            _fill(data, element, self.page.root, name, value)
        sent = {name: value for name, value in data.items() if value is not None}
        method = (element.get("method") or "get").upper()
        return self._go(method, urljoin(self.page.url, action), sent, fragment=fragment, follow=follow)

    def _buttons(self, form: Element, label: str | None) -> list[Element]:
        if label is None:
            return []
        found = [button for button in form.iter("button") if text_of(button) == label]
        assert len(found) == 1, f"{len(found)} buttons say {label!r}"
        return found

    def _go(
        self, method: str, url: str, data: Mapping[str, FieldValue] | None, *, fragment: bool, follow: bool
    ) -> Page:
        for _ in range(6):
            response = self._send(method, url, data, fragment=fragment)
            target = response.headers.get("HX-Redirect") or response.headers.get("Location")
            if not follow or target is None or (response.status_code < 300 and "HX-Redirect" not in response.headers):
                self.page = Page(response, self._absolute(url), whole=not fragment)
                return self.page
            method, url, data, fragment = "GET", urljoin(self._absolute(url), target), None, False
        raise AssertionError(f"{url} redirects for ever")

    def _send(self, method: str, url: str, data: Mapping[str, FieldValue] | None, *, fragment: bool) -> TestResponse:
        parts = urlsplit(self._absolute(url))
        self.host = parts.netloc
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        content: dict[str, Any] = {"query_string" if method == "GET" else "data": data} if data is not None else {}
        if content and method == "GET":
            path = parts.path
        # Forms on https are refused without a referrer of their own host.
        headers = {"Referer": self._absolute(url), **(FRAGMENT_HEADERS if fragment else {})}
        # Flask would use the test's own application context, and with it one `g` for all requests.
        with self.client.application.app_context():
            return self.client.open(
                path, method=method, base_url=f"{parts.scheme}://{parts.netloc}", headers=headers, **content
            )

    def _absolute(self, url: str) -> str:
        return urljoin(f"{self.scheme}://{self.host}/", url)


def _matches(element: Element, compound: str) -> bool:
    form = COMPOUND.match(compound)
    assert form, f"{compound} is beyond this selector"
    if form["tag"] not in (None, "*", element.tag):
        return False
    for part in PART.finditer(form["rest"]):
        if part["id"] and element.get("id") != part["id"]:
            return False
        if part["cls"] and part["cls"] not in (element.get("class") or "").split():
            return False
        if part["name"] and (
            element.get(part["name"]) is None or part["value"] not in (None, element.get(part["name"]))
        ):
            return False
    return True


def _action_path(form: Element, url: str) -> str:
    return urlsplit(urljoin(url, form.get("action") or "")).path


def _fields_of(form: Element, root: Element) -> Iterator[Element]:
    mine = set(form.iter())
    for element in root.iter():
        if element.tag in ("input", "select", "textarea") and element.get("name"):
            owner = element.get("form")
            if (owner and owner == form.get("id")) or (not owner and element in mine):
                yield element


def _standing_values(form: Element, root: Element) -> dict[str, FieldValue]:
    values: dict[str, FieldValue] = {}
    ticked: dict[str, list[str]] = {}
    for field in _fields_of(form, root):
        name, kind = field.get("name", ""), field.get("type")
        if field.tag == "textarea":
            values[name] = (field.text or "").removeprefix("\n")
        elif field.tag == "select":
            options = list(field.iter("option"))
            chosen = [option for option in options if option.get("selected") is not None] or options[:1]
            values[name] = (chosen[0].get("value") or "") if chosen else None
        elif kind in ("checkbox", "radio"):
            if field.get("checked") is not None:
                ticked.setdefault(name, []).append(field.get("value") or "on")
        elif kind not in ("file", "submit"):
            values[name] = field.get("value") or ""
    return values | ticked


def _fill(data: dict[str, FieldValue], form: Element, root: Element, name: str, value: FieldValue) -> None:
    fields = [field for field in _fields_of(form, root) if field.get("name") == name]
    assert fields, f"the form has no field {name}"
    if isinstance(value, bool):
        data[name] = (fields[0].get("value") or "on") if value else None
        return
    wanted = [str(item) for item in value] if isinstance(value, list) else [str(value)] if value is not None else []
    offered = [field.get("value") for field in fields if field.get("type") in ("checkbox", "radio")]
    offered += [option.get("value") for field in fields for option in field.iter("option")]
    assert not offered or set(wanted) <= set(offered), f"{name} offers {offered}, not {wanted}"
    data[name] = wanted if isinstance(value, list) else next(iter(wanted), None)
