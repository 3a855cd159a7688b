"""One whole instance, started as `make run` starts it, around a stand-in for the product."""

import http.client
import io
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace

import psycopg
import pytest

from app.core.config import load_settings, read_environment, to_environment
from app.instance import run
from app.instance.logs import Logs
from app.instance.plan import Plan
from app.instance.processes import free_port
from app.instance.run import Instance
from app.instance.servers import Servers
from app.instance.supervisor import Child, StepError, StoppedError, Supervisor
from tests.instance.conftest import BARE, ROOT, STANDIN, Started, eventually, processes_of


@pytest.fixture(scope="module")
def running(shared_folder):
    """An instance that tests only look at, begun in an empty folder."""
    instance = Started(shared_folder / "var", code=ROOT)
    instance.wait_until_ready()
    yield instance
    instance.code, instance.rest, _ = instance.finish(signal.SIGTERM)
    instance.process.stdout.close()


def get_health(instance):
    connection = http.client.HTTPConnection("127.0.0.1", int(instance.seen("default")["PORT"]), timeout=5)
    connection.request("GET", "/healthz")
    answer = connection.getresponse().read()
    connection.close()
    return answer


def test_four_lines_say_where_everything_is(running):
    domain = f"localhost:{running.seen('default')['PORT']}"
    assert running.lines == [
        f"Platform portal: http://admin.{domain}",
        "Sign in: http://admin.localhost/first-link",
        f"Demo tenants: http://acme.{domain} and http://globex.{domain}; sign in as bob@acme.example",
        f"Mail: http://{domain}/mailbox",
    ]


def test_what_a_worker_says_about_its_work_is_in_its_log_and_not_on_the_terminal(running):
    written = running.var_dir / "log" / "default.log"
    eventually(written.exists)
    assert '"event": "works"' in written.read_text()


def test_the_web_server_answers(running):
    assert get_health(running) == b"alive"


def test_only_those_who_make_homes_get_the_owner(running):
    names = ("migrate", "first-admin", "demo", "default", "operations", "dispatcher")
    assert [name for name in names if "DATABASE_URL" in running.seen(name)] == ["migrate", "demo", "operations"]


def test_the_owner_can_enter_its_database(running):
    with psycopg.connect(running.seen("operations")["DATABASE_URL"]) as connection:
        assert connection.execute("select current_user").fetchone() == ("tenantry_owner",)


def test_runtime_logins_are_derived_with_passwords_of_their_own(running):
    seen = running.seen("default")
    assert "://tenantry_platform:" in seen["DATABASE_PLATFORM_URL"]
    assert "://tenantry_tenant:" in seen["DATABASE_TENANT_URL"]
    assert len(seen["SECRET_KEY"]) >= 32


@pytest.mark.usefixtures("no_settings")
def test_another_shell_finds_the_instance_but_not_its_owner(running):
    seen = running.seen("default")
    found = to_environment(load_settings(VAR_DIR=running.var_dir))
    assert found == {name: seen[name] for name in found}
    assert {"DATABASE_PLATFORM_URL", "DATABASE_TENANT_URL", "REDIS_URL", "SECRET_KEY"} < set(found)
    assert "DATABASE_URL" not in found


def test_what_another_shell_finds_is_readable_by_its_owner_alone(running):
    assert (running.var_dir / "instance.env").stat().st_mode & 0o777 == 0o600


def test_in_production_no_secret_is_written_down(small, tmp_path):
    given = dict.fromkeys(("DATABASE_PLATFORM_URL", "DATABASE_TENANT_URL", "REDIS_URL", "SMTP_URL"), "scheme://x")
    given |= {
        "ISOLATION_SIGNING_KEY": "i" * 43,
        "ROOT_KEY_FILE": "root_key",
        "SECRET_KEY": "s" * 32,
        "URL_SCHEME": "https",
    }
    settings = read_environment(TENANTRY_ENV="production", **given)
    with run._findable(replace(small, settings=settings)):
        assert not (tmp_path / "instance.env").exists()


def test_a_second_supervisor_on_the_folder_is_one_sentence(running, refuse):
    assert refuse(VAR_DIR=running.var_dir).startswith(f"Another supervisor runs on {running.var_dir}: stop it")


def test_a_dead_child_is_started_again(running):
    pid = running.seen("default")["pid"]
    os.kill(pid, signal.SIGKILL)
    assert running.seen("default", other_than=pid)["pid"] != pid


def test_a_dead_database_is_started_again_where_it_was(running):
    pid = int((running.var_dir / "postgres" / "server.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: int((running.var_dir / "postgres" / "server.pid").read_text() or pid) != pid)
    eventually(lambda: can_connect(running.seen("operations")["DATABASE_URL"]))


def can_connect(url):
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


def test_kill_nine_leaves_no_child_and_the_next_start_comes_up_and_stops_on_request(start):
    first = start(DEMO="0")
    first.wait_until_ready()
    first.finish(signal.SIGKILL)
    second = start(DEMO="0", PORT=first.seen("default")["PORT"])
    assert second.wait_until_ready() == first.lines
    code, printed, told = second.finish(signal.SIGINT)
    # The two are told by two threads; which comes first is no matter.
    assert (code, printed, {*told.splitlines()}) == (
        0, "", {f"Logs: {second.var_dir}/log; Ctrl-C stops everything.", "Stopping…"},
    )  # fmt: skip
    assert not processes_of(second.var_dir)
    assert not (second.var_dir / "instance.env").exists()


def test_the_demos_second_server_comes_up_with_the_instance_for_good(folder):
    ports = [port_of_annex(folder, "demo", DEMO_SERVER="1"), port_of_annex(folder, "migrate", DEMO="0")]
    assert len(set(ports)) == 1
    with socket.create_server(("127.0.0.1", ports[0])):
        ports.append(port_of_annex(folder, "migrate"))
    assert ports[2] != ports[0]


def port_of_annex(folder, *arguments, **given):
    """Let an instance come and go; return the port of its second server, which only its own step was told."""
    instance = Started(folder / "var", *arguments, **given)
    assert instance.finish()[0] == 0
    assert "DEMO_SERVER_URL" not in instance.seen("migrate")
    url = instance.seen("annex")["DEMO_SERVER_URL"]
    return int(url.rpartition(":")[2].partition("/")[0])


def test_killed_in_its_steps_it_comes_up_in_the_end(start):
    for step in ("migrate", "demo"):
        killed = start("demo", STANDIN_HANGS=step)
        killed.seen(step)
        killed.finish(signal.SIGKILL)
        eventually(lambda var_dir=killed.var_dir: not processes_of(var_dir))
    code, output, _ = start("demo").finish()
    assert (code, output) == (0, "Demo tenants: sign in as bob@acme.example\n")


def test_a_start_during_a_stop_waits_for_it(start):
    first = start(STANDIN_HANGS="migrate")
    first.seen("migrate")
    first.process.send_signal(signal.SIGTERM)
    eventually(lambda: (first.var_dir / "supervisor.lock").read_text() == "stopping")
    assert start("migrate").finish()[0] == 0
    assert first.finish()[0] == 0


def test_the_instance_stops_when_the_make_that_called_it_is_killed(folder):
    call = [sys.executable, "-m", "app.instance", "migrate", "--end-with-parent"]
    environment = os.environ | {"PYTHONPATH": str(BARE), "VAR_DIR": str(folder / "var"), "STANDIN_HANGS": "migrate"}
    caller = [sys.executable, "-c", f"import subprocess; subprocess.run({call})"]
    with subprocess.Popen(caller, cwd=STANDIN, env=environment) as make:
        eventually((folder / "var" / "seen" / "migrate").exists)
        make.kill()
    eventually(lambda: not processes_of(folder))


def test_a_failing_step_ends_the_start(start):
    code, output, errors = start(STANDIN_FAILS="migrate").finish()
    assert (code, output) == (1, "")
    assert errors.splitlines()[-1] == "The step migrate ended with exit code 3; its output is above."


@pytest.fixture
def refuse(folder, monkeypatch, capsys, no_settings, signals):
    """Begin a start in this process that ends before anything runs, and answer the one sentence that it says."""

    def begin(**environment):
        for name, value in ({"VAR_DIR": folder / "var", "PORT": 0} | environment).items():
            monkeypatch.setenv(name, str(value))
        assert run.main([]) == 2
        output, errors = capsys.readouterr()
        assert (output, errors.count("\n")) == ("", 1)
        return errors

    return begin


def test_a_taken_port_is_one_sentence(refuse):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = refuse(PORT=port)
    assert said.startswith(f"Port {port} cannot be used (Address already in use): free it or choose another one")


def test_production_without_its_secrets_is_one_sentence(refuse):
    assert "production needs SECRET_KEY" in refuse(TENANTRY_ENV="production")


def test_production_never_gets_an_embedded_database(refuse):
    names = ("DATABASE_PLATFORM_URL", "DATABASE_TENANT_URL", "REDIS_URL", "SMTP_URL")
    given = dict.fromkeys(names, "scheme://somewhere") | {"SECRET_KEY": "s" * 32, "URL_SCHEME": "https"}
    given["ISOLATION_SIGNING_KEY"] = "i" * 43
    given["ROOT_KEY_FILE"] = "root_key"
    said = refuse(TENANTRY_ENV="production", **given)
    assert said == "Configuration refused: production needs DATABASE_URL, the owner's login, to migrate.\n"


@pytest.fixture
def small(tmp_path):
    """An instance whose only child never answers a request."""
    child = Child("web", ("/bin/sleep", "60"), {})
    logs = Logs(tmp_path / "log", io.StringIO())
    supervisor = Supervisor(tmp_path / "run", logs)
    settings = read_environment(DEMO=False, SMTP_URL="smtp://mail.example:25")
    environment = {"PORT": str(free_port()), "BASE_DOMAIN": "example.test"}
    yield Instance(settings, tmp_path, supervisor, Servers(), environment, Plan(child, child, None, child, (child,)))
    supervisor.stop()
    logs.close()


def test_a_web_server_that_does_not_answer_ends_the_start(small, monkeypatch):
    monkeypatch.setattr(run, "START_SECONDS", 0.2)
    with pytest.raises(StepError, match=r"did not answer within 0\.2 s; .*web\.log says why"):
        run._serve(small, link="", demo="")


def test_a_signal_while_the_web_server_starts_ends_the_start(small, capsys):
    small.supervisor.stop_requested = True
    with pytest.raises(StoppedError):
        run._serve(small, link="", demo="")
    assert capsys.readouterr().out == ""


def test_the_four_lines_fit_an_instance_that_is_no_demo(small, capsys):
    run._announce(small, link="", demo="")
    assert capsys.readouterr().out.splitlines() == [
        "Platform portal: http://admin.example.test",
        "Sign in: as before; for a new link: flask --app wsgi staff sign-in-link EMAIL",
        "Demo tenants: none (DEMO=0)",
        "Mail: sent through SMTP_URL",
    ]
