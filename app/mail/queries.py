"""Reading the mail folder: what was sent, newest first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import default
from pathlib import Path

from app.core.errors import NotFoundError
from app.web.tables import Cursor, Page, build_page, decode_cursor

PAGE_ROWS = 50
_MESSAGE_ID = re.compile(r"^[0-9a-f]{64}@[a-z0-9.-]{1,253}$")


@dataclass(frozen=True)
class MailSummary:
    """One line of the mailbox; `stamp` is the file's time in nanoseconds, by which mails stand in order."""

    message_id: str
    stamp: int
    to: str
    subject: str

    @property
    def sent_at(self) -> datetime:
        return datetime.fromtimestamp(self.stamp / 1_000_000_000, UTC)


@dataclass(frozen=True)
class MailContent:
    """One mail, read whole."""

    summary: MailSummary
    sender: str
    text: str
    html: str


def list_mails(folder: Path, *, search: str = "", cursor: str | None = None) -> Page[MailSummary]:
    """Return a page of mails whose address or subject holds the text, newest first."""
    place = decode_cursor(cursor, "", (int, str))
    wanted = search.casefold()
    matching = [mail for mail in _read_summaries(folder) if wanted in f"{mail.to}\n{mail.subject}".casefold()]
    rows = _behind(sorted(matching, key=_position, reverse=True), place)
    return build_page(rows[: PAGE_ROWS + 1], limit=PAGE_ROWS, cursor=place, sort="", values=_position)


def get_mail(folder: Path, message_id: str) -> MailContent:
    """Return one mail with its text and its HTML part.

    Errors: NotFoundError.
    """
    path = folder / f"{message_id}.eml"
    if not _MESSAGE_ID.match(message_id) or not path.is_file():
        raise NotFoundError("There is no such mail.")
    message = message_from_bytes(path.read_bytes(), policy=default)
    return MailContent(_summary(path, message), str(message["From"]), _part(message, "plain"), _part(message, "html"))


def _read_summaries(folder: Path) -> list[MailSummary]:
    parser = BytesHeaderParser(policy=default)
    found = []
    for path in folder.glob("*.eml"):
        with path.open("rb") as file:
            found.append(_summary(path, parser.parse(file)))
    return found


def _summary(path: Path, headers: EmailMessage) -> MailSummary:
    return MailSummary(path.stem, path.stat().st_mtime_ns, str(headers["To"]), str(headers["Subject"]))


def _position(mail: MailSummary) -> tuple[int, str]:
    return mail.stamp, mail.message_id


def _behind(newest_first: list[MailSummary], place: Cursor | None) -> list[MailSummary]:
    if place is None:
        return newest_first
    if place.backward:
        return [mail for mail in reversed(newest_first) if _position(mail) > place.values]
    return [mail for mail in newest_first if _position(mail) < place.values]


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
