"""What one instance consists of: the steps before the start and the children, each with its environment."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from pydantic import SecretStr

from app.core.config import Settings
from app.instance.processes import LOOPBACK
from app.instance.secrets import Secrets
from app.instance.servers import Servers
from app.instance.supervisor import Child

# glibc gives each thread memory of its own to share out, of which most lies idle.
SMALL = {"MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True)
class Plan:
    """Everything that `make run` starts once its servers answer."""

    migrate: Child
    first_admin: Child
    annex: Child | None
    demo: Child
    children: tuple[Child, ...]


def make_environment(
    settings: Settings, secrets: Secrets, servers: Servers, *, var_dir: Path, port: int
) -> dict[str, str]:
    """Say what a process of this instance needs to know, the owner's login excepted; what was given stays."""
    prefix, owner_url = settings.role_prefix, servers.owner_url
    platform_url = as_login(owner_url, f"{prefix}_platform", secrets.platform_password)
    tenant_url = as_login(owner_url, f"{prefix}_tenant", secrets.tenant_password)
    has_domain = "base_domain" in settings.model_fields_set
    return {
        "BASE_DOMAIN": settings.base_domain if has_domain else f"localhost:{port}",
        "DATABASE_PLATFORM_URL": _given(settings.database_platform_url, platform_url),
        "DATABASE_TENANT_URL": _given(settings.database_tenant_url, tenant_url),
        "ISOLATION_SIGNING_KEY": _given(settings.isolation_signing_key, secrets.isolation_signing_key),
        "PORT": str(port),
        "REDIS_URL": servers.redis_url,
        "SECRET_KEY": _given(settings.secret_key, secrets.secret_key),
        "VAR_DIR": str(var_dir),
    }


def as_login(url: str, role: str, password: str) -> str:
    """Point a database URL at the same database as another login."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{role}:{quote(password, safe='')}@{address}").geturl()


def make_plan(environment: dict[str, str], *, owner_url: str, annex_url: str = "") -> Plan:
    """Lay out the processes; only migrations, the demo and the worker of queue `operations` get the owner's login."""
    # The one place outside app/core/config.py that looks at the environment: it hands it on and reads nothing from it.
    inherited = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "DEMO_SERVER_URL"}}
    runtime = inherited | environment | {"PYTHONUNBUFFERED": "1"}
    owner = runtime | {"DATABASE_URL": owner_url}
    annex = owner | {"DEMO_SERVER_URL": annex_url}
    return Plan(
        migrate=Child("migrate", _flask("migrate"), owner),
        first_admin=Child("first-admin", _flask("staff", "ensure-first-admin"), runtime),
        annex=Child("annex", _flask("demo", "server"), annex) if annex_url else None,
        demo=Child("demo", _flask("demo", "seed"), owner),
        children=(
            Child("web", _web(environment["PORT"]), SMALL | runtime),
            Child("default", _worker("default"), runtime),
            Child("operations", _worker("operations"), owner),
            Child("dispatcher", _worker("dispatcher"), runtime),
        ),
    )


def _given(setting: SecretStr | None, derived: str) -> str:
    return setting.get_secret_value() if setting is not None else derived


def _flask(*words: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "flask", "--app", "wsgi", *words)


def _worker(queue: str) -> tuple[str, ...]:
    return (sys.executable, "worker.py", queue)


def _web(port: str) -> tuple[str, ...]:
    options = "--worker-class gthread --workers 2 --threads 4 --graceful-timeout 8 --log-level warning"
    # The control socket lies in the home folder, where two instances would fight over it.
    return (
        *(sys.executable, "-m", "gunicorn", "--bind", f"{LOOPBACK}:{port}"),
        *options.split(),
        *("--no-control-socket", "wsgi:app"),
    )
