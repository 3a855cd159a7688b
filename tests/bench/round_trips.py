"""How often a request's transaction waits for PostgreSQL more than its statements need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import Engine, event

from app.core.database.session import engines
from app.core.tenancy.scopes import Login
from tests.bench.figures import Figure
from tests.bench.stage import Stage
from tests.bench.visitors import Visit
from tests.isolation.test_driver import round_trips

# A driver without tenancy waits for BEGIN, for each statement, and for the end.
BEGIN_AND_END = 2


def measure_round_trips(stage: Stage) -> Iterator[Figure]:
    """Open the members page in this process and count libpq's messages on its one connection."""
    pool = stage.pool(stage.scale.pool_tenants[0])
    with pool.app() as app:
        (visit,) = pool.members_pages(app, pool.settings.port, 1)
        engine = engines().for_login(Login.TENANT)
        for _warm_up in range(2):
            _open(app, visit)
        with round_trips(engine) as trips, _statements(engine) as statements:
            _open(app, visit)
        added = trips.count - len(statements) - BEGIN_AND_END
    yield Figure.of_rounds(
        "tenancy_round_trips", [added], "round trips", of_page=trips.count, statements=len(statements)
    )


def _open(app: Flask, visit: Visit) -> None:
    # A context of its own, or the request would find the viewer of the one before.
    with app.app_context():
        assert app.test_client(use_cookies=False).get(visit.path, headers=visit.headers).status_code == 200


@contextmanager
def _statements(engine: Engine) -> Iterator[list[str]]:
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield found
    event.remove(engine, "before_cursor_execute", note)
