"""A real SMTP server on a port of its own, with STARTTLS, TLS from the start, or neither."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

PASSWORD = "p@ss/word"


@dataclass
class SmtpServer:
    """What the server was sent; `refuses` lets it answer a temporary error."""

    controller: Any = None
    refuses: bool = False
    received: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    logins: list[bytes] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    @property
    def port(self) -> int:
        return self.controller.port

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        """Keep a message, or answer that this does not work now."""
        if self.refuses:
            return "451 try again later"
        self.received.append(message_from_bytes(envelope.content, policy=default))
        self.recipients.extend(envelope.rcpt_tos)
        self.encrypted.append(session.ssl is not None)
        return "250 kept"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Let one password in."""
        assert isinstance(data, LoginPassword)
        self.logins.append(data.login)
        return AuthResult(success=data.password == PASSWORD.encode())

    def stop(self) -> None:
        """Close the port; a server that was stopped stays stopped."""
        if self.controller.loop.is_running():
            self.controller.stop()


class AnyPort(Controller):
    """A controller on a port that the system chooses."""

    def _trigger_server(self) -> None:
        """Learn the port that was chosen before it is tried."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def start_smtp(folder: Path, *, starttls: bool = False, tls: bool = False, auth: bool = False) -> SmtpServer:
    """Start a server; its certificate lies in the folder."""
    server = SmtpServer()
    context = _context(folder)
    options: dict[str, Any] = {"ssl_context": context} if tls else {}
    options |= {"tls_context": context} if starttls else {}
    options |= {"authenticator": server.authenticate, "auth_required": True} if auth else {}
    options |= {"auth_require_tls": starttls} if auth else {}
    server.controller = AnyPort(server, hostname="127.0.0.1", port=0, **options)
    server.controller.start()
    return server


def _context(folder: Path) -> ssl.SSLContext:
    pem = folder / "certificate.pem"
    pem.write_bytes(b"".join(_certificate()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def _certificate() -> Iterator[bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    names = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        builder.not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    yield key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    yield made.public_bytes(Encoding.PEM)
