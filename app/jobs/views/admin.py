"""The Jobs page of the platform portal: queues, workers, what waits, what failed and why, and trying it again."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, flash, request, url_for
from flask.typing import ResponseReturnValue

from app.core import clock
from app.core.jobs import Queue, list_job_kinds
from app.core.permissions import Permission
from app.jobs import queries, services
from app.jobs.index import STAGES
from app.jobs.queries import JobFilter
from app.jobs.workers import find_workforce
from app.web.decorators import require
from app.web.hosts import Surface
from app.web.htmx import redirect_to, render
from app.web.identity import current_actor
from app.web.named_tenants import find_named_tenant
from app.web.tables import TableState, csv_response

bp = Blueprint("jobs_admin", __name__, subdomain=Surface.ADMIN)
CSV_HEADER = (
    "id", "kind", "queue", "stage", "attempt", "tenant_id", "error", "run_at", "created_at", "started_at",
    "finished_at",
)  # fmt: skip


@bp.get("/jobs")
@require(Permission.JOB_READ)
def list_jobs() -> ResponseReturnValue:
    """Show the queues, who serves them, and the jobs that the filters leave."""
    state = _state()
    wanted = _filter(state)
    return render(
        "jobs/admin/list_jobs.html",
        fragment="jobs/_jobs.html",
        state=state,
        page=queries.list_jobs(wanted, state.cursor),
        counts=queries.count_jobs(wanted.tenant_id),
        queues=list(Queue),
        workforce=find_workforce(),
        summary_at=queries.find_oldest_summary(),
        kinds=[kind.name for kind in list_job_kinds()],
        stages=STAGES,
    )


@bp.get("/jobs.csv")
@require(Permission.JOB_READ)
def list_jobs_csv() -> ResponseReturnValue:
    """Send the newest jobs that the filters leave, not only a page of them."""
    return csv_response(f"jobs-{clock.now():%Y-%m-%d}.csv", CSV_HEADER, _csv_rows(_filter(_state())))


@bp.get("/jobs/<uuid:job_id>")
@require(Permission.JOB_READ)
def show_job(job_id: UUID) -> ResponseReturnValue:
    """Show one job: where it stands, when it ran, what went wrong."""
    return render("jobs/admin/show_job.html", fragment="jobs/_job.html", job=queries.get_job(job_id))


@bp.post("/jobs/<uuid:job_id>/retries")
@require(Permission.JOB_RETRY)
def create_retry(job_id: UUID) -> ResponseReturnValue:
    """Run a failed job again and show it."""
    services.retry_job(job_id, actor=current_actor())
    flash("The job will run again.", "success")
    return redirect_to(url_for(".show_job", job_id=job_id))


def _state() -> TableState:
    kinds = [kind.name for kind in list_job_kinds()]
    return TableState.from_args(request.args, filters={"state": STAGES, "kind": kinds, "tenant": None})


def _filter(state: TableState) -> JobFilter:
    return JobFilter(
        state.filters.get("state"), state.filters.get("kind"), find_named_tenant(state.filters.get("tenant"))
    )


def _csv_rows(wanted: JobFilter) -> Iterator[tuple[object, ...]]:
    for job in queries.iterate_jobs(wanted):
        yield (
            str(job.id), job.kind, job.queue, job.stage, job.attempt, str(job.tenant_id or ""), job.error, job.run_at,
            job.created_at, job.started_at, job.finished_at,
        )  # fmt: skip
