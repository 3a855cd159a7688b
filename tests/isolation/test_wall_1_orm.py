"""Wall 1 alone: with row-level security off, the ORM keeps one tenant's unit of work off another's rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Select, delete, exists, func, insert, literal, select, text, update
from sqlalchemy.orm import aliased, joinedload, lazyload, make_transient, selectinload, subqueryload
from sqlalchemy.orm.exc import DetachedInstanceError

from app.core.config import Settings
from app.core.database.session import db, engines
from app.core.database.transactions import transaction
from app.core.tenancy.errors import CrossTenantError, ScopeError
from app.core.tenancy.scopes import Login, TenantRoute, platform_scope, tenant_scope
from tests.isolation.toy import Toy, ToyBox, as_superuser, read_toys

pytestmark = pytest.mark.usefixtures("without_rls")

Other = aliased(Toy)
SEEN = literal("globex's is seen")


def a_subquery() -> Select[Any]:
    return select(select(Toy.name).subquery().c.name)


def a_cte() -> Select[Any]:
    return select(select(Toy.name).cte().c.name)


def a_cte_of_an_alias() -> Select[Any]:
    return select(select(Other.name).where(Other.id.is_not(None)).cte().c.name)


# Each tells of globex's row when it can see it.
FORGETFUL: dict[str, Callable[[], Any]] = {
    "columns": lambda: select(Toy.name),
    "distinct tenants": lambda: select(Toy.tenant_id).distinct(),
    "an alias": lambda: select(Other.name),
    "an aggregate": lambda: select(func.string_agg(Toy.name, ",")),
    "a subquery": a_subquery,
    "a common table expression": a_cte,
    "a common table expression of an alias": a_cte_of_an_alias,
    "an entity over a subquery": lambda: select(aliased(Toy, select(Toy).subquery()).name),
    "a scalar subquery": lambda: select(select(func.max(Other.name)).scalar_subquery()),
    "a lateral": lambda: select(select(Toy.name).lateral().c.name),
    "exists": lambda: select(SEEN).where(exists().where(Toy.name == "globex's")),
    "exists of an alias": lambda: select(SEEN).where(select(Other.id).where(Other.name == "globex's").exists()),
    "in a subquery": lambda: select(SEEN).where(literal("globex's").in_(select(Toy.name))),
    "a union": lambda: select(Toy.name).union_all(select(Other.name)),
    "an explicit join": lambda: select(Toy.name).join(ToyBox, ToyBox.label == "shelf"),
    "an outer join": lambda: select(ToyBox.label, Toy.name).outerjoin(Toy, Toy.box_id.is_not(None)),
    "a join along the relationship": lambda: select(Toy.name).join(Toy.box),
    "in batches": lambda: select(Toy.name).execution_options(yield_per=1),
}


@pytest.mark.parametrize("form", FORGETFUL)
def test_a_forgotten_filter_shows_only_the_own_rows(form: str, acme: TenantRoute, globex: TenantRoute) -> None:
    seen = {}
    for route in (acme, globex):
        with tenant_scope(route, reason="read"):
            seen[route] = str(db.session.execute(FORGETFUL[form]()).all()) + str(route)
    assert "globex's" in seen[globex] or str(globex.tenant_id) in seen[globex]
    assert "globex's" not in seen[acme]
    assert str(globex.tenant_id) not in seen[acme]


def test_the_other_walls_are_off_here(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="control"):
        assert len(db.session.scalars(text("select name from pool.toys")).all()) == 2


def test_counts_and_pages_are_the_tenants_own(acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="count"):
        assert db.session.scalar(select(func.count()).select_from(Toy)) == 1
        assert db.session.query(Toy).count() == 1
        assert db.paginate(select(Toy).order_by(Toy.id)).total == 1


def test_a_foreign_id_finds_nothing(acme: TenantRoute, globex: TenantRoute) -> None:
    foreign = load_toy(globex)
    with tenant_scope(acme, reason="get"):
        assert db.session.get(Toy, (globex.tenant_id, foreign.id)) is None
        assert db.session.get(Toy, (acme.tenant_id, foreign.id)) is None
        assert db.session.scalar(select(Toy).where(Toy.id == foreign.id)) is None


@pytest.mark.parametrize(
    "statement",
    [
        lambda: update(Toy).values(name="changed"),
        lambda: update(Toy).values(name="changed").execution_options(synchronize_session="fetch"),
        lambda: update(Toy).values(name=select(func.max(Other.name)).scalar_subquery()),
        lambda: delete(Toy),
        lambda: delete(Toy).where(Toy.box_id.in_(select(ToyBox.id))),
        lambda: select(Toy).from_statement(update(Toy).values(name="changed").returning(Toy)),
    ],
)
def test_an_update_or_delete_without_a_filter_spares_foreign_rows(
    statement: Callable[[], Any], acme: TenantRoute, globex: TenantRoute, instance: Settings, superuser_url: str
) -> None:
    with tenant_scope(acme, reason="write"), transaction():
        db.session.execute(statement())
    toys = read_toys(instance, superuser_url)
    assert toys.pop("globex's") == globex.tenant_id
    assert "globex's" not in toys
    assert toys in ({}, {"changed": acme.tenant_id}, {"acme's": acme.tenant_id})


@pytest.mark.parametrize(
    "statement",
    [
        lambda: update(Toy).values(name=Other.name).where(Other.id != Toy.id),
        lambda: update(Toy).values(name=ToyBox.label).where(ToyBox.label == "shelf"),
        lambda: delete(Toy).where(Other.id != Toy.id),
        lambda: insert(Toy).from_select(["id", "name"], select(func.gen_random_uuid(), Toy.name)),
        lambda: insert(Toy).values(name=select(func.max(Other.name)).scalar_subquery()),
    ],
)
def test_what_the_orm_could_not_filter_is_refused(statement: Callable[[], Any], acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="write"), pytest.raises(ScopeError, match=r"unfiltered|every tenant"):
        db.session.execute(statement())


def test_a_further_table_in_a_subquery_is_filtered(acme: TenantRoute) -> None:
    boxes = select(ToyBox.tenant_id, ToyBox.label).subquery()
    with tenant_scope(acme, reason="write"):
        gone = db.session.scalars(delete(Toy).where(Toy.tenant_id == boxes.c.tenant_id).returning(Toy.name)).all()
        assert gone == ["acme's"]


def test_a_row_gets_the_scopes_tenant(acme: TenantRoute, instance: Settings, superuser_url: str) -> None:
    with tenant_scope(acme, reason="add"), transaction():
        db.session.add(Toy(name="added"))
        db.session.execute(insert(Toy).values(name="inserted"))
        db.session.execute(insert(Toy), [{"name": "first of many"}, {"name": "second of many"}])
    toys = read_toys(instance, superuser_url)
    assert {toys[name] for name in ("added", "inserted", "first of many", "second of many")} == {acme.tenant_id}


def test_a_new_row_of_another_tenant_is_refused(acme: TenantRoute, globex: TenantRoute) -> None:
    with tenant_scope(acme, reason="add"), pytest.raises(CrossTenantError):
        db.session.add(Toy(name="planted", tenant_id=globex.tenant_id))


def test_a_row_is_not_given_to_another_tenant(acme: TenantRoute, globex: TenantRoute) -> None:
    with tenant_scope(acme, reason="give"), pytest.raises(CrossTenantError):  # noqa: PT012
        db.session.scalars(select(Toy)).one().tenant_id = globex.tenant_id
        db.session.flush()


def test_a_new_row_is_not_given_away_after_it_was_added(acme: TenantRoute, globex: TenantRoute) -> None:
    toy = Toy(name="planted")
    with tenant_scope(acme, reason="give"), pytest.raises(CrossTenantError):  # noqa: PT012
        db.session.add(toy)
        toy.tenant_id = globex.tenant_id
        db.session.flush()


def made_new(toy: Toy) -> Toy:
    make_transient(toy)
    return toy


@pytest.mark.parametrize("disguise", [lambda toy: toy, made_new])
def test_a_foreign_object_does_not_join_the_session(
    disguise: Callable[[Toy], Toy], acme: TenantRoute, globex: TenantRoute
) -> None:
    toy = disguise(load_toy(globex))
    with tenant_scope(acme, reason="add"), pytest.raises(CrossTenantError):
        db.session.add(toy)


def test_a_foreign_object_relabelled_as_ones_own_is_still_foreign(acme: TenantRoute, globex: TenantRoute) -> None:
    toy = load_toy(globex)
    toy.tenant_id = acme.tenant_id
    with tenant_scope(acme, reason="steal"), pytest.raises(CrossTenantError):
        db.session.add(toy)


@pytest.mark.parametrize("verb", ["delete", "refresh", "expire", "enable_relationship_loading"])
def test_no_session_method_takes_a_foreign_object(verb: str, acme: TenantRoute, globex: TenantRoute) -> None:
    toy = load_toy(globex)
    with tenant_scope(acme, reason=verb), pytest.raises(Exception, match=r"another tenant|not persistent"):
        getattr(db.session(), verb)(toy)


def test_a_merged_foreign_object_never_reaches_the_database(acme: TenantRoute, globex: TenantRoute) -> None:
    toy = load_toy(globex)
    with tenant_scope(acme, reason="merge"), pytest.raises(CrossTenantError):  # noqa: PT012
        db.session.merge(toy)
        db.session.flush()


def test_a_foreign_object_is_not_lazy_loaded_from(acme: TenantRoute, globex: TenantRoute) -> None:
    toy = load_toy(globex)
    with tenant_scope(acme, reason="load"), pytest.raises(DetachedInstanceError):
        assert toy.box


def test_a_foreign_object_does_not_slip_in_through_a_relationship(acme: TenantRoute, globex: TenantRoute) -> None:
    with tenant_scope(globex, reason="load"):
        box = db.session.scalars(select(ToyBox)).one()
    with tenant_scope(acme, reason="relate"), pytest.raises(CrossTenantError):
        db.session.scalars(select(Toy)).one().box = box


@pytest.mark.parametrize("strategy", [lazyload, joinedload, selectinload, subqueryload])
def test_a_planted_reference_loads_nothing_foreign(
    strategy: Any, acme: TenantRoute, globex: TenantRoute, instance: Settings, superuser_url: str
) -> None:
    with as_superuser(instance, superuser_url) as connection:
        connection.execute("set session_replication_role = replica")  # The foreign key would not allow it.
        connection.execute(
            "update pool.toys set box_id = (select id from pool.toy_boxes b where b.tenant_id = %s)",
            (globex.tenant_id,),
        )
    with tenant_scope(acme, reason="load"):
        assert db.session.scalars(select(Toy).options(strategy(Toy.box))).one().box is None


@pytest.mark.parametrize("method", ["bulk_save_objects", "bulk_insert_mappings", "bulk_update_mappings"])
def test_the_old_bulk_methods_are_refused(method: str, acme: TenantRoute) -> None:
    with tenant_scope(acme, reason="bulk"), pytest.raises(ScopeError):
        getattr(db.session(), method)([])


@pytest.mark.parametrize("verb", [insert, update])
def test_a_bulk_statement_naming_another_tenant_is_refused(verb: Any, acme: TenantRoute, globex: TenantRoute) -> None:
    rows = [{"tenant_id": globex.tenant_id, "id": load_toy(globex).id, "name": "changed"}]
    with tenant_scope(acme, reason="bulk"), pytest.raises(CrossTenantError):
        db.session.execute(verb(Toy), rows)


@pytest.mark.parametrize("statement", [select(Toy), update(Toy).values(name="x"), delete(Toy), insert(Toy)])
def test_the_platforms_scope_touches_no_home(statement: Any) -> None:
    with platform_scope("pry"), pytest.raises(ScopeError, match="never touches Toy"):
        db.session.execute(statement)


@pytest.mark.parametrize("use", [db.session.add, db.session.delete])
def test_the_platforms_scope_takes_no_object_of_a_home(use: Callable[[Toy], None], acme: TenantRoute) -> None:
    toy = load_toy(acme)
    with platform_scope("pry"), pytest.raises(ScopeError, match="never touches Toy"):
        use(toy)


@pytest.mark.parametrize("statement", [select(Toy), text("select 1"), update(Toy).values(name="x"), insert(Toy)])
def test_without_a_scope_nothing_is_asked(statement: Any, acme: TenantRoute) -> None:
    with pytest.raises(ScopeError, match="no scope"):
        db.session.execute(statement)


def test_without_a_scope_nothing_is_flushed(acme: TenantRoute) -> None:
    session = db.session()
    session.add(Toy(name="lost"))
    with pytest.raises(ScopeError, match="no scope"):
        session.flush()
    db.session.remove()


@pytest.mark.parametrize("login", list(Login))
def test_without_a_scope_no_engine_begins(login: Login, acme: TenantRoute) -> None:
    with engines().for_login(login).connect() as connection, pytest.raises(ScopeError, match="no scope"):
        connection.execute(text("select 1"))


def load_toy(route: TenantRoute) -> Toy:
    """Return a tenant's toy as it is left over after its scope."""
    with tenant_scope(route, reason="load"):
        return db.session.scalars(select(Toy)).one()
