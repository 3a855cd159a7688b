"""The mailbox of an instance that is not in production: what would have been sent, for people at this machine."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from app.core.errors import NotFoundError
from app.core.runtime import current_settings
from app.mail import queries
from app.mail.links import split_links
from app.web.decorators import allow_anybody
from app.web.hosts import Surface
from app.web.htmx import render
from app.web.tables import TableState

bp = Blueprint("mail_public", __name__, subdomain=Surface.PUBLIC)


@bp.before_request
def refuse_strangers() -> None:
    """Show the mailbox to this machine only: it holds sign-in links.

    Errors: NotFoundError for an address that is not loopback, or that only a proxy nobody trusts has vouched for.
    """
    forwarded = "X-Forwarded-For" in request.headers or "Forwarded" in request.headers
    if (forwarded and current_settings().trusted_proxy_count == 0) or not _is_loopback(request.remote_addr):
        raise NotFoundError("")


@bp.get("/mailbox")
@allow_anybody("only this machine gets here, and only outside production")
def list_mails() -> ResponseReturnValue:
    """Show the mails, newest first."""
    state = TableState.from_args(request.args)
    page = queries.list_mails(_folder(), search=state.search, cursor=state.cursor)
    return render(
        "mail/public/list_mails.html",
        fragment="mail/_mails.html",
        page=page,
        state=state,
        goes_out=current_settings().smtp_url is not None,
    )


@bp.get("/mailbox/<message_id>")
@allow_anybody("only this machine gets here, and only outside production")
def show_mail(message_id: str) -> ResponseReturnValue:
    """Show one mail's text with the links to our own hosts."""
    mail = queries.get_mail(_folder(), message_id)
    spans = split_links(mail.text, current_settings().base_domain)
    return render("mail/public/show_mail.html", mail=mail, spans=spans)


@bp.get("/mailbox/<message_id>/html")
@allow_anybody("only this machine gets here, and only outside production")
def show_mail_html(message_id: str) -> ResponseReturnValue:
    """Send the HTML part as a file; shown here it would run on our own host."""
    response = Response(queries.get_mail(_folder(), message_id).html, mimetype="text/html")
    response.headers.set("Content-Disposition", "attachment", filename="mail.html")
    return response


def _folder() -> Path:
    return current_settings().mail_dir


def _is_loopback(address: str | None) -> bool:
    try:
        return ip_address(address or "").is_loopback
    except ValueError:
        return False
