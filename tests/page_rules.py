"""What every page has to keep; each rule yields one sentence for each fault it finds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from xml.etree.ElementTree import Element

REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls", "popovertarget", "form", "list")
UNLABELLED_TYPES = {"hidden", "submit", "button", "image", "reset"}


def find_faults(root: Element, headers: dict[str, str], *, whole: bool) -> list[str]:
    """List what is wrong with a page, or with a fragment, which has no head of its own."""
    nonce = re.search(r"'nonce-([^']+)'", headers.get("Content-Security-Policy", ""))
    faults = [*_policy_faults(headers), *_nonce_faults(root, nonce[1] if nonce else "")]
    for rule in (*(PAGE_RULES if whole else ()), *RULES):
        faults += rule(root)
    return faults


def text_of(element: Element) -> str:
    """Return what a reader sees of an element, white space made single."""
    return " ".join("".join(_texts(element)).split())


def _texts(element: Element) -> Iterator[str]:
    if element.tag in ("script", "style", "template"):
        return
    yield element.text or ""
    for child in element:
        yield from _texts(child)
        yield child.tail or ""


def _describe(element: Element) -> str:
    tag = str(element.tag).rpartition("}")[2]
    wanted = ("id", "name", "href", "action", "class")
    return f"<{tag}" + "".join(f' {key}="{element.get(key)}"' for key in wanted if element.get(key)) + ">"


def _name_of(element: Element) -> str:
    drawn = "".join(child.get("aria-label") or child.get("alt") or "" for child in element.iter())
    return element.get("aria-label") or element.get("aria-labelledby") or text_of(element) or drawn


def _policy_faults(headers: dict[str, str]) -> Iterator[str]:
    policy = headers.get("Content-Security-Policy", "")
    if "script-src 'self' 'nonce-" not in policy or "unsafe" in policy:
        yield f"the content security policy is {policy!r}"


def _nonce_faults(root: Element, nonce: str) -> Iterator[str]:
    for element in root.iter():
        is_powered = any(name.startswith(("hx-", "data-hx-")) for name in element.keys())  # noqa: SIM118
        if is_powered and element.get("hx-nonce") != nonce:
            yield f"{_describe(element)} has htmx attributes without this page's hx-nonce"
        if element.tag == "script" and element.get("nonce") != nonce:
            yield "a script lacks this page's nonce"


def _title(root: Element) -> Iterator[str]:
    titles = [text_of(title) for title in root.iter("title")]
    if len(titles) != 1 or not all(part.strip() for part in titles[0].split(" · ")) or " · " not in titles[0]:
        yield f"the title is {titles}, not one of the form <page> · <name>"


def _landmarks(root: Element) -> Iterator[str]:
    if not (root.get("lang") or "").strip():
        yield "html has no lang"
    for tag in ("h1", "main"):
        found = [element for element in root.iter(tag) if text_of(element)]
        if len(found) != 1:
            yield f"the page has {len(found)} of {tag}"
    live = [element for element in root.iter() if element.get("aria-live")]
    if len(live) != 1:
        yield f"the page has {len(live)} live regions"


def _labels(root: Element) -> Iterator[str]:
    labelled = {label.get("for") for label in root.iter("label")}
    wrapped = {field for label in root.iter("label") for field in label.iter()}
    for field in root.iter():
        if field.tag not in ("input", "select", "textarea") or field.get("type") in UNLABELLED_TYPES:
            continue
        has_label = field.get("id") in labelled if field.get("id") else False
        if not (has_label or field in wrapped or field.get("aria-label") or field.get("aria-labelledby")):
            yield f"{_describe(field)} has no label"


def _names(root: Element) -> Iterator[str]:
    for element in root.iter():
        if element.tag in ("a", "button", "th", "caption", "legend", "label") and not _name_of(element):
            yield f"{_describe(element)} has no name"
        if element.tag == "img" and element.get("alt") is None:
            yield f"{_describe(element)} has no alt"


def _ids(root: Element) -> Iterator[str]:
    ids = Counter(element.get("id") for element in root.iter() if element.get("id") is not None)
    yield from (f"the id {name!r} is used {times} times" for name, times in ids.items() if times > 1)


def _references(root: Element) -> Iterator[str]:
    ids = {element.get("id") for element in root.iter()}
    for element in root.iter():
        for attribute in REFERENCES:
            for name in (element.get(attribute) or "").split():
                if name not in ids:
                    yield f"{_describe(element)} names the missing id {name!r} in {attribute}"


def _forms(root: Element) -> Iterator[str]:
    for form in root.iter("form"):
        tokens = [field for field in form.iter("input") if field.get("name") == "csrf_token"]
        is_post = (form.get("method") or "get").lower() == "post"
        if is_post and not any(token.get("value") for token in tokens):
            yield f"{_describe(form)} posts without a CSRF token"
        if not is_post and tokens:
            yield f"{_describe(form)} would put its CSRF token into the address"


def _inline_code(root: Element) -> Iterator[str]:
    for element in root.iter():
        if element.tag == "style" or (element.tag == "script" and not element.get("src")):
            yield f"{_describe(element)} is inline"
        for name, value in element.items():
            if name == "style" or name.startswith(("on", "hx-on", "data-hx-on")):
                yield f"{_describe(element)} has the attribute {name}"
            if value.strip().lower().startswith(("javascript:", "js:")):
                yield f"{_describe(element)} runs a script in {name}"


def _tables(root: Element) -> Iterator[str]:
    for table in root.iter("table"):
        if not any(text_of(caption) for caption in table.iter("caption")):
            yield f"{_describe(table)} has no caption"
        headers = {text_of(header) for header in table.iterfind("thead//th")}
        for cell in table.iterfind("tbody/tr/td"):
            label = cell.get("data-label")
            is_plain = cell.get("colspan") or {"row-actions", "select-cell"} & set((cell.get("class") or "").split())
            if label not in headers and not (label is None and is_plain):
                yield f"a cell of {_describe(table)} has the data-label {label!r}, no header's text"


PAGE_RULES = (_title, _landmarks, _references)
RULES = (_labels, _names, _ids, _forms, _inline_code, _tables)
