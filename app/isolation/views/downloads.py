"""A report as files: the document as it was signed, its signature, and the key."""

from __future__ import annotations

from flask import Response

from app.core.runtime import current_settings
from app.isolation import signing
from app.isolation.pdf import render_pdf
from app.isolation.reports import Report


def send_document(report: Report) -> Response:
    """Send the bytes that were signed."""
    return _send(report.document, "application/json", f"isolation-report-{report.id}.json")


def send_signature(report: Report) -> Response:
    """Send the signature of those bytes."""
    return _send(report.signature, "application/octet-stream", f"isolation-report-{report.id}.json.sig")


def send_pdf(report: Report) -> Response:
    """Send the report as people print it."""
    return _send(render_pdf(report), "application/pdf", f"isolation-report-{report.id}.pdf")


def send_public_key() -> Response:
    """Send the key with which reports are verified."""
    pem = signing.render_public_key(signing.load_signing_key(current_settings()).public_key())
    return _send(pem, "application/x-pem-file", "isolation-public-key.pem")


def _send(content: bytes, kind: str, name: str) -> Response:
    response = Response(content, mimetype=kind)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
