"""What the platform login may do with tenants' jobs: dispatch, renew, postpone, retry, list, prune; no payload."""

from alembic import op

from app.core.tenancy.ddl import publish_function, roles_of
from migrations.job_functions import DISPATCH_BODY, DISPATCH_RETURNS

revision = "0002"
down_revision = "0001"

DEFINER = "security definer set search_path = pg_catalog, pg_temp"
SHOWN = """returns table (tenant_id uuid, id uuid, kind text, queue text, state text, attempt integer,
    run_at timestamptz, lease_until timestamptz, error text, request_id text, created_at timestamptz,
    started_at timestamptz, finished_at timestamptz)"""
COLUMNS = """j.tenant_id, j.id, j.kind, j.queue, j.state, j.attempt, j.run_at, j.lease_until, j.error, j.request_id,
        j.created_at, j.started_at, j.finished_at"""
# Ids are ordered by time, so one index serves the list and the look-up.
INDEXES = """
create index ix_outbox_id on tenancy.outbox (id);
create index ix_outbox_failed on tenancy.outbox (id) where state = 'failed';
"""
# "Scheduled" is no state of a row: it is pending, and its moment has not come.
STAGE = "case when j.state = 'pending' and j.run_at > clock_timestamp() then 'scheduled' else j.state end"
# Conditions on the columns, so that the indexes of failed jobs and of due ones serve; an expression would not.
MATCHES = """(only_stage is null or j.state = case only_stage when 'scheduled' then 'pending' else only_stage end)
        and (only_stage is null or only_stage not in ('pending', 'scheduled')
            or (j.run_at > clock_timestamp()) = (only_stage = 'scheduled'))
        and (only_kind is null or j.kind = only_kind) and (only_tenant is null or j.tenant_id = only_tenant)"""
FUNCTIONS = {
    "tenancy.dispatch_jobs(integer, integer, integer)": f"""
create function tenancy.dispatch_jobs(most integer, most_per_tenant integer, lease_seconds integer)
{DISPATCH_RETURNS} language sql volatile {DEFINER} as $$ {DISPATCH_BODY.format(outbox="tenancy.outbox")} $$""",
    "tenancy.requeue_jobs()": f"""
create function tenancy.requeue_jobs() returns bigint language sql volatile {DEFINER} as $$
    with lost as (
        update tenancy.outbox set state = 'pending', lease_until = null where state = 'queued' returning 1)
    select count(*) from lost
$$""",
    "tenancy.renew_lease(uuid, uuid, integer, integer)": f"""
create function tenancy.renew_lease(tenant uuid, job uuid, held_token integer, lease_seconds integer)
returns boolean language sql volatile {DEFINER} as $$
    with held as (
        update tenancy.outbox set lease_until = clock_timestamp() + make_interval(secs => lease_seconds)
        where tenant_id = tenant and id = job and token = held_token and state = 'running' returning 1)
    select exists (select from held)
$$""",
    "tenancy.postpone_job(uuid, uuid, integer, integer)": f"""
create function tenancy.postpone_job(tenant uuid, job uuid, held_token integer, wait_seconds integer)
returns boolean language sql volatile {DEFINER} as $$
    with held as (
        update tenancy.outbox set state = 'pending',
            lease_until = clock_timestamp() + make_interval(secs => wait_seconds)
        where tenant_id = tenant and id = job and token = held_token and state in ('queued', 'running') returning 1)
    select exists (select from held)
$$""",
    "tenancy.hasten_jobs(uuid)": f"""
create function tenancy.hasten_jobs(tenant uuid) returns void language sql volatile {DEFINER} as $$
    update tenancy.outbox set lease_until = null where tenant_id = tenant and state = 'pending'
$$""",
    "tenancy.retry_job(uuid, uuid)": f"""
create function tenancy.retry_job(tenant uuid, job uuid) returns boolean language sql volatile {DEFINER} as $$
    with again as (
        update tenancy.outbox set state = 'pending', attempt = 0, run_at = clock_timestamp(), lease_until = null,
            error = null, finished_at = null
        where tenant_id = tenant and id = job and state = 'failed' returning 1)
    select exists (select from again)
$$""",
    "tenancy.list_jobs(text, text, uuid, uuid, boolean, integer)": f"""
create function tenancy.list_jobs(
    only_stage text, only_kind text, only_tenant uuid, beyond uuid, backward boolean, most integer)
{SHOWN} language plpgsql stable {DEFINER} as $$
begin
    if backward then
        return query select {COLUMNS} from tenancy.outbox j
            where {MATCHES} and j.id > beyond order by j.id limit most;
    else
        return query select {COLUMNS} from tenancy.outbox j
            where {MATCHES} and (beyond is null or j.id < beyond) order by j.id desc limit most;
    end if;
end $$""",
    "tenancy.find_job(uuid)": f"""
create function tenancy.find_job(job uuid) {SHOWN} language sql stable {DEFINER} as $$
    select {COLUMNS} from tenancy.outbox j where j.id = job
$$""",
    "tenancy.count_jobs(uuid)": f"""
create function tenancy.count_jobs(only_tenant uuid) returns table (queue text, stage text, jobs bigint)
language sql stable {DEFINER} as $$
    select j.queue, {STAGE} as stage, count(*) from tenancy.outbox j
    where j.state in ('pending', 'queued', 'running') and (only_tenant is null or j.tenant_id = only_tenant)
    group by j.queue, stage
    union all
    select j.queue, j.state, count(*) from tenancy.outbox j
    where j.state = 'failed' and (only_tenant is null or j.tenant_id = only_tenant) group by j.queue, j.state
$$""",
    "tenancy.prune_jobs(timestamptz, timestamptz)": f"""
create function tenancy.prune_jobs(done_before timestamptz, failed_before timestamptz)
returns bigint language sql volatile {DEFINER} as $$
    with old as (
        delete from tenancy.outbox
        where (state = 'done' and finished_at < done_before) or (state = 'failed' and finished_at < failed_before)
        returning 1)
    select count(*) from old
$$""",
}


def upgrade() -> None:
    op.execute(INDEXES)
    for signature, statement in FUNCTIONS.items():
        op.execute(statement)
        publish_function(op, signature, roles_of(op).platform)


def downgrade() -> None:
    for signature in FUNCTIONS:
        op.execute(f"drop function {signature}")
    op.execute("drop index tenancy.ix_outbox_id, tenancy.ix_outbox_failed")
