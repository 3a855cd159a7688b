"""What staff attach to a tenant is out of the tenant login's reach."""

from __future__ import annotations

import psycopg
import pytest

from app.core.tenancy.scopes import Login
from tests.isolation.toy import attack
from tests.tenant_rows import make_tenant_rows

TABLES = ["tenant_tags", "tenant_metadata", "tenant_notes", "saved_views", "tenant_status_transitions"]


@pytest.mark.parametrize("table", TABLES)
def test_the_tenant_login_reads_none_of_it(app, instance, table):
    with (
        attack(instance, make_tenant_rows("acme"), Login.TENANT) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(f"select from control.{table}")
