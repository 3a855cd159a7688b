"""A line between the application and PostgreSQL that a test can cut while a COMMIT is under way."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from app import create_app
from app.core.config import Settings
from app.core.database.session import engines, registry
from app.core.tenancy.scopes import Login
from app.web.hosts import Portal

COMMIT = b"COMMIT\x00"
ALL_CONNECTIONS = 1_000_000


@dataclass
class Wire:
    """A proxy on loopback; it cuts the next commit either before the server hears of it or before it can answer."""

    server: tuple[str, int]
    listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))
    lost: str | None = None
    refused_after: int = 0
    refusals: int = 0

    @property
    def port(self) -> int:
        return self.listener.getsockname()[1]

    def lose_commit(self, *, then_refuse: int = 0) -> None:
        """Cut both sides in place of handing on the next COMMIT: the server never hears of it."""
        self.lost, self.refused_after = "question", then_refuse

    def lose_answer(self, *, then_refuse: int = 0) -> None:
        """Cut both sides in place of handing on the answer to the next COMMIT: the server has done it."""
        self.lost, self.refused_after = "answer", then_refuse

    def serve(self) -> None:
        """Join each connection to one of the server's until the listener is closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusals:
                self.refusals -= 1
                client.close()
                continue
            pair = (client, socket.create_connection(self.server))
            answers_commit = threading.Event()
            for from_client in (True, False):
                threading.Thread(target=self._pump, args=(pair, from_client, answers_commit), daemon=True).start()

    def _pump(self, pair: tuple[socket.socket, socket.socket], from_client: bool, commits: threading.Event) -> None:
        source, sink = pair if from_client else pair[::-1]
        with suppress(OSError):
            while data := source.recv(65536):
                if from_client and COMMIT in data and self.lost is not None:
                    commits.set()
                if commits.is_set() and from_client is (self.lost == "question"):
                    self.lost, self.refusals = None, self.refused_after
                    break
                sink.sendall(data)
        for end in pair:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()


@contextmanager
def wired_app(settings: Settings) -> Iterator[tuple[Portal, Wire]]:
    """Run an application whose runtime logins reach the server over a wire."""
    platform, tenant = settings.database_platform_url, settings.database_tenant_url
    assert platform is not None
    assert tenant is not None
    url = make_url(platform.get_secret_value())
    wire = Wire((url.host or "", url.port or 0))
    threading.Thread(target=wire.serve, daemon=True).start()
    made = create_app(
        settings.model_copy(
            update={
                "database_platform_url": _over(wire, platform),
                "database_tenant_url": _over(wire, tenant),
            }
        ),
        polls=False,
    )
    with made.app_context():
        for login in (Login.PLATFORM, Login.TENANT):
            # A pool's first connection asks the server for more, with commits of its own.
            engines().for_login(login).raw_connection().close()
        yield made, wire
        engines().dispose()
        registry().close()
    wire.listener.shutdown(socket.SHUT_RDWR)
    wire.listener.close()


def _over(wire: Wire, url: SecretStr) -> SecretStr:
    through = make_url(url.get_secret_value()).set(host="127.0.0.1", port=wire.port)
    return SecretStr(through.render_as_string(hide_password=False))
