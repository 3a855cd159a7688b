"""The dispatch statement, one text for the tenants' outbox and the platform's."""

DISPATCH_RETURNS = "returns table (id uuid, tenant_id uuid, kind text, queue text, token integer)"

# A lease that ran out means a flushed queue or a killed worker: the job is pending again. Then each tenant gets as
# many jobs as its share leaves, oldest first; rows that another dispatcher holds are skipped.
DISPATCH_BODY = """
    update {outbox} set state = 'pending', lease_until = null
    where state in ('queued', 'running') and lease_until < clock_timestamp();
    with in_flight as (
        select tenant_id, count(*) as jobs from {outbox} where state in ('queued', 'running') group by tenant_id
    ), ranked as (
        select o.id, o.tenant_id, row_number() over (partition by o.tenant_id order by o.run_at, o.id) as place
        from {outbox} o where o.state = 'pending' and o.run_at <= clock_timestamp()
    ), share as (
        select r.id, r.tenant_id from ranked r left join in_flight f on f.tenant_id is not distinct from r.tenant_id
        where r.tenant_id is null or r.place + coalesce(f.jobs, 0) <= most_per_tenant
        order by r.place limit most
    ), chosen as (
        select o.id, o.tenant_id from {outbox} o join share s on s.id = o.id
            and s.tenant_id is not distinct from o.tenant_id
        where o.state = 'pending' for update of o skip locked
    )
    update {outbox} o set state = 'queued', token = o.token + 1,
        lease_until = clock_timestamp() + make_interval(secs => lease_seconds)
    from chosen c where o.id = c.id and o.tenant_id is not distinct from c.tenant_id
    returning o.id, o.tenant_id, o.kind, o.queue, o.token
"""
