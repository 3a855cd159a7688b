"""Schedules: each tick is a row, so any number of schedulers makes one run, and missed ticks make one late run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import DateTime, delete, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from app.audit.services import unaudited
from app.core import clock
from app.core.database.models import Record
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.job_names import JobName
from app.core.jobs import enqueue

KEPT = timedelta(days=7)


class ScheduleTick(Record):
    """One tick that was turned into a job."""

    __tablename__ = "schedule_ticks"
    __table_args__ = ({"schema": "control"},)

    schedule: Mapped[str] = mapped_column(primary_key=True)
    tick_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)


@dataclass(frozen=True)
class Schedule:
    """A platform job that runs every so many seconds, counted from the epoch."""

    job: JobName
    every_seconds: int

    def tick_before(self, now: datetime) -> datetime:
        """Return the newest tick that is not in the future."""
        seconds = int(now.timestamp())
        return datetime.fromtimestamp(seconds - seconds % self.every_seconds, UTC)


_schedules: dict[JobName, Schedule] = {}


def register_schedule(schedule: Schedule) -> None:
    """Declare a schedule; one a job."""
    _schedules[schedule.job] = schedule


def list_schedules() -> list[Schedule]:
    """Return the declared schedules by job."""
    return sorted(_schedules.values(), key=lambda schedule: schedule.job)


@unaudited("a tick is no decision of anybody's; the job that it makes records what it does")
def enqueue_due_ticks() -> int:
    """Turn each schedule's newest tick into a job, once; ticks missed before it are covered by that run."""
    now, count = clock.now(), 0
    for schedule in list_schedules():
        tick = schedule.tick_before(now)
        with transaction():
            if _is_first(schedule, tick):
                enqueue(schedule.job, key=tick.isoformat())
                count += 1
    return count


@unaudited("housekeeping")
def forget_old_ticks() -> None:
    """Delete ticks that no scheduler will ask for again."""
    with transaction():
        db.session.execute(delete(ScheduleTick).where(ScheduleTick.tick_at < clock.now() - KEPT))


def _is_first(schedule: Schedule, tick: datetime) -> bool:
    # A scheduler that stood still, or whose clock is behind, brings a tick that a later one has covered already.
    covered = select(ScheduleTick.schedule).where(
        ScheduleTick.schedule == schedule.job.value, ScheduleTick.tick_at >= tick
    )
    tick_row = select(literal(schedule.job.value), literal(tick, DateTime(timezone=True))).where(~covered.exists())
    row = insert(ScheduleTick).from_select(["schedule", "tick_at"], tick_row).on_conflict_do_nothing()
    return db.session.scalar(row.returning(ScheduleTick.schedule)) is not None
