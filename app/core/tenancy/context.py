"""The statement that shows a scope to PostgreSQL when its transaction begins."""

from __future__ import annotations

import time
from collections.abc import Callable

from app.core.context_token import CONTEXT_LIFETIME_SECONDS, sign_context
from app.core.tenancy.errors import ScopeError
from app.core.tenancy.scopes import Login, Scope

# A context is bound as a parameter: as literal text another session of the login could read it in pg_stat_activity.
# The shared lock lets a fence wait for this tenant's running transactions and for nobody else's.
BEGIN_IN_TENANT = (
    "select pg_catalog.set_config('tenantry.context', %s, true), "
    "pg_catalog.pg_advisory_xact_lock_shared(pg_catalog.hashtextextended(%s, 0))"
)

KeySource = Callable[[], bytes]


def begin_parameters(scope: Scope, login: Login, context_key: KeySource) -> tuple[str, str] | None:
    """Return what BEGIN_IN_TENANT binds for this scope in the key's database, or None in the platform's.

    Errors: ScopeError if the login is not the one that the scope works with.
    """
    if scope.login is not login:
        raise ScopeError(f"The {login} login was used in a scope of the {scope.login} login.")
    if scope.tenant_id is None or scope.placement is None:
        return None
    expires = int(time.time()) + CONTEXT_LIFETIME_SECONDS - 5  # The database's clock may be a little behind ours.
    return sign_context(context_key(), scope.tenant_id, scope.placement.epoch, expires), str(scope.tenant_id)
