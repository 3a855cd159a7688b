"""The figures of a home that the platform shows: published by the home's own job, at most once a minute."""

from __future__ import annotations

from datetime import timedelta

from app.audit.services import unaudited
from app.core import clock
from app.core.job_names import JobName
from app.core.jobs import enqueue
from app.members import queries
from app.members.models import MemberState
from app.tenants.services import publish_fact


@unaudited("a job that follows changes which are events themselves")
def request_facts() -> None:
    """Ask, in the open transaction, for the figures to be published when this minute is over."""
    minute = clock.now().replace(second=0, microsecond=0) + timedelta(minutes=1)
    enqueue(JobName.MEMBERS_PUBLISH_FACTS, key=minute.isoformat(), run_at=minute)


@unaudited("published figures, not changes; each carries its own time")
def publish_facts() -> None:
    """Publish how many members there are, whether the owner has come, and when somebody last signed in."""
    counts, owner, last = queries.count_members(), queries.find_owner(), queries.find_last_sign_in()
    publish_fact("members_count", counts.get(MemberState.ACTIVE, 0))
    publish_fact("members_invited_count", counts.get(MemberState.INVITED, 0))
    publish_fact("owner_has_accepted", owner is not None and owner.is_active)
    if last is not None:
        publish_fact("last_sign_in_at", last.isoformat())
