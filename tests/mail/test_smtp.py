"""Mails leave through a real SMTP server, encrypted where it can be, and outlive its outages."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.errors import ConfigError
from app.core.runtime import current_settings
from app.core.tenancy.scopes import platform_scope
from app.mail.composers import Mail
from app.mail.delivery import send_by_smtp
from app.mail.rendering import render_message
from app.mail.services import send_mail
from tests.jobs.rows import job_rows
from tests.mail.outbox import delivered, queue_toy, text_of
from tests.work import job_errors, make_jobs_due, run_jobs


def test_a_mail_is_sent_to_its_recipient_and_no_file_is_written(smtp: Any, sends_by_smtp: Any) -> None:
    server = smtp()
    sends_by_smtp(f"smtp://127.0.0.1:{server.port}")
    queue_toy()
    run_jobs()
    assert (server.recipients, server.encrypted, delivered()) == (["bob@example.com"], [False], [])
    assert "Open http://acme.localhost:8000/invitations/" + "x" * 90 in text_of(server.received[0])


def test_starttls_is_used_where_it_is_offered(smtp: Any, sends_by_smtp: Any) -> None:
    server = smtp(starttls=True, auth=True)
    sends_by_smtp(f"smtp://ada:p%40ss%2Fword@localhost:{server.port}")
    queue_toy()
    run_jobs()
    assert (server.logins, server.encrypted) == ([b"ada"], [True])


def test_smtps_is_encrypted_from_the_start(smtp: Any, sends_by_smtp: Any) -> None:
    server = smtp(tls=True)
    sends_by_smtp(f"smtps://localhost:{server.port}")
    queue_toy()
    run_jobs()
    assert len(server.received) == 1


def test_a_certificate_of_another_name_is_refused(smtp: Any, sends_by_smtp: Any, monkeypatch: Any) -> None:
    server = smtp(tls=True)
    monkeypatch.delenv("SSL_CERT_FILE")
    sends_by_smtp(f"smtps://localhost:{server.port}")
    queue_toy()
    run_jobs(may_fail=True)
    assert "CERTIFICATE_VERIFY_FAILED" in job_errors()[0][2]


def test_an_outage_costs_time_and_no_mail(smtp: Any, sends_by_smtp: Any) -> None:
    server = smtp()
    sends_by_smtp(f"smtp://127.0.0.1:{server.port}")
    server.refuses = True
    queue_toy()
    run_jobs(may_fail=True)
    server.refuses = False
    make_jobs_due()
    run_jobs()
    assert [row.attempt for row in job_rows()] == [2]
    assert [mail["Subject"] for mail in server.received] == ["Hello Bob"]


def test_a_server_that_is_gone_fails_the_attempt(smtp: Any, sends_by_smtp: Any) -> None:
    server = smtp()
    port = server.port
    server.stop()
    sends_by_smtp(f"smtp://127.0.0.1:{port}")
    queue_toy()
    run_jobs(may_fail=True)
    assert [row.state for row in job_rows()] == ["pending"]


def test_a_mail_sent_again_keeps_its_message_id(smtp: Any, sends_by_smtp: Any) -> None:
    server = smtp()
    sends_by_smtp(f"smtp://127.0.0.1:{server.port}")
    for _attempt in range(2):
        with platform_scope("test"):
            send_mail({"mail": "toy", "key": "toy:bob/1", "name": "Bob"})
    assert len({mail["Message-ID"] for mail in server.received}) == 1


def test_a_password_never_travels_openly(monkeypatch: Any, smtp: Any) -> None:
    server = smtp()
    monkeypatch.setattr("app.mail.delivery.LOOPBACK_NAMES", frozenset())
    message = render_message(Mail("bob@example.com", "toy", {"name": "Bob", "link": "x"}), "id@localhost")
    with pytest.raises(ConfigError, match="offers no encryption"):
        send_by_smtp(message, f"smtp://ada:secret@127.0.0.1:{server.port}")
    assert (server.logins, server.received, current_settings().smtp_url) == ([], [], None)
