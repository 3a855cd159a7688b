"""The commands: probe servers and wait, verify a report, print the public key."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from app.core.redis import get_redis
from app.isolation import commands, signing
from app.isolation.commands import isolation_group
from app.isolation.reports import Report
from app.web.hosts import Portal
from tests.isolation.probing import pair_of, probe
from tests.work import run_jobs


def run(*words: str) -> Result:
    return CliRunner().invoke(isolation_group, list(words))


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work whenever the command waits, as the workers of an instance do."""
    waiting = SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: run_jobs(may_fail=True))
    monkeypatch.setattr(commands, "time", waiting)


@pytest.fixture
def report(app: Portal) -> Report:
    return probe()


@pytest.fixture
def files(report: Report, tmp_path: Path) -> Path:
    """A report and its signature as they are downloaded."""
    path = tmp_path / "report.json"
    path.write_bytes(report.document)
    (tmp_path / "report.json.sig").write_bytes(report.signature)
    return path


def test_check_waits_and_tells_every_check(workers: None, report: Report) -> None:
    result = run("check", "--server", "main")
    assert result.exit_code == 0, result.output
    assert result.output.startswith("main: passed")
    assert all(check["name"] in result.output for check in report.checks)


def test_check_ends_with_1_when_a_wall_is_down(workers: None, report: Report) -> None:
    get_redis().set("leak", pair_of().b.planted)
    result = run("check", "--json")
    assert result.exit_code == 1
    (facts,) = json.loads(result.stdout)
    assert facts["state"] == "failed"
    assert [check["name"] for check in facts["checks"] if check["outcome"] == "failed"] == ["traces.redis"]


def test_check_of_a_server_that_is_none_is_one_sentence(app: Portal) -> None:
    result = run("check", "--server", "moon")
    assert (result.exit_code, result.stderr) == (1, "There is no server “moon” that takes homes.\n")


def test_check_without_workers_says_so(app: Portal, report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "WAIT_SECONDS", 0.2)
    monkeypatch.setattr(commands, "POLL_SECONDS", 0.1)
    result = run("check")
    assert (result.exit_code, result.stderr) == (1, "The probe still waits or runs; are the workers up?\n")


def test_verify_accepts_a_report_by_its_id(report: Report) -> None:
    result = run("verify", str(report.id))
    assert (result.exit_code, result.output) == (0, f"VALID: signed by key {report.key_id}; server main, passed.\n")


def test_verify_accepts_a_file(files: Path) -> None:
    assert run("verify", str(files)).output.startswith("VALID: ")


@pytest.mark.parametrize("change", [(b'"passed"', b'"Passed"'), (b"main", b"niam"), (b"}", b"} ")])
def test_verify_refuses_a_report_that_was_altered(files: Path, change: tuple[bytes, bytes]) -> None:
    files.write_bytes(files.read_bytes().replace(*change, 1))
    result = run("verify", str(files))
    assert (result.exit_code, result.stderr.partition(":")[0]) == (1, "INVALID")


def test_verify_refuses_another_key(files: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(signing.render_public_key(Ed25519PrivateKey.generate().public_key()))
    assert run("verify", str(files), "--public-key", str(other)).exit_code == 1


@pytest.mark.parametrize("pem", [b"nonsense", None])
def test_verify_refuses_what_is_no_ed25519_key(files: Path, tmp_path: Path, pem: bytes | None) -> None:
    other = tmp_path / "other.pem"
    x25519 = X25519PrivateKey.generate().public_key()
    other.write_bytes(pem or x25519.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    result = run("verify", str(files), "--public-key", str(other))
    assert (result.exit_code, result.stderr[:11]) == (1, "This is no " if pem else "This is a p")


def test_verify_needs_a_signature(files: Path) -> None:
    Path(f"{files}.sig").unlink()
    result = run("verify", str(files))
    assert (result.exit_code, result.stderr.rpartition(": ")[2]) == (1, "No such file or directory.\n")


@pytest.mark.parametrize("given", ["nonsense", "51840b36-27f7-4005-8bd3-6fd0994dd70b"])
def test_verify_says_what_it_was_given_is_no_report(app: Portal, given: str) -> None:
    assert run("verify", given).exit_code == 1


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_an_outsider_verifies_with_openssl_alone(files: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    key.write_text(run("public-key").output)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin", "-in", str(files)]
    verified = subprocess.run([*command, "-sigfile", f"{files}.sig"], capture_output=True, text=True, check=False)
    assert verified.stdout == "Signature Verified Successfully\n", verified
    files.write_bytes(files.read_bytes() + b" ")
    refused = subprocess.run([*command, "-sigfile", f"{files}.sig"], capture_output=True, text=True, check=False)
    assert refused.returncode == 1
