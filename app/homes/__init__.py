"""Homes: where tenants' tables lie, in the shared pool, in a schema or in a database of their own, on any server.

A home's structure is read from the catalog (`structure`), so a copy of it covers whatever a migration has added. Public
services: create_home, purge_home.
"""
