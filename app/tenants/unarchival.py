"""What features above have against opening an archived tenant again; each registers its check in create_app."""

from __future__ import annotations

from collections.abc import Callable

from app.tenants.models import Tenant

Check = Callable[[Tenant], None]

_checks: dict[str, Check] = {}


def register_unarchival_check(name: str, check: Check) -> None:
    """Let a feature refuse, by raising an InputError, that a tenant is opened again."""
    _checks[name] = check


def check_unarchival(tenant: Tenant) -> None:
    """Ask every feature whether an archived tenant may be opened again.

    Errors: InputError of the first that refuses.
    """
    for check in _checks.values():
        check(tenant)
