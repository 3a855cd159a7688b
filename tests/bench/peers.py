"""The peer, django-tenants, in an environment of its own: installed, given our tables and rows, told what to do."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
import venv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import ForeignKeyConstraint, Index, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql

from app.core.database.models import Record
from tests.bench.figures import tell

PROJECT = Path(__file__).parent / "peer_project"
CACHE = Path.home() / ".cache" / "tenantry"
SECONDS = 3_600
APPLICATION = "pages:application()"
# What the members page reads; the other tables stay empty on both sides.
FILLED = ("roles", "members", "member_sessions")


def ensure_environment() -> Path:
    """Return the Python of the peer's environment, installed when its list has not been installed before."""
    wanted = PROJECT / "requirements.txt"
    folder = CACHE / f"peer-{hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]}"
    python, finished = folder / "bin" / "python", folder / "finished"
    if not finished.exists():
        tell(f"installing the peer into {folder.name}")
        venv.create(folder, clear=True, with_pip=True)
        install = [python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "-r", wanted]
        subprocess.run(install, check=True)
        finished.touch()
    return python


@dataclass
class Peer:
    """A database of the peer's, a folder for what it generates, and the process that does what it is told."""

    python: Path
    url: str
    folder: Path
    options: dict[str, str] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=lambda: describe_tables())  # noqa: PLW0108  # It stands below.
    is_filled: bool = False
    _driver: subprocess.Popen[str] | None = None

    def prepare(self) -> None:
        """Make the migrations from the tables, and the tables that all tenants share."""
        for package in ("", "shared", "workspace"):
            (self.folder / "peer_migrations" / package).mkdir(parents=True)
            (self.folder / "peer_migrations" / package / "__init__.py").touch()
        self._write_tables()
        self.do("command", words=["makemigrations", "shared", "workspace"])
        self.do("command", words=["migrate_schemas", "--shared"])

    def environment(self) -> dict[str, str]:
        """Return what a process of the peer is told."""
        return {
            "DJANGO_SETTINGS_MODULE": "settings",
            "PEER_DATABASE_URL": self.url,
            "PEER_SECRET_KEY": "a-secret-of-the-peer's-alone",
            "PEER_TABLES": str(self.folder / "tables.json"),
            "PYTHONPATH": f"{PROJECT}:{self.folder}",
            "PATH": str(self.python.parent),
            **self.options,
        }

    def manage(self, *words: str) -> float:
        """Run one of Django's commands; return how many seconds it took."""
        command = [self.python, "-m", "django", *words, "-v", "0"]
        began = time.perf_counter()
        subprocess.run(command, check=True, env=self.environment(), cwd=self.folder, timeout=SECONDS)
        return time.perf_counter() - began

    def do(self, act: str, **given: Any) -> Any:
        """Let the driver do something; return what it answers."""
        if self._driver is None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
            command = [str(self.python), str(PROJECT / "driver.py")]
            self._driver = subprocess.Popen(command, env=self.environment(), cwd=self.folder, **pipes)
        assert self._driver.stdin is not None
        assert self._driver.stdout is not None
        self._driver.stdin.write(json.dumps({"do": act, **given}) + "\n")
        self._driver.stdin.flush()
        return json.loads(self._driver.stdout.readline())

    def add_column(self, table: str, column: str) -> None:
        """Bring a migration that adds a column of text."""
        added = {"name": column, "type": "TEXT", "null": True, "collation": None}
        self.tables[table]["columns"].append(added)
        self._write_tables()
        self.manage("makemigrations", "workspace")

    def migrate(self) -> float:
        """Migrate every tenant by the peer's own parallel executor; return how many seconds that took."""
        return self.manage("migrate_schemas", "--tenant", "--executor=multiprocessing")

    def stop(self) -> None:
        if self._driver is not None and self._driver.stdin is not None and self._driver.stdout is not None:
            self._driver.stdin.close()
            self._driver.wait(timeout=10)
            self._driver.stdout.close()
            self._driver = None

    def _write_tables(self) -> None:
        (self.folder / "tables.json").write_text(json.dumps(self.tables))


def describe_tables() -> dict[str, Any]:
    """Return the product's home tables as the peer's models are made of them; tests have tables of their own."""
    classes = [mapper.class_ for mapper in Record.registry.mappers if mapper.class_.__module__.startswith("app.")]
    tables = sorted(
        {one.__table__ for one in classes if one.__table__.schema == "tenant"}, key=lambda table: table.name
    )
    return {table.name: _describe(table) for table in tables}


def fill_peer(peer: Peer, source_url: str, tenants: Sequence[tuple[str, str]]) -> None:
    """Give tenants, each a schema and a tenant's id, the rows that the product's pool has of them."""
    with psycopg.connect(source_url) as source, psycopg.connect(peer.url) as target:
        target.execute("create schema seed")
        for table in FILLED:
            names = [column["name"] for column in peer.tables[table]["columns"]]
            columns = sql.SQL(", ").join(map(sql.Identifier, names))
            place = sql.Identifier("seed", table)
            like = sql.Identifier(tenants[0][0], table)
            target.execute(sql.SQL("create table {} as select {} from {} limit 0").format(place, columns, like))
            reading = sql.SQL("copy (select {} from {}) to stdout").format(columns, sql.Identifier("pool", table))
            writing = sql.SQL("copy {} ({}) from stdin").format(place, columns)
            with source.cursor().copy(reading) as out, target.cursor().copy(writing) as into:
                for block in out:
                    into.write(block)
            target.execute(sql.SQL("create index on {} (tenant_id)").format(place))
            for schema, tenant_id in tenants:
                own = sql.Identifier(schema, table)
                fill = sql.SQL("insert into {} ({columns}) select {columns} from {} where tenant_id = {}")
                target.execute(fill.format(own, place, sql.Literal(tenant_id), columns=columns))
        target.execute("drop schema seed cascade")
    with psycopg.connect(peer.url, autocommit=True) as target:
        target.execute("vacuum (analyze, freeze)")
    peer.is_filled = True


def _describe(table: Table) -> dict[str, Any]:
    unique = [_names(one.columns) for one in table.constraints if isinstance(one, UniqueConstraint)]
    indexes = [one for one in table.indexes if isinstance(one, Index)]
    return {
        "columns": [
            {
                "name": column.name,
                "type": column.type.compile(postgresql.dialect()).partition(" COLLATE")[0],
                "null": bool(column.nullable),
                "collation": getattr(column.type, "collation", None),
            }
            for column in table.columns
        ],
        "unique": sorted(unique + [_names(one.columns) for one in indexes if one.unique]),
        "indexes": sorted(_names(one.columns) for one in indexes if not one.unique),
        "references": dict(_reference(one) for one in table.constraints if isinstance(one, ForeignKeyConstraint)),
    }


def _reference(key: ForeignKeyConstraint) -> tuple[str, tuple[str, str]]:
    return key.column_keys[-1], (key.referred_table.name, (key.ondelete or "RESTRICT").partition(" ")[0])


def _names(columns: Iterable[Any]) -> list[str]:
    return [column.name for column in columns]
