"""The embedded Redis: who may come in, and what it survives."""

import os
import signal
import socket
from pathlib import Path

import pytest
import redis

from app.core.errors import ConfigError
from app.instance import redis as embedded
from app.instance.redis import start_redis


@pytest.fixture
def queue(folder):
    """Start servers of one folder; each is stopped."""
    started = []

    def start(**options):
        started.append(start_redis(folder / "redis", **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def ask(url):
    return redis.Redis.from_url(url, single_connection_client=True)


def test_it_refuses_to_talk_without_its_password(queue):
    server = queue()
    with pytest.raises(redis.AuthenticationError):
        ask(f"redis://127.0.0.1:{server.port}/0")


def test_it_listens_on_loopback_only(queue):
    with ask(queue().url) as client:
        assert client.config_get("bind") == {"bind": "127.0.0.1"}


def test_its_password_is_in_no_command_line_and_in_no_file_that_others_read(queue, folder):
    server = queue()
    command = Path(f"/proc/{server.pid}/cmdline").read_text()
    assert (folder / "redis" / "password").read_text().strip() not in command
    assert {(folder / "redis" / name).stat().st_mode & 0o777 for name in ("password", "redis.conf")} == {0o600}


def test_what_is_queued_is_readable_by_its_owner_alone(queue, folder):
    queue()
    assert (folder / "redis").stat().st_mode & 0o777 == 0o700


def test_a_killed_server_starts_again_with_its_data_on_the_same_port(queue):
    first = queue()
    with ask(first.url) as client:
        client.set("key", "kept")
    os.kill(first.pid, signal.SIGKILL)
    with ask(queue(port=first.port).url) as client:
        assert client.get("key") == b"kept"


def test_a_server_that_still_runs_is_replaced(queue):
    first, second = queue(), queue()
    assert first.process.wait(10) == 0
    assert second.process.poll() is None


def test_a_taken_port_is_one_sentence(queue):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(ConfigError, match=r"did not start; .*says why"):
            queue(port=other.getsockname()[1])


def test_a_server_that_does_not_answer_in_time_is_stopped_and_told(queue, monkeypatch):
    monkeypatch.setattr(embedded, "START_SECONDS", 0)
    monkeypatch.setattr(embedded, "_answers", lambda client: False)
    with pytest.raises(ConfigError, match="did not start"):
        queue()


def test_a_machine_without_redis_is_one_sentence(queue, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(embedded, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="No redis-server was found: install one"):
        queue()
