"""The embedded PostgreSQL: who may come in, and what it survives."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from app.core.errors import ConfigError
from app.instance import postgres
from app.instance.databases import prepare_database
from app.instance.postgres import start_postgres
from tests.instance.conftest import BARE, eventually, make_folder, processes_of


def query(url, text):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(text)


def rows(url, text):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(text).fetchall()


@pytest.fixture(scope="module")
def server(shared_folder):
    server = start_postgres(shared_folder / "postgres", fast=True)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def made():
    """A cluster that was made and stopped, to be copied."""
    with make_folder() as name:
        start_postgres(Path(name) / "postgres", fast=True).stop()
        yield Path(name) / "postgres"


@pytest.fixture
def copied(made, folder):
    subprocess.run(["cp", "-a", made, folder], check=True)


@pytest.fixture
def cluster(folder):
    """Start servers of one folder; the last one is stopped."""
    started = []

    def start(**options):
        started.append(start_postgres(folder / "postgres", **{"fast": True} | options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


def start_elsewhere(folder):
    code = f"from pathlib import Path; from app.instance.postgres import *; start_postgres(Path('{folder}'), fast=True)"
    return subprocess.Popen([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(BARE)})


def test_a_wrong_password_is_refused(server):
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://postgres:wrong@127.0.0.1:{server.port}/postgres")


def test_every_way_in_asks_for_a_scram_password_on_loopback(server):
    rules = rows(server.superuser_url, "select type, address, auth_method from pg_hba_file_rules")
    assert rules == [("host", "127.0.0.1", "scram-sha-256")]


def test_it_listens_on_loopback_and_on_no_unix_socket(server):
    settings = "select current_setting('listen_addresses'), current_setting('unix_socket_directories')"
    assert rows(server.superuser_url, settings) == [("127.0.0.1", "")]


def test_text_is_sorted_alike_on_every_machine(server):
    locale = "select datlocprovider, datlocale, pg_encoding_to_char(encoding) from pg_database"
    assert set(rows(server.superuser_url, locale)) == {("b", "C.UTF-8", "UTF8")}


def test_its_password_is_readable_by_its_owner_alone(server, shared_folder):
    assert (shared_folder / "postgres" / "password").stat().st_mode & 0o777 == 0o600


def test_it_does_not_run_as_root(server):
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0


def test_the_owner_has_the_rights_that_it_needs_and_no_more(server):
    url = prepare_database(server.superuser_url, name="first", prefix="one", owner_password="a/b@c")
    rights = "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles where rolname = current_user"
    assert rows(url, rights) == [(False, False, True, True)]


def test_preparing_twice_changes_the_password_and_keeps_the_data(server):
    first = prepare_database(server.superuser_url, name="twice", prefix="two", owner_password="old")
    query(first, "create table kept (id int)")
    second = prepare_database(server.superuser_url, name="twice", prefix="two", owner_password="new")
    assert rows(second, "select count(*) from kept") == [(0,)]
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first)


def test_another_login_may_not_enter_the_database(server):
    prepare_database(server.superuser_url, name="closed", prefix="three", owner_password="x")
    stranger = prepare_database(server.superuser_url, name="own", prefix="four", owner_password="x")
    with pytest.raises(psycopg.OperationalError, match="permission denied"):
        psycopg.connect(stranger.replace("/own", "/closed"))


@pytest.mark.usefixtures("copied")
def test_the_second_start_keeps_the_data(cluster):
    first = cluster()
    query(first.superuser_url, "create table kept (id int)")
    first.stop()
    assert rows(cluster().superuser_url, "select count(*) from kept") == [(0,)]


@pytest.mark.usefixtures("copied")
def test_a_killed_server_starts_again_with_its_data_on_the_same_port(cluster):
    first = cluster(fast=False)
    query(first.superuser_url, "create table kept (id int)")
    os.kill(first.pid, signal.SIGKILL)
    second = cluster(fast=False, port=first.port)
    assert rows(second.superuser_url, "select count(*) from kept") == [(0,)]


@pytest.mark.usefixtures("copied")
def test_a_server_that_still_runs_is_replaced(cluster):
    first = cluster()
    second = cluster()
    assert first.process.wait(10) == 0
    assert rows(second.superuser_url, "select 1") == [(1,)]


@pytest.mark.usefixtures("copied")
def test_a_stale_pid_file_that_names_a_stranger_is_ignored(cluster, folder):
    cluster().stop()
    (folder / "postgres" / "data" / "postmaster.pid").write_text(f"{os.getpid()}\n")
    assert rows(cluster().superuser_url, "select 1") == [(1,)]


def test_a_start_killed_while_the_cluster_is_made_begins_anew(cluster, folder):
    half = start_elsewhere(folder / "postgres")
    eventually(lambda: list((folder / "postgres").glob("initdb-*/base")))
    half.kill()
    half.wait()
    assert rows(cluster().superuser_url, "select 1") == [(1,)]
    assert not list((folder / "postgres").glob("initdb-*"))


def test_its_processes_end_with_the_one_that_started_it(made):
    assert start_elsewhere(made).wait(60) == 0
    eventually(lambda: not processes_of(made))


@pytest.mark.usefixtures("copied")
def test_a_taken_port_is_one_sentence(cluster):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(ConfigError, match=r"did not start; .*says why"):
            cluster(port=other.getsockname()[1])


@pytest.mark.usefixtures("copied")
def test_a_server_that_does_not_answer_in_time_is_stopped_and_told(cluster, folder, monkeypatch):
    monkeypatch.setattr(postgres, "START_SECONDS", 0)
    monkeypatch.setattr(postgres, "_answers", lambda url: False)
    with pytest.raises(ConfigError, match="did not start"):
        cluster()
    assert not processes_of(folder)


def test_a_cluster_that_cannot_be_made_is_one_sentence(cluster, folder, monkeypatch):
    folder.joinpath("initdb").write_text("#!/bin/sh\nexit 1\n")
    folder.joinpath("initdb").chmod(0o755)
    monkeypatch.setattr(postgres, "find_programs", lambda *given: folder)
    monkeypatch.setattr(postgres, "_account", lambda: None)
    with pytest.raises(ConfigError, match=r"could not be made; .*initdb\.log says why"):
        cluster()


@pytest.mark.usefixtures("copied")
def test_a_lost_password_is_one_sentence(cluster, folder):
    cluster().stop()
    (folder / "postgres" / "password").unlink()
    with pytest.raises(ConfigError, match="password is missing: put it back"):
        cluster()


def test_a_folder_that_the_stand_in_user_may_not_enter_is_one_sentence(cluster, folder, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    folder.chmod(0o700)
    with pytest.raises(ConfigError, match=f"may not enter {folder}: allow it"):
        cluster()


def test_an_ordinary_user_needs_no_stand_in(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert postgres._account() is None
