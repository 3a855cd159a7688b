"""The tables of pen friends, for every test of encryption."""

from tests.encryption.pen_friends import as_superuser, homes, soon, tables

__all__ = ["as_superuser", "homes", "soon", "tables"]
