"""Moves: a tenant's home goes from any tier and server to any other, online: copy, verify, flip, purge.

A move writes down the keys that the tenant's writers change (`changes`) while it copies the home from one snapshot
(`copying`), follows them until little is left, fences the home for a moment, verifies, and turns the route
(`switching`). Until then any failure returns to the source; afterwards the source is kept for a while, and a return
takes back what was written since. Public services: start_move, start_return, finish_move.
"""
