"""The operation that prepares a server for homes: logins, schemas, a context key, what higher levels add, ready."""

from __future__ import annotations

import os
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from app.audit.services import record_event
from app.core.actors import Actor
from app.core.audit_actions import AuditAction
from app.core.database.migrations import migrate_database
from app.core.database.owner import owner_connection
from app.core.database.server_urls import ServerUrls
from app.core.database.session import db
from app.core.errors import StateError
from app.core.runtime import current_settings
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import DatabaseAddress, Login
from app.operations.kinds import OperationKind, Step, StepInput, StepScope, register_operation
from app.servers import queries
from app.servers.inspection import check_owner, find_server_of, server_connection
from app.servers.models import ServerState

PREPARE = "servers.prepare"
ACTOR = Actor.system("server preparation")
PASSWORD_BYTES = 24
_REMARK = "select shobj_description(oid, 'pg_authid') from pg_roles where rolname = %s"
_NAMES = "select name from control.servers where name <> %s order by name"
_more_steps: dict[str, Step] = {}


def add_preparation_step(step: Step) -> None:
    """Let a higher level prepare a server as well: its step runs behind the schemas; the same name replaces it."""
    _more_steps[step.name] = step
    declare_preparation()


def declare_preparation() -> None:
    """Declare the operation as far as its steps are known."""
    steps = (
        Step("check", "Check the server and its owner login", StepScope.SERVER, check, forget_urls),
        Step("logins", "Create the runtime logins", StepScope.SERVER, create_logins, drop_logins),
        Step("schema", "Create the schemas and the context key", StepScope.SERVER, create_schemas, drop_schemas),
        *_more_steps.values(),
        Step("ready", "Let it take homes", StepScope.PLATFORM, become_ready),
    )
    hooks: dict[str, Any] = {"on_failed": fail, "on_retried": resume, "on_compensated": drop_server}
    register_operation(OperationKind(name=PREPARE, title="Prepare server", steps=steps, **hooks))


def check(given: StepInput) -> None:
    """Refuse a server that is not fit, and a database that is in use already."""
    server = given.payload["server"]
    with server_connection(server, Login.OWNER) as connection:
        check_owner(connection)
        with owner_connection() as control:
            names = [name for (name,) in control.execute(_NAMES, (server,))]
        found = find_server_of(connection, [server, *names])
    if found not in (None, server):
        raise StateError(f"This is the database of server {found} already.")


def create_logins(given: StepInput) -> None:
    """Give the server its own passwords of the runtime logins.

    They are written down first: a killed run finds them, and the roles by the remark that they bear.
    """
    server = given.payload["server"]
    _write_urls(server)
    with owner_connection(DatabaseAddress(server)) as connection, connection.transaction():
        for login in (Login.PLATFORM, Login.TENANT):
            _ensure_role(connection, server, login, _remark(given))


def create_schemas(given: StepInput) -> None:
    """Bring the server's database to the newest schema."""
    migrate_database(current_settings(), DatabaseAddress(given.payload["server"]))


def become_ready(given: StepInput) -> None:
    """Let homes be placed on it."""
    server = queries.get_server_by_name(given.payload["server"], lock=True)
    server.state, server.error = ServerState.READY, None
    record_event(AuditAction.SERVER_PREPARED, target=server.target, actor=ACTOR)


def drop_schemas(given: StepInput) -> None:
    """Take away what lies in the server's database; no home was ever on it."""
    with owner_connection(DatabaseAddress(given.payload["server"])) as connection:
        connection.execute("drop schema if exists pool, tenancy cascade")


def drop_logins(given: StepInput) -> None:
    """Take away the runtime logins that this preparation made, and no others."""
    roles = Roles(current_settings().role_prefix)
    with owner_connection(DatabaseAddress(given.payload["server"])) as connection, connection.transaction():
        for role in (roles.platform, roles.tenant):
            if connection.execute(_REMARK, (role,)).fetchone() == (_remark(given),):
                names = {"role": sql.Identifier(role), "database": sql.Identifier(connection.info.dbname)}
                connection.execute(sql.SQL("revoke all on database {database} from {role}").format(**names))
                connection.execute(sql.SQL("drop role {role}").format(**names))


def forget_urls(given: StepInput) -> None:
    """Forget the server's URLs."""
    ServerUrls(current_settings()).remove(given.payload["server"])


def fail(given: StepInput, error: str) -> None:
    """Show the server as failed, with the step's words."""
    server = queries.find_server_by_name(given.payload["server"], lock=True)
    if server is not None:
        server.state, server.error = ServerState.FAILED, error
        record_event(AuditAction.SERVER_PREPARATION_FAILED, target=server.target, actor=ACTOR, reason=error)


def resume(given: StepInput, actor: Actor) -> None:
    """Show the server as being prepared again."""
    server = queries.get_server_by_name(given.payload["server"], lock=True)
    server.state, server.error = ServerState.PREPARING, None
    record_event(AuditAction.SERVER_UPDATED, target=server.target, actor=actor, reason="tried again")


def drop_server(given: StepInput) -> None:
    """Forget a server whose preparation was taken back."""
    server = queries.find_server_by_name(given.payload["server"], lock=True)
    if server is not None:
        db.session.delete(server)
        reason = "its preparation was taken back"
        record_event(AuditAction.SERVER_REMOVED, target=server.target, actor=ACTOR, reason=reason)


def _write_urls(server: str) -> None:
    urls, roles = ServerUrls(current_settings()), Roles(current_settings().role_prefix)
    owner = make_url(urls.get(Login.OWNER, DatabaseAddress(server)))
    for login, role in ((Login.PLATFORM, roles.platform), (Login.TENANT, roles.tenant)):
        if not urls.has(server, login):
            url = owner.set(username=role, password=os.urandom(PASSWORD_BYTES).hex())
            urls.write(server, login, url.render_as_string(hide_password=False))


def _ensure_role(connection: psycopg.Connection[Any], server: str, login: Login, remark: str) -> None:
    url = make_url(ServerUrls(current_settings()).get(login, DatabaseAddress(server)))
    role, password = str(url.username), str(url.password)
    found = connection.execute(_REMARK, (role,)).fetchone()
    if found is not None and found != (remark,):
        raise StateError(
            f"The login {role} exists on this database server already, for another database. Its password is not "
            "changed. Register a server that has no other database of this installation, or set ROLE_PREFIX anew."
        )
    # Only the verifier travels, so no server log can ever show the password.
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    names = {"role": sql.Identifier(role), "verifier": sql.Literal(verifier), "remark": sql.Literal(remark)}
    verb = sql.SQL("create" if found is None else "alter")
    connection.execute(sql.SQL("{verb} role {role} login password {verifier}").format(verb=verb, **names))
    connection.execute(sql.SQL("comment on role {role} is {remark}").format(**names))


def _remark(given: StepInput) -> str:
    return f"server {given.payload['server_id']}"
