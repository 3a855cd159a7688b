"""Everything that changes members, by use case; callers name the services from here."""

from app.members.services.invitations import invite_member, resend_invitation
from app.members.services.roles import create_default_roles

__all__ = ["create_default_roles", "invite_member", "resend_invitation"]
