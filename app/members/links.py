"""Where a member's link leads, on the tenant's own host."""

from __future__ import annotations

from app.credentials.link_rows import derive_link_token
from app.credentials.links import LinkPurpose
from app.members.models import Member

_FOLDERS = {LinkPurpose.MEMBER_INVITATION.value: "invitation", LinkPurpose.MEMBER_RESET.value: "password-reset"}


def link_path(member: Member) -> str:
    """Return the path of a member's present link; the host is the tenant's.

    Errors: LinkError when there is none.
    """
    token = derive_link_token(member)
    return f"/{_FOLDERS[str(member.link_purpose)]}/{token}"
