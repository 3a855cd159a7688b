"""The toy tables and the two homes, for every test of isolation."""

from tests.isolation.toy import acme, globex, homes, toy_tables, without_rls

__all__ = ["acme", "globex", "homes", "toy_tables", "without_rls"]
