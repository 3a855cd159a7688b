"""Bring a database to the newest schema: roles, the three migration trees, the context key."""

from __future__ import annotations

import io
from typing import Any

import psycopg
from alembic import command, context
from alembic.config import Config
from psycopg import sql
from psycopg.errors import DuplicateObject, InternalError_, UniqueViolation
from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError

from app.core.config import Settings
from app.core.database.context_keys import install_context_key
from app.core.database.faults import describe_connection_error
from app.core.database.home_versions import RECORD, HomeKey, copy_version, read_version
from app.core.database.models import Record
from app.core.database.pool_indexes import build_pool_indexes
from app.core.database.server_urls import CONNECT_ARGUMENTS, ServerUrls, login_url
from app.core.database.versions import HOME_TREES, MIGRATION_LOCK, MIGRATIONS, POOL_SCHEMA, TEMPLATE_SCHEMA, TREES
from app.core.errors import ConfigError
from app.core.tenancy.ddl import Roles
from app.core.tenancy.scopes import MAIN_DATABASE, DatabaseAddress, Login, Tier

# What a database of a single home has; the key of its own it gets when the home is built.
SINGLE_HOME_TREES = (("tenancy", "tenancy"), ("tenant", "home"))
# The runtime logins that may enter a schema; a home is the tenant login's alone.
ENTERED_BY = {"control": ("tenant", "platform"), "tenancy": ("tenant", "platform"), TEMPLATE_SCHEMA: ()}
ROLE_TRIES = 10
# Defaults of every session of a runtime login; the owner's moves and migrations take the time that they need. They
# bound accidents, and how long others wait for a lock that is never given back; the session itself may change them.
LIMITS = {"lock_timeout": "5s", "statement_timeout": "60s", "idle_in_transaction_session_timeout": "5min"}


def migrate(settings: Settings, *, homes: bool = True) -> None:
    """Create what the main database lacks, as the owner, and change what is old.

    Errors: ConfigError for a login that does not get in, is a superuser, or misses CREATEROLE.
    """
    migrate_database(settings, MAIN_DATABASE, homes=homes)


def migrate_database(settings: Settings, address: DatabaseAddress, *, homes: bool = True) -> None:
    """Create what a database lacks, as its owner, and change what is old; the control plane is the main one's.

    Without `homes` the pool stays as it is, and so do its neighbours in schemas: the release before this one still
    serves them.

    Errors: ConfigError for a login that does not get in, is a superuser, or misses CREATEROLE.
    """
    urls = ServerUrls(settings)
    engine = create_engine(_driver_url(urls.get(Login.OWNER, address)), poolclass=NullPool)
    with _connect(engine) as connection:
        # Two migrate commands at once run one after the other.
        connection.execute(text("select pg_advisory_lock(:lock)"), {"lock": MIGRATION_LOCK})
        roles = Roles(settings.role_prefix)
        _refuse_unfit_owner(connection, roles)
        _ensure_roles(connection, urls, address, roles)
        _ensure_schemas(connection, roles, [schema for _tree, schema in trees_of(address)])
        for tree, schema in trees_of(address):
            if homes or tree != "tenant":
                command.upgrade(tree_config(connection, roles, tree, schema), "head")
        if not address.name:
            driver: Any = connection.connection.dbapi_connection
            install_context_key(driver, settings, address)
            connection.commit()
            if homes:
                _finish_pool(driver, settings, address)
    engine.dispose()


def trees_of(address: DatabaseAddress) -> tuple[tuple[str, str], ...]:
    """Return each tree of a database with the schema that it fills."""
    if address.name:
        return SINGLE_HOME_TREES
    return TREES if address == MAIN_DATABASE else HOME_TREES


def tree_config(connection: Connection | None, roles: Roles, tree: str, schema: str) -> Config:
    """Return Alembic's configuration for one tree in one schema."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS / tree))
    config.attributes.update(connection=connection, roles=roles, tree=tree, schema=schema)
    return config


def render_upgrade(roles: Roles, tree: str, version: str, to_version: str) -> str:
    """Return the statements that lead from one version to another, in whichever schema the search_path names.

    They begin and end no transaction; the version table is among what they change.
    """
    config = tree_config(None, roles, tree, "")
    config.output_buffer = io.StringIO()
    command.upgrade(config, f"{version}:{to_version}", sql=True)
    return config.output_buffer.getvalue()


def run_environment() -> None:
    """Run one tree's migrations in its schema; called by each tree's env.py."""
    attributes = context.config.attributes
    schema = attributes["schema"]
    options: dict[str, Any] = {
        "version_table_schema": schema or None,
        "target_metadata": Record.metadata,
        "transactional_ddl": bool(schema),
    }
    if context.is_offline_mode():
        # With named parameters a percent sign stays one.
        options["dialect_opts"] = {"paramstyle": "named"}
        context.configure(dialect_name="postgresql", literal_binds=True, **options)
        with context.begin_transaction():
            if schema:
                context.execute(f"set local search_path to {schema}")
            context.run_migrations()
        return
    connection: Connection = attributes["connection"]
    connection.execute(text(f"create schema if not exists {schema}"))
    # Alembic's ALTERs ignore schema_translate_map, so tenant migrations name no schema and this decides.
    connection.execute(text(f"set local search_path to {schema}"))
    context.configure(connection=connection, **options)
    with context.begin_transaction():
        context.run_migrations()
    if attributes["tree"] == "tenant":
        _record_version(connection, schema)
    connection.commit()


def _record_version(connection: Connection, schema: str) -> None:
    version = context.get_context().get_current_revision()
    if version is None:
        connection.execute(text("delete from tenancy.home_versions where schema_name = :schema"), {"schema": schema})
    else:
        connection.execute(text(RECORD.format(schema=schema, version=version)))


def _finish_pool(driver: Any, settings: Settings, address: DatabaseAddress) -> None:
    """Build the indexes that no transaction could, and tell routing the pool's version."""
    with psycopg.connect(login_url(settings, Login.OWNER), **CONNECT_ARGUMENTS) as control:
        build_pool_indexes(driver, control)
        version = read_version(driver, POOL_SCHEMA)
        assert version is not None  # noqa: S101  # The pool has just been migrated.
        copy_version(control, HomeKey(*address, POOL_SCHEMA), Tier.POOL, version)
    driver.rollback()


def _driver_url(url: str) -> URL:
    return make_url(url).set(drivername="postgresql+psycopg")


def _connect(engine: Engine) -> Connection:
    try:
        return engine.connect()
    except OperationalError as error:
        raise ConfigError(describe_connection_error(error.orig or error)) from None


def _refuse_unfit_owner(connection: Connection, roles: Roles) -> None:
    row = connection.execute(
        text("select rolname, rolsuper or rolbypassrls, rolcreaterole from pg_roles where rolname = session_user")
    ).one()
    name, too_strong, can_create = row
    if name != roles.owner or too_strong or not can_create:
        raise ConfigError(
            f"DATABASE_URL must name the owner login. As a superuser: CREATE ROLE {roles.owner} LOGIN NOSUPERUSER "
            f"NOBYPASSRLS CREATEROLE CREATEDB PASSWORD '…'; ALTER DATABASE … OWNER TO {roles.owner};"
        )


def _ensure_roles(connection: Connection, urls: ServerUrls, address: DatabaseAddress, roles: Roles) -> None:
    """Create the runtime logins with the passwords of their URLs, and let nobody else into the database."""
    tries_left = ROLE_TRIES
    while True:
        try:
            _ensure_logins(connection, urls, address, roles)
            break
        except (DuplicateObject, UniqueViolation, InternalError_):
            # Roles are the cluster's, the lock is the database's: a migration next door wrote the same row.
            connection.rollback()
            tries_left -= 1
            if not tries_left:
                raise
    database = make_url(urls.get(Login.OWNER, address)).database
    # What everybody may do by default includes temporary tables, which outlive a transaction in a pooled session.
    connection.execute(text(f'revoke all on database "{database}" from public'))
    for role in (roles.platform, roles.tenant):
        connection.execute(text(f'grant connect on database "{database}" to "{role}"'))
    connection.commit()


def _ensure_schemas(connection: Connection, roles: Roles, schemas: list[str]) -> None:
    for schema in schemas:
        connection.execute(text(f"create schema if not exists {schema}"))
        for role in ENTERED_BY.get(schema, ("tenant",)):
            connection.execute(text(f'grant usage on schema {schema} to "{roles.prefix}_{role}"'))
    connection.commit()


def _ensure_logins(connection: Connection, urls: ServerUrls, address: DatabaseAddress, roles: Roles) -> None:
    driver: Any = connection.connection.dbapi_connection
    for login, role in ((Login.PLATFORM, roles.platform), (Login.TENANT, roles.tenant)):
        _ensure_login(connection, role, make_url(urls.get(login, address)).password or "")
        driver.execute(sql.SQL("revoke {} from {}").format(sql.Identifier(role), sql.Identifier(roles.owner)))
    connection.commit()


def _ensure_login(connection: Connection, role: str, password: str) -> None:
    exists = connection.execute(text("select 1 from pg_roles where rolname = :role"), {"role": role}).first()
    driver: Any = connection.connection.dbapi_connection
    # Only the verifier travels, so no server log can ever show the password.
    verifier = driver.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    driver.execute(
        sql.SQL("{verb} role {role} login noinherit nocreaterole nocreatedb password {verifier}").format(
            verb=sql.SQL("alter" if exists else "create"), role=sql.Identifier(role), verifier=sql.Literal(verifier)
        )
    )
    _ensure_limits(driver, role)


def _ensure_limits(driver: Any, role: str) -> None:
    name = sql.Identifier(role)
    # A login may give itself defaults, for one database or all: what an injection left there ends here.
    for place in (sql.SQL(""), sql.SQL("in database {}").format(sql.Identifier(driver.info.dbname))):
        driver.execute(sql.SQL("alter role {} {} reset all").format(name, place))
    for setting, limit in LIMITS.items():
        driver.execute(sql.SQL("alter role {} set {} = {}").format(name, sql.Identifier(setting), sql.Literal(limit)))
