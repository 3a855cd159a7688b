"""What the first pages show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from app.core import clock
from app.core.database.session import db
from app.isolation.queries import Standing, list_standings
from app.operations.models import Operation, OperationState
from app.tenants.models import Tenant
from app.tenants.status import TenantStatus

RECENT = 6


@dataclass(frozen=True)
class PlatformOverview:
    """The platform in numbers, and what needs a look."""

    counts: dict[str, int]
    new_this_week: int
    newest: list[Tenant]
    failed_operations: list[Operation]
    unsafe_servers: list[Standing]

    @property
    def total(self) -> int:
        gone = (TenantStatus.DELETED, TenantStatus.REQUESTED)
        return sum(count for status, count in self.counts.items() if status not in gone)


def get_platform_overview() -> PlatformOverview:
    """Count tenants by status and list the newest, and the operations that failed."""
    rows = db.session.execute(select(Tenant.status, func.count()).group_by(Tenant.status)).all()
    week = clock.now() - timedelta(days=7)
    newest = select(Tenant).where(Tenant.status != TenantStatus.DELETED)
    failed = select(Operation).where(Operation.state == OperationState.FAILED)
    return PlatformOverview(
        counts={row[0]: row[1] for row in rows},
        new_this_week=db.session.scalar(select(func.count()).where(Tenant.created_at > week)) or 0,
        newest=list(db.session.scalars(newest.order_by(Tenant.created_at.desc()).limit(RECENT))),
        unsafe_servers=[standing for standing in list_standings() if standing.key != "proven"],
        failed_operations=list(db.session.scalars(failed.order_by(Operation.created_at.desc()).limit(RECENT))),
    )
