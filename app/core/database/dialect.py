"""The SQLAlchemy dialect whose transactions begin with the scope's signed context, in one round trip."""

from __future__ import annotations

from typing import Any

from psycopg.errors import InFailedSqlTransaction
from psycopg.pq import TransactionStatus
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.core.tenancy.context import BEGIN_IN_TENANT, KeyOfServer, begin_parameters
from app.core.tenancy.scopes import Login, current_scope


class TenantryDialect(PGDialect_psycopg):
    """psycopg in autocommit, with begin, commit and rollback sent by us.

    The driver's own BEGIN would cost the context a round trip of its own; a pipeline sends both at once.
    """

    supports_statement_cache = True

    def __init__(self, login: str = Login.TENANT, key_of_server: KeyOfServer | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.
        self.tenantry_login = Login(login)
        self.key_of_server = key_of_server

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin, and show the running scope's context to the database.

        Errors: ScopeError outside a scope, or in a scope that another login serves.
        """
        scope = current_scope()
        assert self.key_of_server is not None  # noqa: S101  # Engines always pass it; SQLAlchemy fixes the signature.
        parameters = begin_parameters(scope, self.tenantry_login, self.key_of_server)
        if parameters is None:
            dbapi_connection.execute("BEGIN")
            return
        with dbapi_connection.pipeline():
            dbapi_connection.execute("BEGIN")
            dbapi_connection.execute(BEGIN_IN_TENANT, parameters)

    def do_commit(self, dbapi_connection: Any) -> None:
        """Commit what is open; a connection in no transaction sends nothing.

        Errors: InFailedSqlTransaction after an ignored error: PostgreSQL answers COMMIT with a silent rollback then.
        """
        if dbapi_connection.pgconn.transaction_status == TransactionStatus.INERROR:
            raise InFailedSqlTransaction("An earlier statement of this transaction failed; nothing was written.")
        dbapi_connection.commit()

    def do_rollback(self, dbapi_connection: Any) -> None:
        """Roll back what is open; a connection in no transaction sends nothing."""
        dbapi_connection.rollback()


registry.register("postgresql.tenantry", __name__, "TenantryDialect")
