"""How PostgreSQL would answer what a piece of the product asks: the scans of its plans, each with its index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, event

from app.core.database.session import db


@dataclass(frozen=True)
class Scan:
    """One way into a table; a sequential scan has neither index nor condition."""

    schema: str
    table: str
    index: str
    condition: str

    @property
    def is_narrowed_to_tenant(self) -> bool:
        return re.search(r"tenant_id\)? = ", self.condition) is not None


def database_of(superuser_url: str, instance_url: str) -> str:
    """Return the superuser's address of the database that the tests of this process use."""
    return f"{superuser_url.rsplit('/', 1)[0]}/{instance_url.rpartition('/')[2]}"


def scans_of(call: Callable[[], object]) -> list[Scan]:
    """Do something and return every scan in the plans of the statements that it sent, in the running scope."""
    sent: list[tuple[Engine, str, Any]] = []

    def note(connection: Connection, _cursor: object, statement: str, parameters: Any, *_more: object) -> None:
        sent.append((connection.engine, statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        call()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert sent, "nothing was asked"
    return [scan for asked in sent for scan in _scans(_explain(*asked))]


def _explain(engine: Engine, text: str, given: Any) -> dict[str, Any]:
    # Where a home lies in another database, a page may have asked both.
    connection = db.session.connection(bind_arguments={"bind": engine})
    found = connection.exec_driver_sql(f"explain (verbose, format json) {text}", given)
    plan: dict[str, Any] = found.scalar_one()[0]["Plan"]
    return plan


def _scans(node: dict[str, Any], above: tuple[str, str] = ("", "")) -> Iterator[Scan]:
    relation = (node["Schema"], node["Relation Name"]) if "Relation Name" in node else above
    # The heap's part of a bitmap scan asks no index itself; the parts below it do.
    if "Scan" in node["Node Type"] and node["Node Type"] != "Bitmap Heap Scan" and any(relation):
        yield Scan(*relation, node.get("Index Name", ""), node.get("Index Cond", ""))
    for child in node.get("Plans", ()):
        yield from _scans(child, relation)
