"""Hosts: which portal a Host header reaches, and that everything else is a page of nobody's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr
from werkzeug.test import Client, TestResponse

from app import create_app
from app.core.config import Settings
from app.core.database.session import engines, registry
from app.core.redis import get_redis
from app.core.tenancy.scopes import TenantRoute, find_scope
from app.web.decorators import allow_anybody
from app.web.hosts import Portal, Surface, parse_host, place_resolver
from tests.tenant_rows import make_tenant_rows

LONG = "a" * 300
TENANT_HOSTS = [
    "acme.localhost",
    "acme.localhost:8000",
    "acme.localhost:1",
    "ACME.LocalHost",
    "acme.localhost.",
    "ACME.LOCALHOST.:8000",
    " acme.localhost ",
]
ADMIN_HOSTS = ["admin.localhost", "admin.localhost:8000", "ADMIN.localhost", "admin.localhost."]
PUBLIC_HOSTS = ["localhost", "localhost:8000", "LOCALHOST", "localhost."]
UNKNOWN_HOSTS = [
    "",
    " ",
    ".",
    ":8000",
    "127.0.0.1",
    "127.0.0.1:8000",
    "2130706433",
    "[::1]",
    "[::1]:8000",
    "::1",
    LONG,
    f"{LONG}.localhost",
    f"{'a.' * 150}localhost",
    "nobody.localhost",
    "evil.example",
    "acme.localhost.evil.example",
    "acme.localhost.evil.example:8000",
    "acme.evil.example",
    "evil.example.acme",
    "acmelocalhost",
    "acme-localhost",
    "www.acme.localhost",
    "a.b.acme.localhost",
    "acme.admin.localhost",
    "admin.admin.localhost",
    "admin.acme.localhost",
    ".localhost",
    "acme..localhost",
    "acme.localhost..",
    "-acme.localhost",
    "acme_.localhost",
    "acme .localhost",
    "acme%2elocalhost",
    "acme.localhost/",
    "acme.localhost?",
    "acme.localhost#",
    "user@acme.localhost",
    "acme.localhost,evil.example",
    "acme.localhost\tevil.example",
    "acme.localhost:80:80",
    "äcme.localhost",
    "acme.localhost\xa0",
]


@pytest.fixture
def acme(app: Portal) -> TenantRoute:
    return make_tenant_rows("acme")


def ask(app: Portal, host: str | None, path: str = "/no-such-page", **options: Any) -> TestResponse:
    """Send a request whose Host header is exactly this text, or is missing."""

    def application(environ: dict[str, Any], start_response: Any) -> Any:
        environ.pop("HTTP_HOST")
        environ |= {"SERVER_NAME": "acme.localhost"} if host is None else {"HTTP_HOST": host}
        return app(environ, start_response)

    return Client(application).open(path, buffered=True, **options)


@contextmanager
def another(instance: Settings, **changes: Any) -> Iterator[Portal]:
    """Make an application with other settings, and close what it opened."""
    made = create_app(instance.model_copy(update=changes), polls=False)
    yield made
    with made.app_context():
        engines().dispose()
        registry().close()


@pytest.mark.parametrize("host", TENANT_HOSTS)
def test_a_tenants_host_is_the_tenants_portal(app: Portal, acme: TenantRoute, host: str) -> None:
    place = app.place_of(host, "/")
    assert (place.surface, place.host, place.route) == (Surface.TENANT, "acme.localhost", acme)


@pytest.mark.parametrize(
    ("host", "surface"),
    [*((host, Surface.ADMIN) for host in ADMIN_HOSTS), *((host, Surface.PUBLIC) for host in PUBLIC_HOSTS)],
)
def test_the_platforms_own_hosts_are_fixed(app: Portal, acme: TenantRoute, host: str, surface: Surface) -> None:
    place = app.place_of(host, "/")
    assert (place.surface, place.route) == (surface, None)


@pytest.mark.parametrize("host", UNKNOWN_HOSTS)
def test_any_other_host_is_unknown(app: Portal, acme: TenantRoute, host: str) -> None:
    place = app.place_of(host, "/")
    assert (place.surface, place.route) == (Surface.UNKNOWN, None)


def test_only_the_one_label_below_the_base_domain_is_ever_looked_up() -> None:
    asked: list[str] = []
    place_of = place_resolver("localhost:8000", asked.append)
    for host in [*UNKNOWN_HOSTS, *TENANT_HOSTS, *ADMIN_HOSTS, *PUBLIC_HOSTS]:
        place_of(host, "/")
    assert set(asked) == {"nobody", "acme"}


@pytest.mark.parametrize("path", ["/", "/sign-in", "/static/../wsgi.py", "/api/x"])
@pytest.mark.parametrize("host", [None, *UNKNOWN_HOSTS])
def test_an_unknown_host_gets_a_404_and_no_cookie(app: Portal, acme: TenantRoute, host: str | None, path: str) -> None:
    response = ask(app, host, path)
    assert response.status_code == 404
    assert "Set-Cookie" not in response.headers
    assert "Acme" not in response.text
    assert find_scope() is None


def test_a_tenant_that_is_called_like_a_fixed_host_does_not_take_it(app: Portal) -> None:
    make_tenant_rows("admin")
    assert app.place_of("admin.localhost", "/").surface is Surface.ADMIN


@given(header=st.text(max_size=400))
@example(header="a\n")
@example(header="\N{KELVIN SIGN}")
@example(header="a.\n")
def test_a_parsed_host_is_canonical_or_nothing(header: str) -> None:
    host = parse_host(header)
    assert host == "" or (host == host.lower().strip(" .:\n") and len(host) <= 253 and host.isascii())
    assert parse_host(host) == host
    assert parse_host(f"{host}:8000") == host


@pytest.mark.parametrize("host", ["acme.localhost", "admin.localhost", "localhost"])
def test_static_files_are_served_on_every_surface(app: Portal, acme: TenantRoute, host: str) -> None:
    response = ask(app, host, "/static/img/mark.svg")
    assert (response.status_code, response.mimetype) == (200, "image/svg+xml")
    assert "immutable" in response.headers["Cache-Control"]
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("path", ["/static/", "/static/nothing", "/static/../wsgi.py", "/static/%2e%2e/wsgi.py"])
def test_static_serves_nothing_else(app: Portal, path: str) -> None:
    assert ask(app, "localhost", path).status_code == 404


@pytest.mark.parametrize("host", [None, "acme.localhost", "admin.localhost", "localhost", *UNKNOWN_HOSTS])
def test_the_probes_answer_on_any_host(app: Portal, acme: TenantRoute, host: str | None) -> None:
    assert ask(app, host, "/healthz").json == {"status": "alive"}
    assert ask(app, host, "/readyz").json == {"status": "ready"}


def test_a_redis_that_is_down_degrades_readiness(app: Portal, instance: Settings) -> None:
    with another(instance, redis_url=SecretStr("redis://127.0.0.1:1/0")) as without_redis:
        response = ask(without_redis, "10.0.0.1", "/readyz")
        assert (response.status_code, response.json) == (200, {"status": "ready", "degraded": ["redis"]})


def test_a_redis_that_is_down_is_tried_twice_and_never_waited_for(app: Portal) -> None:
    retry = get_redis().get_connection_kwargs()["retry"]
    assert (retry.get_retries(), retry._backoff.compute(1)) == (1, 0)


def test_migrations_that_have_not_run_are_not_ready(app: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.extensions, "tenantry_schema_check", lambda: ["tenant"])
    response = ask(app, "10.0.0.1", "/readyz")
    assert (response.status_code, response.json["failed"]) == (503, ["migrations"])
    assert int(response.headers["Retry-After"]) > 0


@pytest.fixture
def cut_off(instance: Settings) -> Iterator[Portal]:
    """An application whose database is away."""
    nowhere = SecretStr("postgresql://tenantry_platform:x@127.0.0.1:1/tenantry")
    with another(instance, database_platform_url=nowhere) as made:
        yield made


@pytest.mark.parametrize("path", ["/", "/sign-in", "/api/x"])
def test_a_tenants_host_is_unavailable_while_nobody_can_tell_whose_it_is(cut_off: Portal, path: str) -> None:
    response = ask(cut_off, "acme.localhost", path)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0


def test_without_a_database_the_process_is_alive_but_not_ready(cut_off: Portal) -> None:
    assert ask(cut_off, "10.0.0.1", "/healthz").status_code == 200
    response = ask(cut_off, "10.0.0.1", "/readyz")
    assert (response.status_code, response.json["failed"]) == (503, ["database"])
    assert ask(cut_off, "evil.example").status_code == 404


HOST_OF = {Surface.ADMIN: "admin.localhost", Surface.PUBLIC: "localhost", Surface.TENANT: "acme.localhost"}


@pytest.mark.parametrize("surface", HOST_OF)
def test_a_surfaces_pages_are_nowhere_else(app: Portal, acme: TenantRoute, surface: Surface) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
    own = {rule.rule for rule in rules if rule.subdomain in (surface, Surface.PROBE)}
    foreign = {rule.rule for rule in rules} - own
    assert foreign
    for path in sorted(foreign):
        assert ask(app, HOST_OF[surface], path).status_code in (404, 405), path


@pytest.fixture
def careless(instance: Settings) -> Iterator[Portal]:
    """An application with views whose author forgot a declaration, or a surface."""
    with another(instance) as made:
        made.add_url_rule("/undeclared", "undeclared", lambda: "secret", subdomain=Surface.PUBLIC, methods=["GET"])
        made.add_url_rule("/nowhere", "nowhere", allow_anybody("a test")(lambda: "secret"))
        yield made


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_an_undeclared_view_is_nobodys(careless: Portal, method: str) -> None:
    assert ask(careless, "localhost", "/undeclared", method=method).status_code == 403


@pytest.mark.parametrize("host", [*HOST_OF.values(), "evil.example", "10.0.0.1"])
def test_a_view_without_a_surface_is_nowhere(careless: Portal, acme: TenantRoute, host: str) -> None:
    assert ask(careless, host, "/nowhere").status_code == 404


def test_a_forwarded_host_is_believed_only_from_a_proxy_that_is_named(
    app: Portal, acme: TenantRoute, instance: Settings
) -> None:
    headers = {"X-Forwarded-Host": "localhost"}
    with another(instance, trusted_proxy_count=1) as behind:
        assert ask(behind, "evil.example", "/sign-up/sent", headers=headers).status_code == 200
    assert ask(app, "evil.example", "/sign-up/sent", headers=headers).status_code == 404


def test_a_login_that_could_step_over_the_walls_is_not_ready(app: Portal, superuser_url: str) -> None:
    settings = app.extensions["tenantry_settings"].model_copy(update={"database_tenant_url": SecretStr(superuser_url)})
    powerful = create_app(settings, polls=False)
    response = ask(powerful, "10.0.0.1", "/readyz")
    assert (response.status_code, response.json["failed"]) == (503, ["logins"])
