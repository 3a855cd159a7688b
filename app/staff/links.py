"""Where a staff user's one-time link leads."""

from __future__ import annotations

from app.credentials.link_rows import derive_link_token
from app.staff.models import StaffUser
from app.web.links import admin_url


def sign_in_url(user: StaffUser) -> str:
    """Return the address of a staff user's present link.

    Errors: LinkError when there is none.
    """
    return admin_url(f"/sign-in/{derive_link_token(user)}")
