"""Where a staff user's one-time link leads."""

from __future__ import annotations

from app.credentials.link_rows import derive_link_token
from app.credentials.links import LinkPurpose
from app.staff.models import StaffUser
from app.web.links import admin_url

_FOLDERS = {LinkPurpose.STAFF_SIGN_IN.value: "sign-in", LinkPurpose.STAFF_RESET.value: "password-reset"}


def sign_in_url(user: StaffUser) -> str:
    """Return the address of a staff user's present link.

    Errors: LinkError when there is none.
    """
    token = derive_link_token(user)
    return admin_url(f"/{_FOLDERS[str(user.link_purpose)]}/{token}")
