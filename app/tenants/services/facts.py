"""Facts: figures of a home, written where the platform reads them."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects.postgresql import insert

from app.audit.services import unaudited
from app.core import clock
from app.core.database.session import db
from app.core.database.transactions import transaction
from app.core.tenancy.scopes import current_tenant_id
from app.tenants.models import TenantFact


@unaudited("a published figure, not a change; it carries its own time")
def publish_fact(key: str, value: Any) -> None:
    """Write a figure of the running tenant's home to where the platform reads it."""
    row = insert(TenantFact).values(tenant_id=current_tenant_id(), key=key, value=value, as_of=clock.now())
    statement = row.on_conflict_do_update(
        index_elements=["tenant_id", "key"], set_={"value": row.excluded.value, "as_of": row.excluded.as_of}
    )
    with transaction():
        db.session.execute(statement)
