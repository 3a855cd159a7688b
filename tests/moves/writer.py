"""A writer of a tenant that never rests: adds, updates, deletes, exchanged unique values; it keeps a ledger."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from flask import Flask
from sqlalchemy import delete, insert, update

from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import UnavailableError
from app.core.ids import new_id
from app.core.tenancy.scopes import tenant_scope
from app.settings.models import Setting
from tests.tenant_rows import route_of

Ledger = dict[UUID, tuple[str, int]]


class Writer:
    """Writes settings through the product; `ledger` holds what it knows to be committed."""

    def __init__(self, app: Flask, tenant_id: UUID, seed: int = 1) -> None:
        self.app, self.tenant_id = app, tenant_id
        self.random = random.Random(seed)
        self.ledger: Ledger = {}
        self.commits = self.refusals = 0
        self.longest_gap_seconds, self.committed_at = 0.0, time.monotonic()
        self.stopped = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Write until told to stop; what is refused is written down nowhere and tried anew."""
        with self.app.app_context():
            try:
                while not self.stopped.is_set():
                    self.write()
            except BaseException as error:
                self.failure = error

    def write(self) -> None:
        """Try one transaction of a few changes."""
        draft = dict(self.ledger)
        try:
            with tenant_scope(route_of(self.tenant_id), reason="writer"), transaction():
                for _ in range(self.random.randint(1, 4)):
                    self.change(draft)
        except UnavailableError:
            self.refusals += 1
            self.stopped.wait(0.005)
            return
        self.ledger, self.commits = draft, self.commits + 1
        now = time.monotonic()
        self.longest_gap_seconds = max(self.longest_gap_seconds, now - self.committed_at)
        self.committed_at = now

    def change(self, draft: Ledger) -> None:
        """Make one change, in the open transaction and in the draft of the ledger."""
        number = self.random.randint(0, 10**6)
        kind = self.random.choice(["add", "add", "update", "delete", "rename_key", "swap"]) if len(draft) > 3 else "add"
        if kind == "add":
            row_id = new_id()
            draft[row_id] = (f"key-{row_id.hex}", number)
            db.session.execute(insert(Setting).values(id=row_id, key=draft[row_id][0], value=number))
        elif kind == "update":
            row_id = self.random.choice([*draft])
            draft[row_id] = (draft[row_id][0], number)
            self.set(row_id, value=number)
        elif kind == "delete":
            row_id = self.random.choice([*draft])
            del draft[row_id]
            db.session.execute(delete(Setting).where(Setting.id == row_id))
        elif kind == "rename_key":
            row_id, other = self.random.choice([*draft]), new_id()
            draft[other] = draft.pop(row_id)
            self.set(row_id, id=other)
        else:
            self.swap(draft)

    def swap(self, draft: Ledger) -> None:
        """Let two rows exchange their unique keys."""
        one, two = self.random.sample([*draft], 2)
        (first, value), (second, other) = draft[one], draft[two]
        self.set(one, key=f"parked-{one.hex}")
        self.set(two, key=first)
        self.set(one, key=second)
        draft[one], draft[two] = (second, value), (first, other)

    def set(self, row_id: UUID, **values: object) -> None:
        """Update one row."""
        statement = update(Setting).where(Setting.id == row_id).values(**values)
        db.session.execute(statement.execution_options(synchronize_session=False))


@contextmanager
def writing(app: Flask, tenant_id: UUID) -> Iterator[Writer]:
    """Let a writer work while the block runs; its failure is the block's."""
    writer = Writer(app, tenant_id)
    thread = threading.Thread(target=writer.run)
    thread.start()
    try:
        yield writer
    finally:
        writer.stopped.set()
        thread.join()
    if writer.failure is not None:
        raise writer.failure
