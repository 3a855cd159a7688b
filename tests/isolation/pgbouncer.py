"""PgBouncer before a server of the tests, one server connection for each login and database."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from app.instance.processes import free_port
from tests.servers import PASSWORD

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIGURATION = """
[databases]
* = host={host} port={server_port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = {mode}
default_pool_size = 1
logfile = {folder}/log
pidfile = {folder}/pid
"""
USERS = "".join(f'"tenantry_{login}" "{PASSWORD}"\n' for login in ("tenant", "platform"))

needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed: apt-get install pgbouncer")


@contextmanager
def run_pooler(server: str, database: str, mode: str = "transaction") -> Iterator[str]:
    """Run a pooler before a server, `host:port`; yield its own address once it lets a login into a database."""
    host, _, server_port = server.partition(":")
    address = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "users").write_text(USERS)
        port = address.partition(":")[2]
        (folder / "ini").write_text(
            CONFIGURATION.format(host=host, server_port=server_port, port=port, folder=name, mode=mode)
        )
        folder.chmod(0o777)  # As root it runs as nobody, who writes its log here.
        as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = subprocess.Popen([str(PROGRAM), "-q", *as_nobody, str(folder / "ini")], stderr=subprocess.DEVNULL)
        wait_until_it_answers(login_url(address, "tenant", database))
        yield address
        process.terminate()
        process.wait()


def login_url(address: str, login: str, database: str) -> str:
    return f"postgresql://tenantry_{login}:{PASSWORD}@{address}/{database}"


def client(url: str) -> psycopg.Connection:
    """Connect with nothing of the product around it."""
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


def wait_until_it_answers(url: str) -> None:
    """Return once a client gets through."""
    for _ in range(100):
        try:
            client(url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("pgbouncer does not answer")
