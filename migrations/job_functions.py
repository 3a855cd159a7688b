"""The dispatch statement, one text for the tenants' outbox and the platform's."""

DISPATCH_RETURNS = "returns table (id uuid, tenant_id uuid, kind text, queue text, token integer)"

# A lease that ran out means a flushed queue or a killed worker: the job is pending again. `lease_until` of a pending
# job is until when it is left alone, because its tenant is suspended or fenced. Each tenant gets as many jobs as its
# share leaves, every tenant's first before anybody's second, oldest first. A queue holds at most `most` jobs: one
# that holds more than its workers can take within a lease would be dispatched again and again, and never run.
# Rows that another dispatcher holds are skipped.
DISPATCH_BODY = """
    update {outbox} set state = 'pending', lease_until = null
    where state in ('queued', 'running') and lease_until < clock_timestamp();
    with in_flight as (
        select tenant_id, queue, state from {outbox} where state in ('queued', 'running')
    ), held as (
        select tenant_id, count(*) as jobs from in_flight group by tenant_id
    ), waiting as (
        select queue, count(*) as jobs from in_flight where state = 'queued' group by queue
    ), ranked as (
        select o.id, o.tenant_id, o.queue, o.run_at,
            row_number() over (partition by o.tenant_id order by o.run_at, o.id) as place
        from {outbox} o
        where o.state = 'pending' and o.run_at <= clock_timestamp()
            and (o.lease_until is null or o.lease_until <= clock_timestamp())
    ), share as (
        select r.id, r.tenant_id, r.queue, row_number() over (partition by r.queue order by r.place, r.run_at, r.id)
            as position
        from ranked r left join held h on h.tenant_id is not distinct from r.tenant_id
        where r.tenant_id is null or r.place + coalesce(h.jobs, 0) <= most_per_tenant
    ), chosen as (
        select o.id, o.tenant_id, s.position from {outbox} o
        join share s on s.id = o.id and s.tenant_id is not distinct from o.tenant_id
        left join waiting w on w.queue = s.queue
        where s.position + coalesce(w.jobs, 0) <= most and o.state = 'pending' for update of o skip locked
    ), handed as (
        update {outbox} o set state = 'queued', token = o.token + 1,
            lease_until = clock_timestamp() + make_interval(secs => lease_seconds)
        from chosen c where o.id = c.id and o.tenant_id is not distinct from c.tenant_id
        returning o.id, o.tenant_id, o.kind, o.queue, o.token, c.position
    )
    select id, tenant_id, kind, queue, token from handed order by position, id
"""
