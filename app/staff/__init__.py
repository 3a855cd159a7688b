"""Staff: the people who run the platform, their roles, sessions and sign-in links.

A *staff user* signs in on the platform's host and has one *role*, admin or support, which gives platform permissions
and none inside any tenant. Public services: create_staff_user, ensure_first_admin, create_sign_in_link, accept_link,
sign_in, sign_out, change_role, deactivate_staff_user, reactivate_staff_user, revoke_session.
"""
