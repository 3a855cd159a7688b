"""What the tests of servers do again and again."""

from __future__ import annotations

from uuid import UUID

from app.core.database.session import db
from app.core.tenancy.scopes import platform_scope
from app.operations.models import Operation
from app.servers import queries, services
from app.servers.models import Server
from app.servers.services import ServerTerms
from tests.factories import SETUP
from tests.operations.toys import expire_leases
from tests.servers import ANNEX
from tests.work import make_jobs_due, run_jobs

TERMS = ServerTerms("eu-west", 3, accepts_homes=True)


def register(url: str, name: str = "bare", terms: ServerTerms = TERMS) -> UUID:
    """Register a server; its preparation waits for a worker."""
    with platform_scope("test"):
        return services.register_server(name, terms, url=url, actor=SETUP)


def add_annex(*, capacity: int = 100, region: str = "eu-west") -> UUID:
    """Register the second server, which the suite has prepared already."""
    with platform_scope("test"):
        server = Server(name=ANNEX, region=region, capacity=capacity, accepts_homes=True, state="ready")
        db.session.add(server)
        db.session.commit()
        return server.id


def see(name: str = "bare") -> Server:
    """Return a server as it is now."""
    with platform_scope("test"):
        return queries.get_server_by_name(name)


def latest_operation(name: str = "bare") -> Operation:
    """Return the newest operation on a server."""
    with platform_scope("test"):
        found = queries.find_latest_operation(name)
        assert found is not None
        return found


def run_to_the_end() -> None:
    """Run jobs with every attempt that they have, whatever they raise."""
    for _attempt in range(6):
        run_jobs(may_fail=True)
        expire_leases()
        make_jobs_due()
