"""Isolation in both portals: how servers stand, probes live and in the list, reports with their files."""

from __future__ import annotations

from uuid import UUID

import pytest

from app.core.config import Settings
from app.core.redis import get_redis
from app.core.tenancy.scopes import TenantRoute, Tier, tenant_scope
from app.isolation import signing
from app.isolation.reports import Report
from app.isolation.views.admin import CSV_HEADER
from app.members.services import create_default_roles
from app.web.hosts import Portal
from tests.factories import (
    ADMIN_HOST,
    CAROL,
    SETUP,
    host_of,
    make_member,
    make_staff_user,
    make_tenant,
    sign_in,
)
from tests.homes.placing import make_home
from tests.isolation.probing import pair_of, probe, request
from tests.page import PageClient
from tests.servers.acts import add_annex
from tests.work import run_jobs


def breach() -> Report:
    """Probe the main server while a planted value lies in Redis."""
    probe()
    get_redis().set("leak", pair_of().b.planted)
    return probe()


def test_an_instance_that_was_never_probed_says_what_happens_next(ada: PageClient) -> None:
    ada.get("/isolation")
    assert "No probe yet" in ada.text
    assert "Isolation unproven" in ada.text


def test_ada_checks_now_and_watches(ada: PageClient, app: Portal) -> None:
    probe()
    ada.get("/isolation")
    (form,) = [form for form in ada.select("form") if "/servers/" in (form.get("action") or "")]
    ada.submit(form.get("action"))
    assert "Waiting for a worker" in ada.text
    assert [bar.get("value") for bar in ada.select("progress")] == ["0"]
    url = ada.page.url
    run_jobs()
    ada.get(url, fragment=True)
    assert "Passed" in ada.text
    assert ada.select("#probe")[0].get("hx-get") is None
    ada.get("/isolation")
    assert "Isolation proven" in ada.text


def test_ada_checks_every_server(ada: PageClient, annex: str) -> None:
    add_annex()
    ada.get("/isolation")
    ada.submit("/isolation/probes")
    assert "Every server is being probed." in ada.text
    assert len(ada.select("#probe-table tbody tr")) == 2


def test_the_list_is_filtered_and_exported(ada: PageClient) -> None:
    probe()
    breach()
    ada.get("/isolation?state=failed&server=main")
    assert len(ada.select("#probe-table tbody tr")) == 1
    lines = ada.get("/isolation.csv?state=failed").response.get_data(as_text=True).splitlines()
    assert lines[0].replace('"', "") == ",".join(CSV_HEADER)
    assert len(lines) == 2
    ada.get("/isolation?server=moon")
    assert "No probe matches" in ada.text


def test_a_breach_turns_the_servers_page_red(ada: PageClient) -> None:
    report = breach()
    for path in ("/servers", "/", "/isolation"):
        ada.get(path)
        assert "breached" in ada.text, path
    server = next(link.get("href") for link in ada.get("/servers").select("#server-table tbody a"))
    ada.get(server)
    assert [badge for badge in ada.page.texts(".pill-danger") if badge == "Isolation breached"]
    assert "treat it as an incident" in ada.text
    ada.get(f"/isolation/probes/{report.id}")
    assert ada.page.texts("#check-table tbody .pill")[:2] == ["Failed", "Passed"]


def test_a_proven_server_is_green_and_the_overview_silent(ada: PageClient) -> None:
    probe()
    server = next(link.get("href") for link in ada.get("/servers").select("#server-table tbody a"))
    ada.get(server)
    assert "Isolation proven" in ada.page.texts(".pill-success")
    ada.get("/")
    assert "Isolation of server" not in ada.text


def test_a_tenants_page_for_staff_says_how_its_server_stands(ada: PageClient) -> None:
    acme = make_tenant("acme")
    probe()
    ada.get(f"/tenants/{acme.tenant_id}")
    assert "Isolation proven" in ada.text


def test_support_reads_and_does_not_check(ada: PageClient, app: Portal) -> None:
    probe()
    make_staff_user("sam@platform.example", role="support", name="Sam Support")
    sam = sign_in(app, ADMIN_HOST, "sam@platform.example")
    sam.get("/isolation")
    assert sam.status == 200
    assert "now" not in " ".join(sam.page.texts("button")).lower()


@pytest.mark.parametrize("portal", ["ada", "bob"])
def test_a_report_is_downloaded_and_verifies(portal: str, bob: PageClient, ada: PageClient, instance: Settings) -> None:
    report = probe()
    client, base = {"ada": (ada, "/isolation/probes"), "bob": (bob, "/isolation/reports")}[portal]
    document = client.get(f"{base}/{report.id}/report.json").response.data
    signature = client.get(f"{base}/{report.id}/report.sig").response.data
    key = signing.read_public_key(client.get("/isolation/public-key.pem").response.data)
    assert signing.is_valid(key, document, signature)
    pdf = client.get(f"{base}/{report.id}/report.pdf").response
    assert (pdf.data[:5], pdf.mimetype) == (b"%PDF-", "application/pdf")


def test_a_report_as_pdf_is_made_for_archives_and_always_the_same(ada: PageClient) -> None:
    report = probe()
    first, second = (ada.get(f"/isolation/probes/{report.id}/report.pdf").response.data for _ in range(2))
    assert first == second
    assert b"pdfaid:part>2<" in first
    assert b"pdfaid:conformance>A<" in first


def test_a_probe_without_a_report_has_no_files(ada: PageClient) -> None:
    probe_id = request()
    for name in ("report.json", "report.sig", "report.pdf"):
        assert ada.get(f"/isolation/probes/{probe_id}/{name}").status == 404


def test_bob_reads_where_his_data_lies_and_how_that_was_tried(bob: PageClient) -> None:
    bob.get("/isolation")
    assert "No report yet" in bob.text
    report = probe()
    bob.get("/isolation")
    assert "tables that several tenants share" in bob.text
    assert len(bob.select("#check-table tbody tr")) == len(report.checks)
    bob.get(f"/isolation/reports/{report.id}")
    assert bob.status == 200


def test_bob_reads_that_a_probe_has_failed(bob: PageClient) -> None:
    breach()
    bob.get("/isolation")
    assert "The last probe failed" in bob.text


def test_a_member_without_the_permission_sees_no_isolation(bob: PageClient, app: Portal) -> None:
    globex = make_tenant("globex")
    make_member(globex, CAROL)
    carol = sign_in(app, host_of(globex), CAROL)
    assert "Isolation" not in carol.get("/").text
    assert carol.get("/isolation").status == 403


@pytest.mark.parametrize("tier", [Tier.POOL, Tier.DATABASE])
def test_a_tenant_reads_the_reports_of_its_own_server_alone(
    ada: PageClient, app: Portal, annex: str, tier: Tier
) -> None:
    add_annex()
    of_main, of_annex = probe(), probe(annex)
    globex = make_member_of_globex(tier)
    carol = sign_in(app, host_of(globex), CAROL)
    carol.get("/isolation")
    assert str(of_annex.id) in carol.page.response.get_data(as_text=True)
    assert carol.get(f"/isolation/reports/{of_annex.id}").status == 200
    for name in ("", "/report.json", "/report.sig", "/report.pdf"):
        foreign = carol.get(f"/isolation/reports/{of_main.id}{name}")
        unknown = carol.get(f"/isolation/reports/{UUID(int=7)}{name}")
        assert (foreign.status, unknown.status) == (404, 404)


def make_member_of_globex(tier: Tier) -> TenantRoute:
    """Make Carol an owner of Globex, whose home lies on the annex."""
    globex = make_home("globex", tier, "annex")
    with tenant_scope(globex, reason="test"):
        create_default_roles(actor=SETUP)
    make_member(globex, CAROL, role="owner", name="Carol Danvers")
    return globex


def test_the_instances_own_key_signs_where_one_is_given() -> None:
    settings = current_settings_with(isolation_signing_key="A" * 43)
    assert signing.load_signing_key(settings).private_bytes_raw() == bytes(32)


def current_settings_with(**given: str) -> Settings:
    return Settings(ISOLATION_SIGNING_KEY=given["isolation_signing_key"])
