"""Layouts on their own: they render before any feature gives them a viewer, a tenant or navigation."""

from __future__ import annotations

import html5lib
import pytest
from flask import Flask
from flask_wtf import CSRFProtect
from jinja2 import FileSystemLoader

from app.web.htmx import render
from app.web.security_headers import init_security_headers
from tests.page import PageClient
from tests.web.gallery import ROOT

BODY = "{% block title %}Here{% endblock %}{% block content %}<p>Words.</p>{% endblock %}"


@pytest.fixture
def bare() -> Flask:
    """An app with nothing but the headers, the tokens and static files."""
    app = Flask("bare")
    app.config.update(SECRET_KEY="bare " * 8, TESTING=True)
    app.jinja_loader = FileSystemLoader(ROOT / "templates")
    app.jinja_env.globals["static_url"] = "/static/{}".format
    CSRFProtect(app)
    init_security_headers(app)
    return app


@pytest.mark.parametrize("layout", ["admin", "tenant", "public"])
def test_a_layout_needs_no_feature(bare: Flask, layout: str) -> None:
    template = bare.jinja_env.from_string('{% extends "layouts/' + layout + '.html" %}' + BODY)
    bare.add_url_rule("/", "show_home", template.render)
    page = PageClient(bare.test_client()).get("/")
    assert page.title == "Here · Tenantry"
    assert page.texts("h1") == ["Here"]
    assert page.select("form") == []


def test_a_tenants_layout_carries_its_name(bare: Flask) -> None:
    template = bare.jinja_env.from_string('{% extends "layouts/tenant.html" %}' + BODY)
    bare.add_url_rule("/", view_func=lambda: template.render(tenant={"name": "Acme", "slug": "acme"}))
    page = PageClient(bare.test_client()).get("/")
    assert page.title == "Here · Acme"
    assert page.texts(".topbar-name") == ["Acme"]


def test_who_is_signed_in_can_sign_out_without_javascript(bare: Flask) -> None:
    template = bare.jinja_env.from_string('{% extends "layouts/admin.html" %}' + BODY)
    viewer = {"name": "Ada Lovelace", "role_label": "Platform admin"}
    bare.add_url_rule("/", view_func=lambda: template.render(viewer=viewer, account_url="/account"))
    page = PageClient(bare.test_client()).get("/")
    assert page.form("/sign-out").get("method") == "post"
    assert page.texts(".viewer a") == ["Ada Lovelace"]


def test_a_mail_is_valid_html_with_its_link_in_words(bare: Flask) -> None:
    head = '{% extends "layouts/mail.html" %}{% from "components/mail.html" import mail_button, mail_facts %}'
    body = '{% block subject %}S{% endblock %}{% block content %}{{ mail_button("Go", "/a?b&c") }}{% endblock %}'
    text = bare.jinja_env.from_string(head + body).render()
    parser = html5lib.HTMLParser(namespaceHTMLElements=False)
    parser.parse(text)
    assert parser.errors == []
    assert text.count("/a?b&amp;c") == 3


def test_render_takes_any_name_as_context(bare: Flask) -> None:
    with bare.test_request_context("/"):
        response = render("layouts/mail.txt", 202, page="a page", fragment=None)
    assert response.status_code == 202
