"""A tenant that writes all the time is moved and moved back: its own ledger is what is found in the end."""

from __future__ import annotations

import threading
import time
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from app.core.database.owner import owner_connection
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.core.ids import new_id
from app.core.tenancy.errors import HomeUnavailableError
from app.core.tenancy.scopes import TenantRoute, Tier, tenant_scope
from app.moves import engine, switching
from app.moves.ends import open_end
from app.moves.switching import WritersBusyError
from app.settings.models import Setting
from tests.moves.stock import back, go_back, home_state, make_stocked, move, route_to
from tests.moves.writer import writing
from tests.tenant_rows import route_of


def settings_of(tenant_id: UUID) -> dict[UUID, tuple[str, object]]:
    with tenant_scope(route_of(tenant_id), reason="test"):
        rows = db.session.scalars(select(Setting).where(Setting.key.like("key-%")))
        return {row.id: (row.key, row.value) for row in rows}


def test_no_row_is_lost_and_none_comes_twice_through_moves_and_back(app: Flask, annex: str) -> None:
    acme = make_stocked("acme", Tier.POOL, "main")
    with writing(app, acme.tenant_id) as writer:
        for tier, server in ((Tier.SCHEMA, "main"), (Tier.DATABASE, annex), (Tier.POOL, "main"), (Tier.SCHEMA, annex)):
            route = route_to(route_of(acme.tenant_id), tier, server)
            move(route)
            time.sleep(0.1)
            if server == annex:
                go_back(back(route))
                engine.purge(back(route))
            else:
                engine.purge(route)
    assert settings_of(acme.tenant_id) == writer.ledger
    assert writer.commits > 100


def test_a_writer_that_commits_across_the_fence_is_waited_for(app: Flask, annex: str) -> None:
    acme = make_stocked("acme", Tier.POOL, "main")
    begun, row_id = threading.Event(), new_id()

    def write_slowly() -> None:
        with app.app_context(), tenant_scope(acme, reason="slow"), transaction():
            db.session.add(Setting(id=row_id, key="key-slow", value=1))
            db.session.flush()
            begun.set()
            time.sleep(1)

    route = route_to(acme, Tier.SCHEMA, annex)
    copied = engine.copy(route, lambda _text: None)
    engine.catch_up(route, lambda _text: None)
    thread = threading.Thread(target=write_slowly)
    thread.start()
    begun.wait()
    engine.turn(route, row_count=copied.row_count)
    thread.join()
    assert row_id in settings_of(acme.tenant_id)


def test_a_transaction_that_does_not_end_lifts_the_fence_and_the_move_can_try_again(
    app: Flask, annex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "FENCE_SECONDS", 0.5)
    acme = make_stocked("acme", Tier.POOL, "main")
    route = route_to(acme, Tier.SCHEMA, "main")
    copied = engine.copy(route, lambda _text: None)
    engine.catch_up(route, lambda _text: None)
    with open_end(acme.tenant_id, acme.placement) as reader:
        with reader.transaction(), pytest.raises(WritersBusyError, match="tries again"):
            engine.turn(route, row_count=copied.row_count)
        assert home_state(acme, acme.placement) == (1, "active")
    assert settings_of(acme.tenant_id) == {}
    engine.turn(route, row_count=copied.row_count)
    assert route_of(acme.tenant_id).placement == route.target


def test_while_fenced_the_tenant_is_refused_and_its_neighbour_is_not(app: Flask, annex: str) -> None:
    acme, globex = make_stocked("acme", Tier.POOL, "main"), make_stocked("globex", Tier.POOL, "main")
    with open_end(acme.tenant_id, acme.placement) as source, switching._fenced(source), app.app_context():
        refused, served = in_thread(app, acme), in_thread(app, globex)
    assert (refused, served) == (HomeUnavailableError, None)


def in_thread(app: Flask, tenant: TenantRoute) -> type[BaseException] | None:
    """Read a tenant's settings elsewhere; return what that raised."""
    raised: list[type[BaseException]] = []

    def read() -> None:
        with app.app_context():
            try:
                with tenant_scope(tenant, reason="test"):
                    db.session.scalars(select(Setting)).all()
            except HomeUnavailableError as error:
                raised.append(type(error))

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    return raised[0] if raised else None


def test_a_row_that_refers_to_none_stops_the_move_and_is_named(app: Flask, annex: str, superuser_url: str) -> None:
    acme = make_stocked("acme", Tier.SCHEMA, "main")
    with owner_connection() as owner:
        schema = acme.placement.schema
        owner.execute(f"alter table {schema}.members drop constraint fk_members_tenant_id_role_id")
        with open_end(acme.tenant_id, acme.placement) as end, end.transaction():
            [(member_id,)] = end.connection.execute(
                f"update {schema}.members set role_id = gen_random_uuid() where email like 'dora%' returning id"
            ).fetchall()
        owner.execute(
            f"alter table {schema}.members add constraint fk_members_tenant_id_role_id "
            f"foreign key (tenant_id, role_id) references {schema}.roles (tenant_id, id) not valid"
        )
    with pytest.raises(StateError, match=f"{member_id} of table members refers to a row of roles"):
        engine.copy(route_to(acme, Tier.POOL, "main"), lambda _text: None)


@pytest.mark.parametrize(
    "column", ["note text", "tenant_id uuid not null", "tenant_id uuid not null, id uuid not null, primary key (id)"]
)
def test_a_table_that_cannot_be_followed_stops_the_move_and_is_named(app: Flask, annex: str, column: str) -> None:
    acme = make_stocked("acme", Tier.SCHEMA, "main")
    with owner_connection() as owner:
        owner.execute(f"create table {acme.placement.schema}.loose ({column})")
    with pytest.raises(StateError, match="loose has no primary key"):
        engine.check(route_to(acme, Tier.DATABASE, annex))


def test_a_manual_change_keeps_a_home_out_of_the_pool(app: Flask, annex: str) -> None:
    acme = make_stocked("acme", Tier.SCHEMA, "main")
    with owner_connection() as owner:
        owner.execute(f"alter table {acme.placement.schema}.members add column shoe_size integer")
    with pytest.raises(StateError, match=r"differ in column members\.shoe_size"):
        engine.check(route_to(acme, Tier.POOL, annex))


def test_a_table_added_by_any_later_migration_is_moved_too(app: Flask, annex: str) -> None:
    acme = make_stocked("acme", Tier.SCHEMA, "main")
    schema = acme.placement.schema
    with owner_connection() as owner:
        owner.execute(
            f"create table {schema}.orders (tenant_id uuid not null, id uuid not null, total numeric, note json, "
            f"spot point, constraint pk_orders primary key (tenant_id, id)); insert into {schema}.orders "
            f"values ('{acme.tenant_id}', gen_random_uuid(), 12.50, '[1, 2]', '(1, 2)')"
        )
    route = route_to(acme, Tier.DATABASE, annex)
    move(route)
    with owner_connection(route.target.address) as owner:
        assert [str(row[0]) for row in owner.execute("select total from home.orders")] == ["12.50"]
