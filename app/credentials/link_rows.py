"""Links on rows: the columns that stand behind a derived token, issuing one, and judging one that comes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.core.errors import DomainError
from app.core.runtime import link_key
from app.core.tenancy.scopes import find_scope
from app.credentials.links import LinkPurpose, make_token, read_token, verify_token

INVITATION_LIFETIME: Final = timedelta(days=7)
RESET_LIFETIME: Final = timedelta(hours=1)
SIGN_IN_LINK_LIFETIME: Final = timedelta(days=3)

_VOID: Final = "It was used already, has expired, or a newer one was sent."


class LinkError(DomainError):
    """A link is forged, foreign, used, replaced or expired; which of these it is, nobody is told."""

    def __init__(self) -> None:
        super().__init__(_VOID)


class LinkColumns:
    """What a row keeps of its one link: never the token, which is derived again when it is needed."""

    if TYPE_CHECKING:
        id: Mapped[UUID]

    link_serial: Mapped[int] = mapped_column(BigInteger, default=0)
    link_purpose: Mapped[str | None]
    link_expires_at: Mapped[datetime | None]
    link_used_at: Mapped[datetime | None]

    def issue_link(self, purpose: LinkPurpose, lifetime: timedelta, now: datetime) -> None:
        """Give the row a new link; every older one is void."""
        self.link_serial = (self.link_serial or 0) + 1
        self.link_purpose, self.link_used_at = purpose.value, None
        self.link_expires_at = now + lifetime

    def keep_or_issue_link(self, purpose: LinkPurpose, lifetime: timedelta, now: datetime) -> None:
        """Leave the row's link as it is while it can be used for this purpose; otherwise give it a new one."""
        if not self.has_link(purpose, self.link_serial, now):
            self.issue_link(purpose, lifetime, now)

    def has_link(self, purpose: LinkPurpose, serial: int, now: datetime) -> bool:
        """Tell whether the row's link is of this purpose and serial, unused and not expired."""
        return (
            self.link_purpose == purpose
            and self.link_serial == serial
            and self.link_used_at is None
            and self.link_expires_at is not None
            and now < self.link_expires_at
        )

    def use_link(self, now: datetime) -> None:
        """Spend the link."""
        self.link_used_at = now

    def void_link(self) -> None:
        """Make every link that was ever issued for the row worthless."""
        self.link_serial = (self.link_serial or 0) + 1
        self.link_purpose = self.link_expires_at = self.link_used_at = None


def derive_link_token(row: LinkColumns) -> str:
    """Return the token of the row's present link: the same one for command line, mail and resend.

    A row of a home belongs to the running tenant; so does the token.

    Errors: LinkError for a row without a link.
    """
    if row.link_purpose is None:
        raise LinkError
    return make_token(link_key(), LinkPurpose(row.link_purpose), row.id, row.link_serial, tenant_id=_running_tenant())


def open_link_token(text: str, purpose: LinkPurpose) -> tuple[UUID, int]:
    """Return the row id and the serial of a token that we derived for this purpose, in the running tenant if any.

    The caller loads the row of that id and asks `has_link`.

    Errors: LinkError for any other text.
    """
    token = read_token(text)
    if token is None or not verify_token(link_key(), purpose, token, tenant_id=_running_tenant()):
        raise LinkError
    return token.row_id, token.serial


def _running_tenant() -> UUID | None:
    scope = find_scope()
    return scope.tenant_id if scope is not None else None
