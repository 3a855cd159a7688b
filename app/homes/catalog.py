"""The questions to PostgreSQL's catalog from which a home's structure is read."""

# Neither a view, nor a sequence, a function or a type of its own is part of a home.
OTHER_RELATIONS = """
select case c.relkind when 'v' then 'view' when 'm' then 'materialised view' when 'S' then 'sequence'
    when 'p' then 'partitioned table' when 'f' then 'foreign table' else 'type' end || ' ' || c.relname
from pg_class c where c.relnamespace = to_regnamespace(%s) and c.relkind not in ('r', 'i')
union all
select 'function ' || p.proname from pg_proc p where p.pronamespace = current_schema()::regnamespace
union all
select 'type ' || t.typname from pg_type t
where t.typnamespace = current_schema()::regnamespace and t.typrelid = 0 and t.typelem = 0
order by 1
"""

# Each row is (kind, table, name, definition); identifiers come quoted where they need it.
PARTS = """
with tables as (
    select c.oid, c.relname, quote_ident(c.relname) as name, c.relowner, c.relacl, c.relrowsecurity,
        c.relforcerowsecurity
    from pg_class c where c.relnamespace = to_regnamespace(%(schema)s) and c.relkind = 'r'
)
select kind, "table", name, definition from (
    select 1 as place, 0 as spot, 'table' as kind, name as "table", '' as name, '' as definition from tables
    union all
    select 2, a.attnum, 'column', t.name, quote_ident(a.attname),
        format_type(a.atttypid, a.atttypmod)
        || case when a.attcollation <> y.typcollation
            then ' collate ' || (select quote_ident(collname) from pg_collation where oid = a.attcollation) else '' end
        || case when a.attgenerated = 's' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
            when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end
        || case when a.attnotnull then ' not null' else '' end
    from tables t join pg_attribute a on a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
    join pg_type y on y.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all
    select case k.contype when 'f' then 5 else 3 end, 0,
        case k.contype when 'f' then 'foreign key' else 'constraint' end, t.name,
        quote_ident(k.conname), pg_get_constraintdef(k.oid)
    from tables t join pg_constraint k on k.conrelid = t.oid and k.contype in ('p', 'u', 'c', 'f', 'x')
    union all
    select 4, 0, 'index', t.name, quote_ident(c.relname),
        replace(pg_get_indexdef(i.indexrelid), ' ON ' || quote_ident(current_schema()) || '.', ' ON ')
    from tables t join pg_index i on i.indrelid = t.oid join pg_class c on c.oid = i.indexrelid
    where not exists (  -- By its table, which has an index: the constraints of every home would be read otherwise.
        select from pg_constraint k
        where k.conrelid = t.oid and k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
    union all
    select 6, 0, 'row-level security', name, '',
        case when relrowsecurity then 'enable' else 'disable' end || ' row level security, '
        || case when relforcerowsecurity then 'force' else 'no force' end || ' row level security'
    from tables
    union all
    select 7, 0, 'policy', t.name, quote_ident(p.polname),
        case when p.polpermissive then 'as permissive' else 'as restrictive' end
        || ' for ' || case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
            when 'd' then 'delete' else 'all' end
        || ' to ' || (select string_agg(case r when 0 then 'public' else r::regrole::text end, ', ' order by r)
            from unnest(p.polroles) r)
        || coalesce(' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', '')
        || coalesce(' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
    from tables t join pg_policy p on p.polrelid = t.oid
    union all
    select 8, 0, 'grant', t.name, case g.grantee when 0 then 'public' else g.grantee::regrole::text end,
        string_agg(g.verb, ', ' order by g.verb)
    from tables t cross join lateral (
        select a.grantee, lower(a.privilege_type) as verb from aclexplode(t.relacl) a where a.grantee <> t.relowner
        union all
        select a.grantee, lower(a.privilege_type) || ' (' || quote_ident(c.attname) || ')'
        from pg_attribute c, aclexplode(c.attacl) a where c.attrelid = t.oid and a.grantee <> t.relowner
    ) g group by t.name, g.grantee
    union all
    select 9, 0, 'trigger', t.name, quote_ident(g.tgname),
        replace(pg_get_triggerdef(g.oid), ' ON ' || quote_ident(current_schema()) || '.', ' ON ')
    from tables t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
    where g.tgfoid <> 'tenancy.note_changed_key'::regproc  -- A move's own, for as long as it lasts.
    union all
    select 10, 0, 'owner', name, '', relowner::regrole::text from tables
) parts order by place, "table", spot, name
"""
