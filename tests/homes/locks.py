"""Who locks what: which homes each transaction has locked, as PostgreSQL's own table of locks tells."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

# At the end of each statement that creates, alters or drops something, and at the end of each transaction that writes
# down a home's version.
NOTE = """
create table public.locked_homes (homes text[] not null);
create function public.note_locked_homes() returns void language sql security definer as $$
    insert into public.locked_homes select homes from ({locked}) l where l.pid = pg_catalog.pg_backend_pid();
$$;
create function public.note_at_ddl() returns event_trigger language plpgsql security definer as $$ begin
    perform public.note_locked_homes();
end $$;
create function public.note_at_end() returns trigger language plpgsql security definer as $$ begin
    perform public.note_locked_homes();
    return null;
end $$;
create constraint trigger note_at_end after insert or update on tenancy.home_versions deferrable initially deferred
    for each row execute function public.note_at_end();
create event trigger note_at_ddl on ddl_command_end execute function public.note_at_ddl();
"""
LOCKED = """
select k.pid, array_agg(distinct n.nspname::text) as homes
from pg_catalog.pg_locks k join pg_catalog.pg_class c on c.oid = k.relation
join pg_catalog.pg_namespace n on n.oid = c.relnamespace
join pg_catalog.pg_database d on d.oid = k.database and d.datname = pg_catalog.current_database()
where n.nspname ~ '^[tw]_[0-9a-f]{32}$' or n.nspname in ('pool', 'home_template')
group by k.pid
"""
FORGET = """
drop event trigger note_at_ddl;
drop trigger note_at_end on tenancy.home_versions;
drop function public.note_at_ddl(), public.note_at_end(), public.note_locked_homes();
drop table public.locked_homes;
"""


@contextmanager
def watching_locks(superuser_url: str) -> Iterator[set[frozenset[str]]]:
    """Collect the homes that each transaction of a database locks together; whole only behind the block.

    Transactions that change a structure or a version are all seen; others while they last, by looking again and again.
    """
    found: set[frozenset[str]] = set()
    ended = threading.Event()

    def look() -> None:
        with psycopg.connect(superuser_url, autocommit=True) as watcher:
            while not ended.wait(0.002):
                found.update(frozenset(homes) for _pid, homes in watcher.execute(LOCKED))

    with psycopg.connect(superuser_url, autocommit=True) as superuser:
        superuser.execute(NOTE.format(locked=LOCKED))
        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield found
        finally:
            ended.set()
            thread.join()
            noted = superuser.execute("select homes from public.locked_homes").fetchall()
            superuser.execute(FORGET)
            found.update(frozenset(homes) for (homes,) in noted)
