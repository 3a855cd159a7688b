"""Dashboards: the first page of each portal, and the checklist that brings an owner to a working workspace."""
