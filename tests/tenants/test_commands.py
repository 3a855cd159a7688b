"""The commands about tenants: text for people, JSON for scripts, one sentence on bad input."""

from __future__ import annotations

import json

import pytest

from app.core.audit_actions import AuditAction
from tests.tenant_rows import owner_connection
from tests.tenants.registry import last_event, read_tenant, register


@pytest.fixture
def run(app):
    """The function that runs `flask --app wsgi tenant …`."""
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(args=["tenant", *words])


def test_the_list_shows_each_tenant_on_a_line(run):
    register("globex", plan="team")
    register("acme", name="Acme Stores")
    lines = run("list").stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [["acme", "active", "starter"], ["globex", "active", "team"]]


@pytest.mark.parametrize(
    ("words", "found"),
    [(("--status", "suspended"), ["acme"]), (("--plan", "team"), ["globex"]), (("--search", "Glo"), ["globex"]),
     (("--search", "bob@example.com"), ["acme", "globex"]), (("--status", "archived"), []),
     (("--tier", "schema"), ["globex"]), (("--server", "main"), ["acme", "globex"])],
)  # fmt: skip
def test_the_list_is_narrowed_as_the_page_is(run, words, found):
    register("acme", status="suspended")
    register("globex", plan="team")
    with owner_connection() as connection:
        connection.execute(
            "update control.placements set tier = 'schema' from control.tenants t "
            "where t.id = tenant_id and t.slug = 'globex'"
        )
    assert [row["slug"] for row in json.loads(run("list", *words, "--json").stdout)] == found


def test_the_list_as_json_has_ids_and_status(run):
    tenant_id = register("acme", tags=["vip"])
    (row,) = json.loads(run("list", "--json").stdout)
    assert (row["id"], row["status"], row["plan"], row["tags"]) == (str(tenant_id), "active", "starter", ["vip"])


def test_an_empty_list_says_so(run):
    assert run("list").stdout == "No tenant matches.\n"


def test_one_tenant_is_shown(run):
    tenant_id = register("acme", status="suspended")
    facts = json.loads(run("show", "acme", "--json").stdout)
    assert (facts["id"], facts["status"], facts["status_reason"]) == (str(tenant_id), "suspended", "set up")
    assert "owner email   bob@example.com" in run("show", "acme").stdout


def test_a_tenant_is_suspended_and_reactivated(run):
    tenant_id = register("acme")
    answer = run("suspend", "acme", "--reason", "Unpaid.", "--json")
    assert json.loads(answer.stdout) == {"id": str(tenant_id), "slug": "acme", "status": "suspended"}
    assert last_event(AuditAction.TENANT_SUSPENDED).actor_label == "command tenant suspend"
    assert run("reactivate", "acme", "--reason", "Paid.").stdout == "acme is active.\n"
    assert last_event(AuditAction.TENANT_REACTIVATED).actor_kind == "system"
    assert read_tenant(tenant_id).status_reason == "Paid."


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "nobody"), "There is no tenant “nobody”."),
        (("suspend", "nobody", "--reason", "x"), "There is no tenant “nobody”."),
        (("suspend", "acme", "--reason", " "), "Say why."),
        (("suspend", "globex", "--reason", "x"), "Globex is archived; it cannot become suspended."),
        (("reactivate", "acme"), "Acme is active; only one that is suspended or past due can be reactivated."),
        (("list", "--server", "gold"), "There is no server “gold”."),
        (("list", "--plan", "gold"), "There is no plan “gold”; choose one of starter, team, enterprise."),
    ],
)
def test_bad_input_gets_one_sentence_and_exit_code_1(run, words, sentence):
    register("acme")
    register("globex", status="archived")
    answer = run(*words)
    assert (answer.exit_code, answer.stdout, answer.stderr) == (1, "", f"{sentence}\n")


def test_an_unknown_status_names_those_that_there_are(run):
    answer = run("list", "--status", "happy")
    assert answer.exit_code == 1
    assert answer.stderr.startswith("There is no status “happy”; choose one of requested, provisioning,")
