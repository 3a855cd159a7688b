"""A tenant is cloned into each tier: its rows arrive, what is personal or secret does not, the source is untouched."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.audit.models import ControlAuditEvent, HomeAuditEvent
from app.core import clock
from app.core.database.owner import owner_connection
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import TenantRoute, Tier, platform_scope, tenant_scope
from app.credentials.link_rows import LinkError, derive_link_token
from app.credentials.links import LinkPurpose
from app.members.models import Member, MemberSession, Role
from app.members.queries import find_member_by_email, find_owner, get_member_by_link
from app.moves.ends import open_end
from app.operations.queries import find_latest_operation
from app.settings.models import Setting
from app.web.hosts import Portal
from tests.clones.acts import EVE, clone, read
from tests.factories import BOB, PASSWORD, actions_of, browser, deliver_mails, host_of, link_in, rows_of
from tests.moves.stock import make_stocked, rows_at
from tests.servers.acts import add_annex

POOL, SCHEMA, DATABASE = Tier.POOL, Tier.SCHEMA, Tier.DATABASE
WAYS = [
    ((POOL, "main"), (POOL, "main")),
    ((POOL, "main"), (SCHEMA, "annex")),
    ((DATABASE, "main"), (POOL, "main")),
    ((SCHEMA, "main"), (DATABASE, "annex")),
    ((SCHEMA, "annex"), (POOL, "annex")),
]


@pytest.fixture
def acme(app: Portal, annex: str) -> TenantRoute:
    add_annex()
    return make_stocked("acme", POOL, "main")


def settings_of(tenant: TenantRoute) -> dict[str, object]:
    return {row.key: row.value for row in rows_of(Setting, tenant)}


def members_of(tenant: TenantRoute) -> dict[str, Member]:
    with tenant_scope(tenant, reason="test"):
        return {member.email: member for member in db.session.scalars(select(Member))}


@pytest.mark.parametrize(("source", "target"), WAYS, ids=["-".join([a, b, c, d]) for (a, b), (c, d) in WAYS])
def test_a_clone_has_the_rows_of_its_source_and_the_source_is_untouched(
    app: Portal, annex: str, source: tuple[Tier, str], target: tuple[Tier, str]
) -> None:
    add_annex()
    acme = make_stocked("acme", *source)
    before = rows_at(acme, acme.placement)
    made = clone(acme, tier=target[0], server=target[1])
    assert (made.status, made.home_state) == ("active", "active")
    assert (made.placement.tier, made.placement.server) == target
    assert settings_of(made) == settings_of(acme)
    assert {row.key for row in rows_of(Role, made)} == {row.key for row in rows_of(Role, acme)}
    assert len(members_of(made)) == len(members_of(acme)) + 1
    assert rows_at(acme, acme.placement) == before


def test_rows_keep_their_ids_and_belong_to_the_clone(acme: TenantRoute) -> None:
    made = clone(acme)
    with open_end(made.tenant_id, made.placement) as end, end.transaction():
        copied = end.connection.execute("select tenant_id, id from pool.settings").fetchall()
    assert {row[0] for row in copied} == {made.tenant_id}
    assert {row[1] for row in copied} == {row.id for row in rows_of(Setting, acme)}


def test_members_are_masked_and_have_nothing_to_get_in_by(acme: TenantRoute) -> None:
    members = members_of(clone(acme))
    masked = [member for email, member in members.items() if email != EVE]
    assert len(masked) == 2
    for member in masked:
        assert member.email == f"member-{member.id.hex}@masked.invalid"
        assert (member.name, member.name_search) == (f"Member {member.id.hex[-8:]}", f"member {member.id.hex[-8:]}")
        assert (member.password_hash, member.link_purpose, member.link_serial) == (None, None, 0)
        assert member.last_signed_in_at is None


def test_names_are_kept_when_asked_and_passwords_still_are_not(acme: TenantRoute) -> None:
    bob = members_of(clone(acme, keeps_names=True))[BOB]
    assert (bob.name, bob.password_hash) == ("Bob Builder", None)


def test_nobody_of_the_source_gets_in_with_what_they_had(app: Portal, acme: TenantRoute) -> None:
    made = clone(acme, keeps_names=True)
    assert rows_of(MemberSession, made) == []
    client = browser(app, host_of(made))
    client.get("/sign-in")
    client.submit("/sign-in", email=BOB, password=PASSWORD)
    assert (client.status, "Sign out" in client.text) == (422, False)


def test_a_link_of_a_clone_opens_nothing_at_its_source(acme: TenantRoute) -> None:
    made = clone(acme, keeps_names=True)
    tokens = []
    for tenant in (acme, made):
        with tenant_scope(tenant, reason="test"), transaction():
            bob = find_member_by_email(BOB)
            bob.link_serial = 6
            bob.issue_link(LinkPurpose.MEMBER_RESET, timedelta(hours=1), clock.now())
            tokens.append((bob.id, derive_link_token(bob)))
    (own_id, own), (copied_id, copied) = tokens
    assert own_id == copied_id
    with tenant_scope(acme, reason="test"):
        assert get_member_by_link(own, LinkPurpose.MEMBER_RESET, clock.now()).id == own_id
        with pytest.raises(LinkError):
            get_member_by_link(copied, LinkPurpose.MEMBER_RESET, clock.now())


def test_the_chosen_owner_is_the_only_one_and_gets_in_by_the_mail(app: Portal, acme: TenantRoute) -> None:
    made = clone(acme)
    with tenant_scope(made, reason="test"):
        assert find_owner().email == EVE
        owners = db.session.scalars(select(Member).join(Role, Role.id == Member.role_id).where(Role.key == "owner"))
        assert [owner.email for owner in owners] == [EVE]
    mail = [mail for mail in deliver_mails() if mail["To"] == EVE][-1]
    assert f"//{host_of(made)}" in link_in(mail)
    eve = browser(app, host_of(made))
    eve.get(link_in(mail).split("localhost:8000")[1])
    assert "Eve Adams" in eve.text


def test_a_member_of_the_source_can_be_chosen_and_has_to_accept_anew(acme: TenantRoute) -> None:
    made = clone(acme, keeps_names=True, owner_email="dora@acme.example", owner_name="Dora Doe")
    dora = members_of(made)["dora@acme.example"]
    assert (dora.state, dora.link_purpose) == ("invited", "member-invitation")
    with tenant_scope(made, reason="test"):
        assert find_owner().id == dora.id


def test_the_clone_begins_with_where_it_came_from_and_the_source_is_told(acme: TenantRoute) -> None:
    made = clone(acme)
    first = actions_of(rows_of(HomeAuditEvent, made))[0]
    told = [event for event in rows_of(ControlAuditEvent) if event.action.startswith("clone.")]
    assert first == "tenant.cloned"
    assert {event.tenant_id for event in told} == {acme.tenant_id}
    assert actions_of(told) == ["clone.started", "clone.finished"]
    assert {event.target_label for event in told} == {"acme-copy"}


def test_jobs_and_markers_of_the_source_stay_there(acme: TenantRoute) -> None:
    waiting = mails_beside(acme)
    made = clone(acme)
    assert (len(waiting), len(mails_beside(made))) == (2, 1)
    assert not waiting & mails_beside(made)


def mails_beside(tenant: TenantRoute) -> set[str]:
    """Return the keys of the mails that lie beside a tenant's home."""
    query = "select key from tenancy.outbox where tenant_id = %s and kind = 'mail.send'"
    with owner_connection() as owner:
        return {row[0] for row in owner.execute(query, (tenant.tenant_id,))}


def test_the_registry_knows_what_it_is_a_clone_of(acme: TenantRoute) -> None:
    made = read(clone(acme).tenant_id)
    assert (made.cloned_from_id, made.owner_email, made.activity) == (acme.tenant_id, EVE, "none")
    assert made.plan.key == read(acme.tenant_id).plan.key


def test_the_operation_shows_how_far_it_has_come(acme: TenantRoute) -> None:
    made = clone(acme)
    with platform_scope("test"):
        operation = find_latest_operation(made.tenant_id)
    assert (operation.kind, operation.state, operation.done_count) == ("clones.clone", "done", 6)


def test_a_suspended_tenant_can_be_cloned_and_a_clone_too(app: Portal, annex: str) -> None:
    acme = make_stocked("acme", POOL, "main")
    with owner_connection() as owner:
        owner.execute("update control.tenants set status = 'suspended' where id = %s", (acme.tenant_id,))
    made = clone(acme)
    again = clone(made, slug="acme-copy-2", owner_email="fay@copy.example")
    assert (made.status, again.status) == ("active", "active")
    assert settings_of(again) == settings_of(acme)
