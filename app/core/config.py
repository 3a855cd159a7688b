"""The configuration, read from the environment once, checked as a whole."""

from __future__ import annotations

import fcntl
import re
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self, TextIO

from click import ClickException
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.errors import ConfigError

# Left in VAR_DIR by a running supervisor, and locked while it runs.
INSTANCE_FILE = "instance.env"
_SEED = re.compile(r"[A-Za-z0-9_-]{43}")


class SettingsError(ConfigError, ClickException):
    """The settings cannot be used; the flask command shows the sentence alone, without a traceback."""


class Environment(StrEnum):
    """Where the product runs; production refuses what development derives."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Every setting of the product; docs/configuration.md is rendered from the fields."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    environment: Environment = Field(
        Environment.DEVELOPMENT,
        validation_alias="TENANTRY_ENV",
        description="development or production. Production needs every secret named and refuses plain http.",
    )
    secret_key: SecretStr | None = Field(
        None,
        validation_alias="SECRET_KEY",
        description="Root secret, at least 32 characters; signs cookies and links and wraps the context keys.",
    )
    base_domain: str = Field(
        "localhost:8000",
        validation_alias="BASE_DOMAIN",
        description="Public host, with its port if not the scheme's own; admin. and tenant subdomains lie below it.",
    )
    url_scheme: Annotated[str, Field(pattern="^https?$")] = Field(
        "http",
        validation_alias="URL_SCHEME",
        description="Scheme of absolute links; https switches on __Host- cookies and HSTS.",
    )
    port: int = Field(
        8000, ge=0, le=65535, validation_alias="PORT", description="Port that the web server binds on loopback."
    )
    trusted_proxy_count: int = Field(
        0,
        ge=0,
        validation_alias="TRUSTED_PROXY_COUNT",
        description="How many reverse proxies in front set X-Forwarded-*; 0 ignores those headers.",
    )
    var_dir: Path = Field(Path("var"), validation_alias="VAR_DIR", description="Folder that holds all local state.")
    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="Owner login (NOSUPERUSER NOBYPASSRLS CREATEROLE CREATEDB, owner of its database); only migrate "
        "and the operations worker get it. Empty: an embedded PostgreSQL under VAR_DIR.",
    )
    database_platform_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_PLATFORM_URL",
        description="Platform login: control plane only, no right on any home.",
    )
    database_tenant_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_TENANT_URL",
        description="Tenant login: homes and the tenant's share of the control plane, under row-level security.",
    )
    database_pool_size: int = Field(
        5, ge=1, validation_alias="DATABASE_POOL_SIZE", description="Connections kept per login and process."
    )
    database_connections: int = Field(
        40,
        ge=1,
        validation_alias="DATABASE_CONNECTIONS",
        description="Connections that one process holds at most, over all database servers; one more gets a 503.",
    )
    role_prefix: Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,30}$")] = Field(
        "tenantry",
        validation_alias="ROLE_PREFIX",
        description="Prefix of the PostgreSQL roles (they are cluster-wide).",
    )
    redis_url: SecretStr | None = Field(
        None, validation_alias="REDIS_URL", description="Redis for the queue. Empty: an embedded one under VAR_DIR."
    )
    smtp_url: SecretStr | None = Field(
        None,
        validation_alias="SMTP_URL",
        description="smtp:// or smtps://user:password@host:port. Empty outside production: mail lands in VAR_DIR/mail.",
    )
    mail_from: str = Field(
        "Tenantry <no-reply@localhost>", validation_alias="MAIL_FROM", description="Sender of every mail."
    )
    support_contact: Annotated[str, Field(pattern=r"^(https?://\S+|[^@\s]+@[^@\s]+)$")] | None = Field(
        None,
        validation_alias="SUPPORT_CONTACT",
        description="E-mail address or http(s) address of those who help; shown on suspended, closed and error pages.",
    )
    demo: bool = Field(True, validation_alias="DEMO", description="make run seeds Acme and Globex; 0 starts empty.")
    demo_server: bool = Field(
        True,
        validation_alias="DEMO_SERVER",
        description="make run starts a second embedded PostgreSQL for the demo, as server annex; 0 does not.",
    )
    demo_server_url: SecretStr | None = Field(
        None,
        validation_alias="DEMO_SERVER_URL",
        description="Owner login of the demo's second server; the supervisor gives it to the demo's commands.",
    )
    jobs_per_tenant: int = Field(
        4,
        ge=1,
        validation_alias="JOBS_PER_TENANT",
        description="Jobs of one tenant queued or running at once.",
    )
    isolation_signing_key: SecretStr | None = Field(
        None,
        validation_alias="ISOLATION_SIGNING_KEY",
        description="Signs isolation reports: 32 random bytes in base64url, an Ed25519 private key. Empty outside "
        "production: derived from SECRET_KEY.",
    )
    isolation_probe_seconds: int = Field(
        3_600,
        ge=60,
        validation_alias="ISOLATION_PROBE_SECONDS",
        description="Seconds between two probes of each server's isolation.",
    )
    isolation_kept_days: int = Field(
        400, ge=1, validation_alias="ISOLATION_KEPT_DAYS", description="Days for which isolation reports are kept."
    )
    clones_per_tenant: int = Field(
        3,
        ge=0,
        validation_alias="CLONES_PER_TENANT",
        description="Clones of one tenant that may live at once; archived and deleted ones do not count.",
    )
    root_key_file: Path | None = Field(
        None,
        validation_alias="ROOT_KEY_FILE",
        description="File of root keys, which wrap every tenant's keys; mode 0600, one key a line. Empty outside "
        "production: VAR_DIR/secrets/root_key, which make run makes.",
    )
    key_cache_seconds: int = Field(
        300,
        ge=1,
        le=3_600,
        validation_alias="KEY_CACHE_SECONDS",
        description="Seconds for which a process keeps a tenant's key unwrapped; so long a withdrawn one may still be "
        "used, and so long work goes on while the root key's provider is down.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias="LOG_LEVEL", description="DEBUG, INFO, WARNING or ERROR."
    )

    @property
    def is_production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def is_https(self) -> bool:
        return self.url_scheme == "https"

    @property
    def mail_dir(self) -> Path:
        return self.var_dir / "mail"

    @property
    def root_key_path(self) -> Path:
        return self.root_key_file or self.var_dir / "secrets" / "root_key"

    @model_validator(mode="after")
    def _refuse_unsafe_production(self) -> Self:
        if self.secret_key is not None and len(self.secret_key.get_secret_value()) < 32:
            raise ValueError("SECRET_KEY must have at least 32 characters")
        if self.isolation_signing_key is not None and not _SEED.fullmatch(
            self.isolation_signing_key.get_secret_value()
        ):
            raise ValueError("ISOLATION_SIGNING_KEY must be 32 bytes in base64url: 43 characters without padding")
        if not self.is_production:
            return self
        needed = {
            "SECRET_KEY": self.secret_key,
            "DATABASE_PLATFORM_URL": self.database_platform_url,
            "DATABASE_TENANT_URL": self.database_tenant_url,
            "REDIS_URL": self.redis_url,
            "SMTP_URL": self.smtp_url,
            "ISOLATION_SIGNING_KEY": self.isolation_signing_key,
            "ROOT_KEY_FILE": self.root_key_file,
        }
        missing = [name for name, value in needed.items() if value is None]
        if missing:
            raise ValueError(f"production needs {', '.join(missing)}")
        if not self.is_https:
            raise ValueError("production needs URL_SCHEME=https")
        return self


def load_settings(**overrides: object) -> Settings:
    """Read the environment; what it leaves open outside production is what the instance running in VAR_DIR was given.

    Errors: SettingsError as for read_environment, or when no database is known.
    """
    settings = read_environment(**overrides)
    if settings.is_production or settings.database_platform_url is not None:
        return settings
    known = _read_instance(settings.var_dir / INSTANCE_FILE)
    given = {_alias(field) for field in settings.model_fields_set}
    settings = read_environment(**{name: value for name, value in known.items() if name not in given}, **overrides)
    if settings.database_platform_url is None:
        raise SettingsError(
            f"No database is known, and no instance runs on {settings.var_dir.absolute()}: start it with `make run`, "
            "or set DATABASE_PLATFORM_URL, DATABASE_TENANT_URL, REDIS_URL and SECRET_KEY."
        )
    return settings


def read_environment(**overrides: object) -> Settings:
    """Read and check the environment alone.

    Errors: SettingsError with one sentence that names each variable at fault, never its value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]  # The aliases are the environment's names.
    except ValidationError as error:
        parts = [f"{'.'.join(map(str, fault['loc'])) or 'settings'}: {fault['msg']}" for fault in error.errors()]
        raise SettingsError("Configuration refused: " + "; ".join(parts)) from None


def to_environment(settings: Settings) -> dict[str, str]:
    """Write what was given as the environment from which the same settings are read, secrets included."""
    values = {_alias(field): getattr(settings, field) for field in sorted(settings.model_fields_set)}
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else str(value) for name, value in values.items()
    }


def root_secret(settings: Settings) -> str:
    """Return the root secret.

    Errors: SettingsError when this process was not given one.
    """
    if settings.secret_key is None:
        raise SettingsError("SECRET_KEY is missing; `make run` makes one, other processes need it in the environment.")
    return settings.secret_key.get_secret_value()


def _alias(field: str) -> str:
    return str(Settings.model_fields[field].validation_alias)


def _read_instance(path: Path) -> dict[str, str]:
    try:
        with path.open() as file:
            return {} if _is_abandoned(file) else dict(_parse(word) for word in shlex.split(file.read()))
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError(f"{path.absolute()} cannot be read ({error.strerror}); who started it can.") from None


def _is_abandoned(file: TextIO) -> bool:
    # Nobody holds the lock of a file that a killed supervisor left behind.
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _parse(line: str) -> tuple[str, str]:
    name, _, value = line.partition("=")
    return name, value
