"""Homes: where tenants' tables lie. In this release every home lies in the shared pool of the main server."""
