"""Tenantry: the control plane for multi-tenant software."""
