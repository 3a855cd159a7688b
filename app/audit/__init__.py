"""Audit: what was done, by whom, to what; written in the transaction of the change and never altered.

An *AuditEvent* of a control change lies in the control plane, with its tenant; one of a home's change lies in the
home. Public services: record_event; every service of every feature calls it or says why not with `unaudited`.
"""
