"""Ready homes as tests want, make and count them."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator

import pytest

from app.core.database.owner import owner_connection
from app.core.tenancy.scopes import DatabaseAddress, Tier, platform_scope
from app.homes import building, ready_homes, services
from app.servers.services import ServerTerms, update_server
from app.web.hosts import Portal
from tests.factories import SETUP
from tests.servers.acts import see
from tests.work import run_jobs

OWN_TIERS = [Tier.SCHEMA, Tier.DATABASE]
NAMES = """
select nspname from pg_namespace where nspname ~ '^w_'
union all select datname from pg_database where datname ~ '^w_' order by 1
"""

# Databases of the tests' other process, which works on the same servers.
_others: set[str] = set()


@pytest.fixture(autouse=True)
def alone_with_ready_homes(app: Portal, annex: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let no other process make ready homes meanwhile: a server's databases do not say whose they are."""
    with (tmp_path_factory.getbasetemp().parent / "ready-homes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _others.clear()
        _others.update(name for server in ("main", annex) for name in there(server))
        yield


def want(schemas: int, databases: int, server: str = "main", *, accepts: bool = True) -> None:
    """Let a server keep so many homes ready."""
    server_id = see(server).id
    with platform_scope("test"):
        update_server(server_id, ServerTerms("eu-central", 1000, accepts, schemas, databases), actor=SETUP)


def fill() -> None:
    """Run the job as the worker does, and what it leaves for later."""
    services.fill_ready_homes()
    run_jobs()


def there(server: str = "main") -> list[str]:
    """Return the ready homes that a server really has."""
    with owner_connection(DatabaseAddress(server)) as connection:
        return [name for (name,) in connection.execute(NAMES) if name not in _others]


def known(server: str = "main") -> list[str]:
    """Return those that the control plane knows of."""
    with owner_connection() as control:
        return sorted(home.name for home in ready_homes._list(control, server))


def no_making(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever makes a home instead of claiming one fail."""

    def refuse(*_given: object, **_more: object) -> None:
        raise AssertionError("a home was made although one was ready")

    for name in ("make_schema", "make_database", "ensure_template_database"):
        monkeypatch.setattr(building, name, refuse)
