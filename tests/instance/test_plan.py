"""What the processes of an instance are told."""

import pytest

from app.core.config import read_environment
from app.instance.plan import as_login, make_environment, make_plan
from app.instance.secrets import Secrets
from app.instance.servers import Servers


@pytest.fixture
def environment(tmp_path, no_settings):
    """Derive an environment from settings, as for port 8123."""
    servers = Servers()
    servers.owner_url, servers.redis_url = "postgresql://tenantry_owner:o@db:5432/tenantry", "redis://r"

    def derive(**given):
        secrets = Secrets("k" * 43, "i" * 43, "r" * 43, "o", "p/1", "t")
        return make_environment(read_environment(**given), secrets, servers, var_dir=tmp_path, port=8123)

    return derive


def test_the_domain_follows_the_port(environment):
    assert environment()["BASE_DOMAIN"] == "localhost:8123"


def test_a_domain_that_was_given_stays(environment):
    assert environment(BASE_DOMAIN="example.test")["BASE_DOMAIN"] == "example.test"


def test_logins_are_named_after_the_prefix(environment):
    known = environment(ROLE_PREFIX="blue")
    assert known["DATABASE_PLATFORM_URL"] == "postgresql://blue_platform:p%2F1@db:5432/tenantry"
    assert known["DATABASE_TENANT_URL"] == "postgresql://blue_tenant:t@db:5432/tenantry"


def test_secrets_that_were_given_stay(environment):
    known = environment(SECRET_KEY="g" * 32, DATABASE_TENANT_URL="postgresql://given")
    assert (known["SECRET_KEY"], known["DATABASE_TENANT_URL"]) == ("g" * 32, "postgresql://given")


def test_a_login_keeps_the_rest_of_the_address():
    url = as_login("postgresql://a:b@[::1]:5432/db?sslmode=require", "c", "d@e")
    assert url == "postgresql://c:d%40e@[::1]:5432/db?sslmode=require"


def test_the_second_servers_owner_reaches_its_step_alone(environment, monkeypatch):
    monkeypatch.setenv("DEMO_SERVER_URL", "postgresql://old")
    plan = make_plan(environment(), owner_url="postgresql://owner", annex_url="postgresql://annex")
    everybody = (plan.migrate, plan.first_admin, plan.annex, plan.demo, *plan.children)
    found = {child.name: child.environment.get("DEMO_SERVER_URL") for child in everybody}
    assert found.pop("annex") == "postgresql://annex"
    assert set(found.values()) == {None}
    assert make_plan(environment(), owner_url="postgresql://owner").annex is None


def test_an_owner_in_the_environment_reaches_only_those_who_need_it(environment, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://owner")
    plan = make_plan(environment(), owner_url="postgresql://owner")
    everybody = (plan.migrate, plan.first_admin, plan.demo, *plan.children)
    assert [child.name for child in everybody if "DATABASE_URL" in child.environment] == [
        "migrate",
        "demo",
        "operations",
    ]
