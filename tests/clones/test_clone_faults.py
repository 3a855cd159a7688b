"""What goes wrong: a clone that fails leaves nothing behind but its story, and its source never notices."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from app.audit.models import ControlAuditEvent
from app.clones import copying
from app.clones.services import start_clone
from app.core.config import Settings
from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.errors import ConflictError, InputError, StateError
from app.core.tenancy.scopes import DatabaseAddress, Login, TenantRoute, Tier, platform_scope
from app.moves.services import start_move
from app.onboarding.services import send_owner_link
from app.operations.queries import find_latest_operation
from app.operations.services import retry_operation
from app.tenants.queries import count_living_clones, is_slug_free
from app.tenants.services import archive_tenant
from app.web.hosts import Portal
from tests.clones.acts import DRAFT, ask, clone, read, use_up_attempts
from tests.factories import SETUP, actions_of, rows_of, while_uncommitted
from tests.moves.stock import home_state, make_stocked, rows_at
from tests.servers.acts import add_annex
from tests.tenant_rows import make_tenant_rows, route_of, set_tenant
from tests.work import make_jobs_due, run_jobs

AWAY = "postgresql://tenantry_owner:x@127.0.0.1:1/annex"


@pytest.fixture
def acme(app: Portal, annex: str) -> TenantRoute:
    add_annex()
    return make_stocked("acme", Tier.POOL, "main")


def schema_exists(tenant: TenantRoute) -> bool:
    with owner_connection(tenant.placement.address) as owner:
        query = "select to_regnamespace(%s) is not null"
        return owner.execute(query, (f"t_{tenant.tenant_id.hex}",)).fetchone() == (True,)


@pytest.mark.parametrize("tier", [Tier.POOL, Tier.SCHEMA])
@pytest.mark.parametrize("step", ["check", "copy", "open_home"])
def test_one_that_fails_is_taken_back_by_itself_and_its_address_is_free(
    acme: TenantRoute, step: str, tier: Tier, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows_at(acme, acme.placement)
    done = getattr(copying, step)

    def fail(*given: object) -> None:
        done(*given)
        raise StateError("the disk is full")

    monkeypatch.setattr(copying, step, fail)
    made = route_of(ask(acme, tier=tier))
    use_up_attempts()
    tenant = read(made.tenant_id)
    assert (tenant.status, "the disk is full" in tenant.status_reason) == ("deleted", True)
    assert home_state(made, made.placement) in (None, (1, "purged"))
    assert not schema_exists(made)
    with platform_scope("test"):
        assert is_slug_free("acme-copy")
    assert rows_at(acme, acme.placement) == before
    told = [event for event in rows_of(ControlAuditEvent) if event.action.startswith("clone.")]
    assert actions_of(told) == ["clone.started", "clone.failed"]
    monkeypatch.undo()
    assert clone(acme, tier=tier).status == "active"


def test_a_server_that_is_away_leaves_nothing_and_the_retry_takes_it_back(
    acme: TenantRoute, instance: Settings, annex: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    urls, known, copy = ServerUrls(instance), DatabaseAddress(annex), copying.copy
    kept = urls.get(Login.OWNER, known)

    def lose(*given: object) -> None:
        copy(*given)
        urls.write(annex, Login.OWNER, AWAY)
        raise StateError("the server went away")

    monkeypatch.setattr(copying, "copy", lose)
    made = route_of(ask(acme, tier=Tier.SCHEMA, server=annex))
    for _time in range(2):
        use_up_attempts()
    with platform_scope("test"):
        operation = find_latest_operation(made.tenant_id)
    assert (operation.state, operation.takes_back, read(made.tenant_id).status) == ("failed", True, "failed")
    urls.write(annex, Login.OWNER, kept)
    assert schema_exists(made)
    with platform_scope("test"):
        retry_operation(operation.id, actor=SETUP)
    run_jobs()
    assert (read(made.tenant_id).status, schema_exists(made)) == ("deleted", False)


def test_a_server_that_is_away_from_the_start_stops_it_before_anything_is_written(
    acme: TenantRoute, instance: Settings, annex: str
) -> None:
    urls, known = ServerUrls(instance), DatabaseAddress(annex)
    kept = urls.get(Login.OWNER, known)
    clone_id = ask(acme, tier=Tier.SCHEMA, server=annex)
    urls.write(annex, Login.OWNER, AWAY)
    use_up_attempts()
    urls.write(annex, Login.OWNER, kept)
    assert (read(clone_id).status, "does not answer" in read(clone_id).status_reason) == ("deleted", True)


def test_a_row_that_refers_to_none_at_the_source_is_named(app: Portal, annex: str) -> None:
    acme = make_stocked("acme", Tier.SCHEMA, "main")
    schema = acme.placement.schema
    with owner_connection() as owner:
        owner.execute(f"alter table {schema}.members drop constraint fk_members_tenant_id_role_id")
        owner.execute(f"alter table {schema}.members no force row level security")
        owner.execute(f"update {schema}.members set role_id = gen_random_uuid()")
        owner.execute(f"alter table {schema}.members force row level security")
        owner.execute(
            f"alter table {schema}.members add constraint fk_members_tenant_id_role_id "
            f"foreign key (tenant_id, role_id) references {schema}.roles (tenant_id, id) not valid"
        )
    clone_id = ask(acme, tier=Tier.SCHEMA)
    use_up_attempts()
    assert "of table members refers to a row of roles that does not exist" in read(clone_id).status_reason


def test_a_move_and_a_clone_of_one_source_exclude_each_other(acme: TenantRoute) -> None:
    move = partial(start_move, acme.tenant_id, tier=Tier.SCHEMA, server="annex", actor=SETUP)
    ask(acme)
    with platform_scope("test"), pytest.raises(ConflictError, match="“Clone tenant” is reading this tenant’s home"):
        move()
    ask(acme, slug="acme-copy-2")  # Two that only read do not.
    run_jobs()
    with platform_scope("test"):
        move()
    with pytest.raises(ConflictError, match="“Move home” of the tenant that would be copied is still running"):
        ask(acme, slug="acme-copy-3")
    with platform_scope("test"):
        assert is_slug_free("acme-copy-3")


def test_other_operations_of_the_source_wait_too_and_those_of_others_do_not(acme: TenantRoute) -> None:
    globex = make_stocked("globex", Tier.POOL, "main")
    ask(acme)
    with platform_scope("test"):
        with pytest.raises(ConflictError):
            send_owner_link(acme.tenant_id, seen=None, actor=SETUP)
        assert send_owner_link(globex.tenant_id, seen=None, actor=SETUP)


def test_a_tenant_has_as_many_living_clones_as_it_may(acme: TenantRoute) -> None:
    clones = [ask(acme, slug=f"acme-{number}") for number in (1, 2, 3)]
    with pytest.raises(InputError, match="Acme has 3 living clones, and 3 is the most that a tenant may have"):
        ask(acme)
    run_jobs()
    with platform_scope("test"):
        archive_tenant(clones[0], reason="room", actor=SETUP)
        assert count_living_clones(acme.tenant_id) == 2
    assert ask(acme)


def test_of_two_clones_at_once_one_gets_the_last_place(app: Portal, acme: TenantRoute) -> None:
    for number in (1, 2):
        ask(acme, slug=f"acme-{number}")
    started: list[object] = []

    def start(slug: str) -> None:
        started.append(start_clone(acme.tenant_id, replace(DRAFT, slug=slug), actor=SETUP))

    scope = partial(platform_scope, "test")
    refused = while_uncommitted(app, scope, partial(start, "acme-3"), partial(start, "acme-4"))
    assert isinstance(refused, InputError)
    assert "3 is the most" in str(refused)
    assert len(started) == 1


@pytest.mark.parametrize("status", ["requested", "provisioning", "failed", "archived", "deleting", "deleted"])
def test_only_a_tenant_that_works_or_is_suspended_can_be_cloned(app: Portal, status: str) -> None:
    with pytest.raises(StateError, match="unarchive it first" if status == "archived" else "no home to copy"):
        ask(make_tenant_rows("acme", status=status))


def test_a_source_whose_place_is_gone_is_said_so(app: Portal, acme: TenantRoute) -> None:
    clone_id = ask(acme)
    with owner_connection() as owner:
        owner.execute("delete from control.placements where tenant_id = %s", (acme.tenant_id,))
    use_up_attempts()
    assert "acme has no place for a home." in read(clone_id).status_reason


def test_an_address_that_was_taken_is_refused_beside_its_field(acme: TenantRoute) -> None:
    with pytest.raises(InputError) as refused:
        ask(acme, slug="acme")
    assert refused.value.field == "slug"


@pytest.mark.parametrize(("field", "value"), [("owner_email", "nobody"), ("owner_name", " ")])
def test_an_owner_who_could_not_be_invited_is_refused_at_once(acme: TenantRoute, field: str, value: str) -> None:
    with pytest.raises(InputError) as refused:
        ask(acme, **{field: value})
    assert refused.value.field == field


def test_the_same_form_sent_twice_makes_one(acme: TenantRoute) -> None:
    assert ask(acme, submission_key="clone:1") == ask(acme, submission_key="clone:1")


def test_a_source_that_is_suspended_meanwhile_is_cloned_all_the_same(acme: TenantRoute) -> None:
    clone_id = ask(acme)
    set_tenant(acme.tenant_id, status="suspended")
    make_jobs_due()
    run_jobs()
    assert read(clone_id).status == "active"
