"""Fork while a connection is open, and use the database on both sides: `python -m tests.isolation.forked`."""

from __future__ import annotations

import json
import os

from sqlalchemy import text

from app import create_app
from app.core.database.session import db, engines, registry
from app.core.tenancy.scopes import platform_scope

NOBODY = "nobody-by-that-name"


def report(side: str) -> None:
    """Ask over the pool and over the registry's connection; print which of the server's processes answered."""
    with platform_scope(side):
        pid = db.session.scalar(text("select pg_backend_pid()"))
    route = registry().resolve_host(NOBODY)
    print(json.dumps({"side": side, "pid": pid, "route": route}), flush=True)


def main() -> None:
    """Let the child ask while the parent's connections lie in both its pool and its registry, then the parent again."""
    report("parent before")
    child = os.fork()
    if child == 0:
        report("child")
    else:
        assert os.waitpid(child, 0)[1] == 0
        report("parent after")
    engines().dispose()
    registry().close()


if __name__ == "__main__":
    with create_app(polls=False).app_context():
        main()
