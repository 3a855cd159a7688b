"""Redis gone or flushed while a tenant is onboarded, PostgreSQL restarted while people work."""

from __future__ import annotations

import shutil
import threading
import time

import pytest
from pydantic import SecretStr

from app import create_app
from app.core.actors import Actor
from app.core.database.session import engines, registry
from app.core.redis import get_redis
from app.core.tenancy.scopes import platform_scope
from app.instance.postgres import start_postgres
from app.instance.redis import start_redis
from app.jobs.dispatcher import sweep
from app.onboarding.services import onboard_tenant
from app.plans.services import seed_catalogue
from app.tenants.models import Tenant
from app.tenants.services import TenantDraft
from tests.factories import ADMIN_HOST, browser, make_staff_user, rows_of, sign_in_as_ada, use_cheap_passwords
from tests.servers import make_open_folder, prepare_instance
from tests.work import run_jobs

FORM = {"name": "Acme", "slug": "acme", "owner_name": "Bob", "owner_email": "bob@acme.example", "plan": "team"}


def statuses():
    return [tenant.status for tenant in rows_of(Tenant)]


@pytest.fixture
def catalogue(app, monkeypatch):
    use_cheap_passwords(monkeypatch)
    with platform_scope("test"):
        seed_catalogue()


@pytest.fixture
def lonely(app, instance, tmp_path, catalogue):
    """An application with a Redis of its own, which the test stops and starts."""
    redis = start_redis(tmp_path / "redis")
    lonely = create_app(instance.model_copy(update={"redis_url": SecretStr(redis.url)}), polls=False)
    lonely.extensions["redis_of_test"] = redis
    with lonely.app_context():
        yield lonely
        engines().dispose()
        registry().close()
        get_redis().close()
    redis.stop()


def test_a_tenant_onboarded_while_redis_is_down_is_provisioned_when_it_is_back(lonely, tmp_path):
    make_staff_user()
    ada = sign_in_as_ada(lonely)
    ada.get("/tenants/new")
    stopped = lonely.extensions["redis_of_test"]
    port = int(stopped.url.rsplit(":", 1)[1].split("/")[0])
    stopped.stop()
    ada.submit("/tenants", **FORM)
    assert ada.status == 200
    assert statuses() == ["provisioning"]
    lonely.extensions["redis_of_test"] = start_redis(tmp_path / "redis", port=port)
    run_jobs()
    lonely.extensions["redis_of_test"].stop()
    assert statuses() == ["active"]


def test_a_visitor_signs_up_while_redis_is_down(lonely):
    visitor = browser(lonely, "localhost")
    visitor.get("/sign-up")
    lonely.extensions["redis_of_test"].stop()
    visitor.submit("/sign-up", **FORM, accept=True)
    assert visitor.status == 200
    assert statuses() == ["requested"]


@pytest.mark.usefixtures("catalogue")
def test_a_flushed_queue_loses_no_tenant(app):
    with platform_scope("test"):
        draft = TenantDraft("Acme", "acme", "Bob", "bob@acme.example", "team")
        onboard_tenant(draft, actor=Actor.system("test"))
    sweep(per_tenant=4)
    get_redis().flushdb()
    run_jobs()
    assert statuses() == ["active"]


@pytest.fixture
def restarting(redis_url, worker_id, monkeypatch):
    """An application on a cluster of its own, and the function that restarts the cluster."""
    use_cheap_passwords(monkeypatch)
    folder = make_open_folder()
    server = start_postgres(folder / "postgres", fast=True)
    port = int(server.superuser_url.rsplit(":", 1)[1].split("/")[0])
    app = create_app(prepare_instance(server.superuser_url, redis_url, worker_id), polls=True)
    servers = [server]

    def restart(when_down):
        servers[-1].stop()
        when_down()
        servers.append(start_postgres(folder / "postgres", port=port, fast=True))

    with app.app_context():
        yield app, restart
        engines().dispose()
        registry().close()
    servers[-1].stop()
    shutil.rmtree(folder, ignore_errors=True)


def wait_until(holds, seconds=60):
    """Return as soon as something holds; the deadline is against hanging only."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_restart_of_postgresql_under_load_costs_503_for_a_moment(restarting):
    app, restart = restarting
    make_staff_user()
    answers, done = [], threading.Event()

    def keep_asking():
        client = app.test_client()
        while not done.is_set():
            response = client.get("/sign-in", base_url=f"http://{ADMIN_HOST}")
            response = client.get("/readyz", base_url="http://10.0.0.1") if response.status_code == 200 else response
            answers.append((response.status_code, response.headers.get("Retry-After")))

    threads = [threading.Thread(target=keep_asking) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: answers)
    restart(when_down=lambda: wait_until(lambda: answers[-1][0] == 503))
    wait_until(lambda: {status for status, _ in answers[-20:]} == {200})
    done.set()
    for thread in threads:
        thread.join()
    assert {status for status, _ in answers} == {200, 503}
    assert all(wait for status, wait in answers if status == 503)
    ada = sign_in_as_ada(app)
    ada.get("/")
    assert ada.status == 200
