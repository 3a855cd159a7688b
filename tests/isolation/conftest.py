"""The toy tables, the two homes and the watched registry, for every test of isolation."""

from tests.isolation.lines import line, poller, registered, watched
from tests.isolation.toy import acme, globex, homes, toy_tables, without_rls

__all__ = [
    "acme",
    "globex",
    "homes",
    "line",
    "poller",
    "registered",
    "toy_tables",
    "watched",
    "without_rls",
]
