"""Creating a home and taking it back, as steps of operations in the owner's scope."""

from __future__ import annotations

from sqlalchemy import text

from app.audit.services import unaudited
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.errors import StateError
from app.core.tenancy.scopes import current_scope


@unaudited("a step of provisioning; the operation's events say it")
def create_home() -> None:
    """Open the running tenant's home: from now on the database accepts contexts of its epoch."""
    scope = current_scope()
    if scope.placement is None:
        raise StateError("A home is created in its tenant's scope.")
    with transaction():
        db.session.execute(
            text(
                "insert into tenancy.homes (tenant_id, epoch, state) values (:tenant, :epoch, 'active') "
                "on conflict (tenant_id) do nothing"
            ),
            {"tenant": scope.tenant_id, "epoch": scope.placement.epoch},
        )


@unaudited("a step of provisioning taken back; the operation's events say it")
def purge_home() -> None:
    """Close the running tenant's home for good: every context of it is refused."""
    with transaction():
        db.session.execute(
            text("update tenancy.homes set state = 'purged' where tenant_id = :tenant"),
            {"tenant": current_scope().tenant_id},
        )
