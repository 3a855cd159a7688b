"""Onboarding: how a tenant comes to be, from the platform's form, the public sign-up or the command line.

All roads write a tenant and start one *Operation*, `onboarding.provision`, whose steps create the home, the roles,
the settings and the owner's invitation, and activate the tenant. Public services: onboard_tenant, request_tenant,
confirm_request, retry_provisioning.
"""
