"""Delivery: one file a mail under the instance's folder, or a message to the SMTP server."""

from __future__ import annotations

import os
import smtplib
import ssl
import tempfile
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from app.core.errors import ConfigError
from app.core.runtime import current_settings

SMTP_TIMEOUT_SECONDS = 20
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def deliver(message: EmailMessage) -> None:
    """Hand a message to the SMTP server if there is one, else put it into the mail folder.

    Errors: OSError and smtplib.SMTPException when that fails now; ConfigError when the password would travel openly.
    """
    settings = current_settings()
    if settings.smtp_url is not None:
        send_by_smtp(message, settings.smtp_url.get_secret_value())
    else:
        write_mail_file(message, settings.mail_dir)


def write_mail_file(message: EmailMessage, folder: Path) -> Path:
    """Write a message as one file named by its Message-ID, whole or not at all; the same message replaces itself."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{message['Message-ID'].strip('<>')}.eml"
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".part", delete=False) as draft:
        draft.write(message.as_bytes())
        draft.flush()
        os.fsync(draft.fileno())
    Path(draft.name).replace(target)
    # The rename itself is on the disk only when the folder is.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return target


def send_by_smtp(message: EmailMessage, url: str) -> None:
    """Send a message through smtp:// (with STARTTLS where the server offers it) or smtps://."""
    parts = urlsplit(url)
    with _connect(parts) as server:
        server.ehlo()
        if parts.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
        if parts.username:
            _refuse_open_password(server, parts)
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(message)


def _connect(parts: SplitResult) -> smtplib.SMTP:
    host = parts.hostname or "localhost"
    if parts.scheme == "smtp":
        return smtplib.SMTP(host, parts.port or 25, timeout=SMTP_TIMEOUT_SECONDS)
    context = ssl.create_default_context()
    return smtplib.SMTP_SSL(host, parts.port or 465, timeout=SMTP_TIMEOUT_SECONDS, context=context)


def _refuse_open_password(server: smtplib.SMTP, parts: SplitResult) -> None:
    # Whoever can strip STARTTLS from the server's greeting would otherwise be told the password.
    if not isinstance(server.sock, ssl.SSLSocket) and parts.hostname not in LOOPBACK_NAMES:
        raise ConfigError("SMTP_URL has a password, and its server offers no encryption to send it over.")
