"""Commands about isolation: probe servers now, and verify a report."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from uuid import UUID

import click

from app.core.actors import Actor
from app.core.commands import as_json_option, one_sentence, print_result
from app.core.errors import InputError, StateError
from app.core.runtime import current_settings
from app.core.tenancy.scopes import platform_scope
from app.isolation import queries, services, signing
from app.isolation.models import Probe
from app.isolation.outcomes import Outcome
from app.isolation.reports import Report

ACTOR = Actor.system("command isolation check")
WAIT_SECONDS = 180
POLL_SECONDS = 0.3
SIGNATURE_SUFFIX = ".sig"
_MARKS = {Outcome.PASSED: "passed", Outcome.FAILED: "FAILED", Outcome.COULD_NOT_RUN: "could not run"}


@click.group("isolation")
def isolation_group() -> None:
    """Try the isolation of servers, and verify reports."""


@isolation_group.command("check")
@click.option("--server", help="One server; without it every server that takes homes.")
@as_json_option
@one_sentence
def check_command(server: str | None, *, as_json: bool) -> None:
    """Have servers probed by the workers and wait; exit code 1 unless every check has passed."""
    with platform_scope("command isolation check"):
        asked = [services.request_probe(server, actor=ACTOR)] if server else services.request_probes(actor=ACTOR)
    probes = [_wait_for(probe_id) for probe_id in asked]
    text = "\n".join(line for probe in probes for line in _tell(probe))
    print_result([_facts(probe) for probe in probes], as_json=as_json, text=text)
    sys.exit(0 if all(probe.is_passed for probe in probes) else 1)


@isolation_group.command("verify")
@click.argument("report")
@click.option("--signature", type=click.Path(path_type=Path), help="The file of the signature; FILE.sig without it.")
@click.option("--public-key", type=click.Path(path_type=Path), help="A public key in PEM; this instance's without it.")
@one_sentence
def verify_command(report: str, *, signature: Path | None, public_key: Path | None) -> None:
    """Verify a report, given as a file or by its id here; exit code 1 unless its signature is valid."""
    key = signing.load_signing_key(current_settings()).public_key()
    if public_key is not None:
        key = signing.read_public_key(_read(public_key))
    document, signed = _load(report, signature)
    if not signing.is_valid(key, document, signed):
        click.echo("INVALID: the report was altered, or another key has signed it.", err=True)
        sys.exit(1)
    found = Report(UUID(int=0), document, signed, signing.key_id(key))
    click.echo(f"VALID: signed by key {found.key_id}; server {found.facts['server']}, {found.state}.")


@isolation_group.command("public-key")
@one_sentence
def public_key_command() -> None:
    """Print the public key with which reports are verified, in PEM."""
    key = signing.load_signing_key(current_settings()).public_key()
    click.echo(signing.render_public_key(key).decode(), nl=False)


def _wait_for(probe_id: UUID) -> Probe:
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        with platform_scope("command isolation check waits"):
            probe = queries.get_probe(probe_id)
        if not probe.is_open:
            return probe
        time.sleep(POLL_SECONDS)
    raise StateError("The probe still waits or runs; are the workers up?")


def _tell(probe: Probe) -> list[str]:
    report = queries.report_of(probe)
    checks = report.checks if report is not None else []
    lines = [f"  {_MARKS[Outcome(check['outcome'])]:13} {check['name']:20} {check['detail']}" for check in checks]
    return [f"{probe.server}: {probe.state}{f' ({probe.error})' if probe.error else ''}, report {probe.id}", *lines]


def _facts(probe: Probe) -> dict[str, object]:
    report = queries.report_of(probe)
    checks = report.checks if report is not None else []
    return {
        "id": probe.id, "server": probe.server, "state": probe.state, "error": probe.error, "checks": checks,
        "key_id": probe.key_id,
    }  # fmt: skip


def _load(report: str, signature: Path | None) -> tuple[bytes, bytes]:
    path = Path(report)
    if path.exists():
        return _read(path), _read(signature or path.with_name(path.name + SIGNATURE_SUFFIX))
    try:
        report_id = UUID(report)
    except ValueError:
        raise InputError(f"{report} is neither a file nor the id of a report.") from None
    with platform_scope("command isolation verify"):
        found = queries.get_report(report_id)
    return found.document, found.signature


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
