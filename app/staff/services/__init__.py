"""Everything that changes staff users, by use case; callers name the services from here."""

from app.staff.services.accounts import (
    change_role,
    create_sign_in_link,
    create_staff_user,
    deactivate_staff_user,
    ensure_first_admin,
    reactivate_staff_user,
    send_sign_in_link,
)
from app.staff.services.own_account import change_password, revoke_other_sessions, update_profile
from app.staff.services.password_resets import request_password_reset
from app.staff.services.sign_in import (
    accept_link,
    mark_session_seen,
    reset_password,
    revoke_session,
    sign_in,
    sign_out,
)

__all__ = [
    "accept_link",
    "change_password",
    "change_role",
    "create_sign_in_link",
    "create_staff_user",
    "deactivate_staff_user",
    "ensure_first_admin",
    "mark_session_seen",
    "reactivate_staff_user",
    "request_password_reset",
    "reset_password",
    "revoke_other_sessions",
    "revoke_session",
    "send_sign_in_link",
    "sign_in",
    "sign_out",
    "update_profile",
]
