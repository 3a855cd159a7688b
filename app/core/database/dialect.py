"""The SQLAlchemy dialect whose transactions begin with the scope's signed context, in one round trip."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from psycopg.abc import PQGen
from psycopg.errors import InFailedSqlTransaction, error_from_result
from psycopg.generators import fetch_many, pipeline_communicate
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg

from app.core.tenancy.context import BEGIN_IN_TENANT, KeySource, begin_parameters
from app.core.tenancy.scopes import Login, current_scope

# With parameters as the wire protocol numbers them. psycopg's own pipeline sends the same, and takes 100 µs of CPU
# time more in each transaction (docs/performance.md).
_CONTEXT: Final = (BEGIN_IN_TENANT % ("$1", "$2")).encode()
NAME: Final = "tenantry"
_ANSWERS: Final = 3  # To BEGIN, to the context, to the end of the pipeline.
_FAILURES: Final = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)


class TenantryDialect(PGDialect_psycopg):
    """psycopg in autocommit, with begin, commit and rollback sent by us.

    The driver's own BEGIN would cost the context a round trip of its own; a pipeline sends both at once.
    """

    supports_statement_cache = True

    def __init__(self, login: str = Login.TENANT, context_key: KeySource | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped.
        self.tenantry_login = Login(login)
        self.context_key = context_key

    def do_begin(self, dbapi_connection: Any) -> None:
        """Begin, and show the running scope's context to the database.

        Errors: ScopeError outside a scope, or in a scope that another login serves.
        """
        scope = current_scope()
        assert self.context_key is not None  # noqa: S101  # Engines always pass it; SQLAlchemy fixes the signature.
        parameters = begin_parameters(scope, self.tenantry_login, self.context_key)
        if parameters is None:
            dbapi_connection.execute("BEGIN")
            return
        with dbapi_connection.lock:
            dbapi_connection.wait(_begin_in_tenant(dbapi_connection.pgconn, parameters))

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


def _begin_in_tenant(pgconn: PGconn, parameters: Sequence[str]) -> PQGen[None]:
    """Send BEGIN and the context as one message and wait once; the context stays a bound parameter.

    Errors: psycopg.Error as the server words it.
    """
    pgconn.enter_pipeline_mode()
    values = [parameter.encode() for parameter in parameters]
    begin = partial(pgconn.send_query_params, b"BEGIN", None)
    context = partial(pgconn.send_query_params, _CONTEXT, values)
    answers = yield from pipeline_communicate(pgconn, deque([begin, context, pgconn.pipeline_sync]))
    while len(answers) < _ANSWERS:
        answers.append((yield from fetch_many(pgconn)))
    pgconn.exit_pipeline_mode()
    for answer in answers:
        if answer[0].status in _FAILURES:
            raise error_from_result(answer[0])


registry.register(f"postgresql.{NAME}", __name__, "TenantryDialect")
