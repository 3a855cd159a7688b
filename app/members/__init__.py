"""Members: the people of one tenant, their roles, sessions, invitations and passwords; all of it lies in the home.

A *member* belongs to one tenant and has one *role*; the same address at two tenants is two accounts. A member is
*invited* until the invitation is accepted, then *active* until deactivated; an active *owner* always remains. Public
services, all named in `services`: create_default_roles, invite_member, accept_invitation, sign_in, change_role, ….
"""
