"""A queued mail becomes one file with one Message-ID."""

from __future__ import annotations

from contextlib import suppress

import pytest

from app.core.config import Settings
from app.core.database.transactions import transaction
from app.core.runtime import current_settings
from app.core.tenancy.scopes import TenantRoute, platform_scope
from app.mail.services import queue_mail, send_mail
from tests.jobs.rows import job_rows
from tests.mail.conftest import ToyMail
from tests.mail.outbox import delivered, queue_toy, text_of
from tests.tenant_rows import set_tenant
from tests.work import job_errors, make_jobs_due, run_jobs


def test_a_mail_has_a_text_and_an_html_part_and_says_that_no_person_wrote_it(app: object) -> None:
    queue_toy()
    run_jobs()
    (mail,) = delivered()
    assert (mail["To"], mail["Subject"], mail["From"]) == (
        "bob@example.com",
        "Hello Bob",
        "Tenantry <no-reply@localhost>",
    )
    assert mail["Auto-Submitted"] == "auto-generated"
    assert text_of(mail).startswith("Hello Bob\n\nOpen http://acme.localhost:8000/invitations/xxx")
    assert text_of(mail).endswith("x.\n\nBye.\n\n--\nSent by Tenantry.\n")
    assert "<h1>" in text_of(mail, "html")


def test_names_are_escaped_in_html_and_left_alone_in_text(app: object) -> None:
    queue_toy(name="<b>Zoë</b>\r\nBcc: eve@example.com")
    run_jobs()
    (mail,) = delivered()
    assert "&lt;b&gt;Zoë&lt;/b&gt;" in text_of(mail, "html")
    assert "<b>Zoë</b>" in text_of(mail)
    assert (mail["Subject"], mail["Bcc"]) == ("Hello <b>Zoë</b> Bcc: eve@example.com", None)


def test_a_mail_is_plain_ascii_on_the_wire(app: object) -> None:
    queue_toy(name="Zoë")
    run_jobs()
    (path,) = current_settings().mail_dir.glob("*.eml")
    assert path.read_bytes().isascii()


def test_the_same_key_is_one_job_and_one_mail(app: object) -> None:
    queue_toy("bob/1")
    queue_toy("bob/1")
    run_jobs()
    assert (len(job_rows()), len(delivered())) == (1, 1)


def test_a_new_link_serial_is_a_new_mail(app: object) -> None:
    queue_toy("bob/1")
    queue_toy("bob/2")
    run_jobs()
    assert len({mail["Message-ID"] for mail in delivered()}) == 2


def test_two_kinds_of_mail_may_have_the_same_key(app: object) -> None:
    queue_toy("bob/1")
    queue_toy("bob/1", kind=ToyMail.SILENT)
    assert [row.key for row in job_rows()] == ["toy:bob/1", "silent:bob/1"]


def test_two_tenants_may_have_the_same_key(acme: TenantRoute, globex: TenantRoute) -> None:
    queue_toy("1", route=acme, to="bob@acme.example")
    queue_toy("1", route=globex, to="carol@globex.example")
    run_jobs()
    assert sorted(mail["To"] for mail in delivered()) == ["bob@acme.example", "carol@globex.example"]


def test_a_mail_sent_twice_after_a_kill_is_one_file(app: object, instance: Settings) -> None:
    for name in ("Bob", "Bobby"):
        with platform_scope("test"):
            send_mail({"mail": ToyMail.TOY, "key": "toy:bob/1", "name": name})
    (mail,) = delivered()
    assert mail["Subject"] == "Hello Bobby"
    assert [path.name for path in instance.mail_dir.iterdir() if path.suffix != ".eml"] == []


def test_a_mail_whose_link_is_gone_is_not_sent(app: object) -> None:
    queue_toy(kind=ToyMail.SILENT)
    run_jobs()
    assert (delivered(), job_rows()[0].state) == ([], "done")


def test_a_mail_without_its_link_is_an_error_and_never_sent(app: object) -> None:
    queue_toy(lost="yes")
    run_jobs(may_fail=True)
    assert delivered() == []
    assert "'link' is undefined" in job_errors()[0][2]


def test_a_mail_vanishes_with_the_change_that_wanted_it(app: object) -> None:
    with platform_scope("test"), suppress(ZeroDivisionError), transaction():
        queue_mail(ToyMail.TOY, {"name": "Bob"}, key="bob/1")
        raise ZeroDivisionError
    assert (run_jobs(), delivered()) == (0, [])


def test_a_suspended_tenants_mails_are_sent(acme: TenantRoute) -> None:
    set_tenant(acme.tenant_id, status="suspended")
    queue_toy(route=acme)
    run_jobs()
    assert len(delivered()) == 1


def test_a_disk_that_refuses_is_tried_again(app: object, instance: Settings) -> None:
    instance.mail_dir.parent.mkdir(exist_ok=True)
    instance.mail_dir.write_text("a file where the folder should be")
    queue_toy()
    run_jobs(may_fail=True)
    instance.mail_dir.unlink()
    make_jobs_due()
    run_jobs()
    assert len(delivered()) == 1


def test_a_mail_that_was_written_in_part_is_none(app: object, monkeypatch: pytest.MonkeyPatch) -> None:
    queue_toy()
    with monkeypatch.context() as patch:
        patch.setattr("app.mail.delivery.os.fsync", lambda _descriptor: 1 / 0)
        run_jobs(may_fail=True)
    assert delivered() == []
    make_jobs_due()
    run_jobs()
    assert len(delivered()) == 1


def test_a_mail_file_is_read_by_nobody_else(app: object, instance: Settings) -> None:
    queue_toy()
    run_jobs()
    (path,) = instance.mail_dir.glob("*.eml")
    assert path.stat().st_mode & 0o077 == 0
