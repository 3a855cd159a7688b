"""Homes as sources and targets of a bulk copy, over the owner's own connections."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal

from psycopg import sql

from app.core.database.home_versions import RECORD
from app.core.runtime import current_settings
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import Tier
from app.moves.copying import Blocks, Target
from app.moves.ends import End
from app.moves.extracts import Extract, Plan, Recode
from app.moves.verification import Fingerprint, Fingerprints, fingerprint, refuse_orphans

_STAMP_HOME = "insert into alembic_version values (%s)"
_NOTHING = Fingerprint(0, Decimal(0))
# Source: PostgreSQL's documentation of COPY, text format.
_ESCAPES = str.maketrans({"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"})


@dataclass(frozen=True)
class HomeSource:
    """A home that is read; nothing is written to it."""

    end: End

    def snapshot(self) -> AbstractContextManager[None]:
        """Hold one moment's state of the home; its writers go on."""
        return self.end.transaction(snapshot=True)

    def check(self, plan: Plan) -> None:
        """Refuse rows that refer to none."""
        refuse_orphans(self.end, plan.structure)

    def fingerprint(self, plan: Plan) -> Fingerprints:
        """Return the fingerprint of what arrives as it is."""
        found = fingerprint(self.end, plan.structure, [one for one in plan.extracts if not one.is_empty])
        return {one.table: found.get(one.table, _NOTHING) for one in plan.extracts}

    def read(self, extract: Extract) -> Iterator[bytes | bytearray | memoryview]:
        """Yield what an extract takes."""
        query = extract.render_reading(self.end.table(extract.table), self.end.tenant_id)
        statement = sql.SQL("copy ({}) to stdout {}").format(query, _format_of(extract))
        with self.end.connection.cursor() as cursor, cursor.copy(statement) as out:
            if not extract.recoded:
                yield from out
                return
            recodes = [extract.recoded.get(name) for name in extract.columns]
            for row in out.rows():
                yield _write_line(_recode(text, recode) for text, recode in zip(row, recodes, strict=True))


@dataclass(frozen=True)
class OwnHome:
    """A schema or a database that holds one home alone.

    COPY is refused on a table whose row-level security applies, so the home gets its guards after its rows.
    """

    end: End

    def filling(self) -> AbstractContextManager[None]:
        """Fill it in one transaction; its tables have no policies yet."""
        return self.end.bare_transaction()

    def begin(self, plan: Plan) -> None:
        """Make its schema anew, with bare tables."""
        schema = self.end.placement.schema
        _begin_schema(self.end, schema)
        tenant = sql.Identifier(Roles(current_settings().role_prefix).tenant)
        self.end.connection.execute(sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema), tenant))
        self.end.connection.execute(plan.structure.render_tables().encode())

    def write(self, extract: Extract, blocks: Blocks) -> int:
        """Write an extract into its bare table."""
        return _write(self.end, self.end.placement.schema, extract, blocks)

    def settle(self, _plan: Plan) -> None:
        """Leave the rows where they are."""

    def check(self, plan: Plan) -> None:
        """Refuse rows that refer to none."""
        refuse_orphans(self.end, plan.structure)

    def fingerprint(self, plan: Plan) -> Fingerprints:
        """Return the fingerprint of what arrived as it is."""
        return fingerprint(self.end, plan.structure, plan.extracts)

    def complete(self, plan: Plan) -> None:
        """Add keys, indexes and policies, and stamp the home's version."""
        version = plan.structure.version
        self.end.connection.execute(plan.structure.render_guards().encode())
        self.end.connection.execute(_STAMP_HOME, (version,))
        self.end.connection.execute(RECORD.format(schema=self.end.placement.schema, version=version).encode())


@dataclass(frozen=True)
class PoolHome:
    """A tenant's rows in the shared pool.

    A pool's tables are always guarded, so the rows come through bare ones in a schema that nobody else may enter.
    """

    end: End

    def filling(self) -> AbstractContextManager[None]:
        """Fill it in one transaction, under the tenant's context."""
        return self.end.transaction()

    def begin(self, plan: Plan) -> None:
        """Take away the tenant's rows, and make the bare tables."""
        for table in reversed(plan.structure.tables):
            delete = sql.SQL("delete from {} where tenant_id = %s").format(self.end.table(table))
            self.end.connection.execute(delete, (self.end.tenant_id,))
        _begin_schema(self.end, self._staging)
        tables = plan.structure.render_tables().replace("create table ", "create unlogged table ")
        self.end.connection.execute(tables.encode())

    def write(self, extract: Extract, blocks: Blocks) -> int:
        """Write an extract into its bare table."""
        return _write(self.end, self._staging, extract, blocks)

    def settle(self, plan: Plan) -> None:
        """Bring the rows into the pool."""
        for one in plan.extracts:
            insert = sql.SQL("insert into {} ({columns}) select {columns} from {}.{}")
            names = (self.end.table(one.table), sql.Identifier(self._staging), sql.SQL(one.table))
            self.end.connection.execute(insert.format(*names, columns=one.column_list))

    def check(self, plan: Plan) -> None:
        """Refuse rows that refer to none."""
        refuse_orphans(self.end, plan.structure)

    def fingerprint(self, plan: Plan) -> Fingerprints:
        """Return the fingerprint of what arrived as it is."""
        return fingerprint(self.end, plan.structure, plan.extracts)

    def complete(self, _plan: Plan) -> None:
        """Drop the bare tables; the pool has everything else."""
        self.end.connection.execute(sql.SQL("drop schema {} cascade").format(sql.Identifier(self._staging)))

    @property
    def _staging(self) -> str:
        return f"m_{self.end.tenant_id.hex}"


def target_at(end: End) -> Target:
    """Return the home at an end as what a copy fills."""
    return PoolHome(end) if end.placement.tier is Tier.POOL else OwnHome(end)


def _begin_schema(end: End, schema: str) -> None:
    name = sql.Identifier(schema)
    end.connection.execute(sql.SQL("drop schema if exists {} cascade").format(name))
    end.connection.execute(sql.SQL("create schema {}").format(name))
    end.connection.execute(sql.SQL("set local search_path to {}").format(name))


def _write(end: End, schema: str, extract: Extract, blocks: Blocks) -> int:
    names = (sql.Identifier(schema), sql.SQL(extract.table), extract.column_list, _format_of(extract))
    statement = sql.SQL("copy {}.{} ({}) from stdin {}").format(*names)
    byte_count = 0
    with end.connection.cursor() as cursor, cursor.copy(statement) as into:
        for block in blocks:
            byte_count += len(block)
            into.write(block)
    return byte_count


def _format_of(extract: Extract) -> sql.SQL:
    return sql.SQL("(format text)" if extract.recoded else "(format binary)")


def _recode(text: str | None, recode: Recode | None) -> str | None:
    return text if text is None or recode is None else recode(text)


def _write_line(values: Iterator[str | None]) -> bytes:
    return ("\t".join("\\N" if text is None else text.translate(_ESCAPES) for text in values) + "\n").encode()
