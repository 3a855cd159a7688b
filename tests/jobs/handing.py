"""The dispatcher's sweep, counted."""

from __future__ import annotations

from app.jobs.dispatcher import sweep


def handed(per_tenant: int) -> int:
    """Sweep every database once; return how many jobs went to RQ."""
    return sum(sweep(per_tenant).values())
