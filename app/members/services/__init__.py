"""Everything that changes members, by use case; callers name the services from here."""

from app.members.services.accounts import change_role, deactivate_member, reactivate_member, update_profile
from app.members.services.handovers import hand_over_home
from app.members.services.invitations import create_owner_link, invite_member, mail_owner_link, resend_invitation
from app.members.services.passwords import accept_invitation, change_password, request_password_reset, reset_password
from app.members.services.roles import create_default_roles
from app.members.services.sessions import (
    mark_session_seen,
    revoke_other_sessions,
    revoke_session,
    sign_in,
    sign_out,
)

__all__ = [
    "accept_invitation",
    "change_password",
    "change_role",
    "create_default_roles",
    "create_owner_link",
    "deactivate_member",
    "hand_over_home",
    "invite_member",
    "mail_owner_link",
    "mark_session_seen",
    "reactivate_member",
    "request_password_reset",
    "resend_invitation",
    "reset_password",
    "revoke_other_sessions",
    "revoke_session",
    "sign_in",
    "sign_out",
    "update_profile",
]
