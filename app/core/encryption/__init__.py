"""Sealing values under a tenant's keys: keys and where they come from, ciphertext, encrypted attributes, blind indexes.

A *data key* has an owner (a tenant, or the platform), a purpose and a version. A *place* is the table, column and row
that a sealed value belongs to; it opens nowhere else. Keys themselves are kept by the feature `encryption`, which plugs
itself in as the *key source*.
"""
