"""The one budget of connections that a process may hold, over all servers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

from sqlalchemy import Engine, event

from app.core.errors import UnavailableError

Connected = TypeVar("Connected")
BUDGET_SPENT = "Every database connection of this process is in use; please try again shortly."


class ConnectionBudget:
    """Counts open connections and refuses one beyond the limit, after idle ones elsewhere were given up."""

    def __init__(self, limit: int, free_idle: Callable[[], None]) -> None:
        self.limit = limit
        self._free_idle = free_idle
        # Whichever way a connection ends, closed or forgotten, it stops counting.
        self._connections: WeakSet[Any] = WeakSet()
        self._pending_count = 0
        self._lock = threading.Lock()

    @property
    def open_count(self) -> int:
        """Return how many connections are open or being opened."""
        return self._pending_count + sum(not connection.closed for connection in list(self._connections))

    def watch(self, engine: Engine) -> None:
        """Let an engine's connections count.

        Errors: UnavailableError from whoever then asks the engine for one too many.
        """

        def connect(dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
            return self.open(partial(dialect.connect, *arguments, **options))

        event.listen(engine, "do_connect", connect)

    def open(self, connect: Callable[[], Connected]) -> Connected:
        """Open a connection that counts until it is closed.

        Errors: UnavailableError when it is one too many; whatever `connect` raises.
        """
        self._reserve()
        try:
            connection = connect()
            self._connections.add(connection)
        finally:
            with self._lock:
                self._pending_count -= 1
        return connection

    def has_room(self, count: int) -> bool:
        """Tell whether so many more could be opened now; idle ones elsewhere are given up for them."""
        if self.open_count + count > self.limit:
            self._free_idle()
        return self.open_count + count <= self.limit

    def forget(self) -> None:
        """Count anew, in a forked child that has dropped its parent's connections."""
        self._lock = threading.Lock()
        self._connections.clear()
        self._pending_count = 0

    def _reserve(self) -> None:
        if self._try_to_reserve():
            return
        self._free_idle()
        if not self._try_to_reserve():
            raise UnavailableError(BUDGET_SPENT)

    def _try_to_reserve(self) -> bool:
        with self._lock:
            if self.open_count >= self.limit:
                return False
            self._pending_count += 1
            return True
