"""Isolation as evidence: canary tenants on each server, probes that try to cross every wall, and signed reports.

A *canary* is a tenant of the platform's own with *planted values*; a *probe* is one run of all checks on a server; its
*report* is the document of it, signed with Ed25519. Public services: request_probe, request_probes, run_probe.
"""
