"""Identifiers, made in Python when the object is made."""

from uuid import UUID

import uuid_utils


def new_id() -> UUID:
    """Return a new UUID version 7: ordered by time, safe to show.

    Source: RFC 9562, section 5.7.
    """
    return UUID(bytes=uuid_utils.uuid7().bytes)
