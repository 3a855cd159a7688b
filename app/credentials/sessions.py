"""Sessions as rows: their columns, the token that only the cookie holds, and when one counts."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Mapped, mapped_column

from app.core import clock
from app.credentials.rules import SessionLimits

# A page full of fragments would otherwise write its session's row once a request.
SEEN_EVERY: Final = timedelta(minutes=1)
# What has ended stays in view for this long, then the next sign-in of the same account deletes it.
KEPT_AFTER_END: Final = timedelta(days=30)
_TOKEN_BYTES: Final = 32
_USER_AGENT_CHARACTERS: Final = 400


@dataclass(frozen=True, slots=True)
class Visit:
    """From where somebody signs in: the portal's host, their address, what their browser calls itself."""

    host: str
    address: str
    user_agent: str = ""


class SessionColumns:
    """What a session's row holds of whoever it belongs to; each table adds the owner."""

    token_hash: Mapped[bytes]
    host: Mapped[str]
    address: Mapped[str]
    user_agent: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=clock.now)
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]

    def is_live(self, limits: SessionLimits, now: datetime) -> bool:
        """Tell whether the session still counts: not revoked, and within both limits."""
        if self.revoked_at is not None or now >= self.expires_at:
            return False
        return not limits.is_over(self.created_at, self.seen_at, now)

    def is_seen_due(self, now: datetime) -> bool:
        """Tell whether the row should learn that its session is still in use."""
        return now - self.seen_at >= SEEN_EVERY

    def revoke(self, now: datetime) -> None:
        """End the session; one that has ended keeps its moment."""
        self.revoked_at = self.revoked_at or now


def make_session_token() -> str:
    """Make the secret of a new session.

    Units: 256 random bits, 43 characters.
    Source: OWASP Session Management Cheat Sheet (at least 64 bits of entropy).
    """
    return secrets.token_urlsafe(_TOKEN_BYTES)


def hash_session_token(token: str) -> bytes:
    """Return what a session's row keeps of its token, so that nobody who reads rows can use one.

    Source: no salt and no slow hash, because a token is no guessable password (NIST SP 800-63B-4, section 3.1.1.2).
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def session_values(token: str, visit: Visit, limits: SessionLimits, now: datetime) -> dict[str, Any]:
    """Return the columns of a new session's row."""
    return {
        "token_hash": hash_session_token(token),
        "host": visit.host,
        "address": visit.address,
        "user_agent": visit.user_agent[:_USER_AGENT_CHARACTERS],
        "created_at": now,
        "seen_at": now,
        "expires_at": now + timedelta(seconds=limits.absolute_seconds),
    }
