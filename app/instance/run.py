"""The start of one whole instance, from an empty folder to a portal that answers."""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.core.config import Settings, read_environment, to_environment
from app.core.errors import ConfigError
from app.instance.instance_file import InstanceFile
from app.instance.launch import die_with_parent
from app.instance.lock import InstanceLock
from app.instance.logs import Logs
from app.instance.plan import Plan, make_environment, make_plan
from app.instance.processes import LOOPBACK, free_port, wait_until
from app.instance.secrets import load_or_create
from app.instance.servers import Servers
from app.instance.supervisor import StepError, StoppedError, Supervisor

START_SECONDS = 60


@dataclass(frozen=True)
class Instance:
    """One instance while its supervisor runs."""

    settings: Settings
    var_dir: Path
    supervisor: Supervisor
    servers: Servers
    environment: dict[str, str]
    plan: Plan


def main(arguments: Sequence[str]) -> int:
    """Do what the command line asks for and answer the exit code."""
    options = _parse(arguments)
    if options.end_with_parent:
        die_with_parent(os.getppid(), signal.SIGTERM)
    try:
        return _with_instance(read_environment(), options.goal)
    except StoppedError:
        return 0
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except StepError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m app.instance", description=__doc__)
    parser.add_argument("goal", nargs="?", choices=("run", "migrate", "demo"), default="run")
    parser.add_argument("--end-with-parent", action="store_true", help="stop when the calling process ends (Linux)")
    return parser.parse_args(arguments)


def _with_instance(settings: Settings, goal: str) -> int:
    var_dir = _make_var_dir(settings.var_dir)
    with ExitStack() as stack:
        lock = InstanceLock(var_dir)
        stack.callback(lock.release)
        logs = Logs(var_dir / "log", sys.stderr)
        stack.callback(logs.close)
        supervisor = Supervisor(var_dir / "run", logs)
        supervisor.listen_to_signals(lock.announce_stop)
        supervisor.stop_leftovers()
        port = settings.port or free_port()
        if goal == "run":
            _require_free(port)
        servers = Servers()
        for undo in (servers.stop, supervisor.stop, lock.announce_stop):
            stack.callback(undo)
        secrets = load_or_create(var_dir)
        servers.start(settings, secrets, var_dir)
        environment = make_environment(settings, secrets, servers, var_dir=var_dir, port=port)
        plan = make_plan(environment, owner_url=servers.owner_url, annex_url=servers.annex_url)
        return _reach(goal, Instance(settings, var_dir, supervisor, servers, environment, plan))


def _make_var_dir(given: Path) -> Path:
    var_dir = given.resolve()
    if not var_dir.exists():
        var_dir.mkdir(parents=True)
        # The database's user must be able to pass through; the secrets lie in a folder of their own.
        var_dir.chmod(0o711)
    return var_dir


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise ConfigError(
                f"Port {port} cannot be used ({error.strerror}): free it or choose another one (make run PORT=8123)."
            ) from None


def _reach(goal: str, instance: Instance) -> int:
    supervisor, plan = instance.supervisor, instance.plan
    if plan.annex is not None and instance.servers.annex_has_moved:
        supervisor.run_step(plan.annex)  # Its homes are migrated too, so it must be found.
    supervisor.run_step(plan.migrate)
    if plan.annex is not None:
        supervisor.run_step(plan.annex)
    if goal == "migrate":
        return 0
    link = supervisor.run_step(plan.first_admin).strip() if goal == "run" else ""
    has_demo = goal == "demo" or (instance.settings.demo and not instance.settings.is_production)
    demo = supervisor.run_step(plan.demo).strip() if has_demo else ""
    if goal == "demo":
        sys.stdout.write(f"Demo tenants: {demo}\n")
        return 0
    return _serve(instance, link=link, demo=demo)


def _serve(instance: Instance, *, link: str, demo: str) -> int:
    supervisor = instance.supervisor
    for child in instance.plan.children:
        supervisor.start(child)
    if not wait_until(lambda: _is_healthy(instance), START_SECONDS):
        log = instance.var_dir / "log" / "web.log"
        raise StepError(f"The web server did not answer within {START_SECONDS} s; {log} says why.")
    with _findable(instance):
        _announce(instance, link=link, demo=demo)
        while not supervisor.stop_requested:
            supervisor.turn()
            instance.servers.revive()
    return 0


@contextmanager
def _findable(instance: Instance) -> Iterator[None]:
    # In production secrets stay where they were given, and the owner's login stays with those who need it.
    if instance.settings.is_production:
        yield
        return
    given = to_environment(instance.settings)
    given.pop("DATABASE_URL", None)
    file = InstanceFile(instance.var_dir, given | instance.environment)
    try:
        yield
    finally:
        file.remove()


def _is_healthy(instance: Instance) -> bool:
    if instance.supervisor.stop_requested:
        raise StoppedError
    instance.supervisor.turn()
    connection = http.client.HTTPConnection(LOOPBACK, int(instance.environment["PORT"]), timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _announce(instance: Instance, *, link: str, demo: str) -> None:
    scheme, domain = instance.settings.url_scheme, instance.environment["BASE_DOMAIN"]
    lines = [
        f"Platform portal: {scheme}://admin.{domain}",
        f"Sign in: {link or 'as before; for a new link: flask --app wsgi staff sign-in-link EMAIL'}",
        f"Demo tenants: {_demo_line(scheme, domain, demo)}",
        f"Mail: {_mail_line(instance.settings, scheme, domain)}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
    sys.stderr.write(f"Logs: {instance.var_dir / 'log'}; Ctrl-C stops everything.\n")


def _demo_line(scheme: str, domain: str, demo: str) -> str:
    return f"{scheme}://acme.{domain} and {scheme}://globex.{domain}; {demo}" if demo else "none (DEMO=0)"


def _mail_line(settings: Settings, scheme: str, domain: str) -> str:
    return "sent through SMTP_URL" if settings.smtp_url is not None else f"{scheme}://{domain}/mailbox"
