"""Django's settings: its documentation's and django-tenants' advice, with connections that are kept."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

_DATABASE = urlsplit(os.environ["PEER_DATABASE_URL"])

SECRET_KEY = os.environ["PEER_SECRET_KEY"]
ALLOWED_HOSTS = [".localhost"]
DEBUG = False
USE_TZ = True
ROOT_URLCONF = "pages"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        "HOST": _DATABASE.hostname,
        "PORT": _DATABASE.port,
        "NAME": _DATABASE.path[1:],
        "USER": _DATABASE.username,
        "PASSWORD": unquote(_DATABASE.password or ""),
        # By default, 0, Django connects anew for each request.
        "CONN_MAX_AGE": int(os.environ.get("PEER_CONNECTION_AGE", "1800")),
        "OPTIONS": {"application_name": "tenantry-peer"},
    }
}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]
SHARED_APPS = ["django_tenants", "django.contrib.contenttypes", "shared"]
TENANT_APPS = ["workspace"]
# Django's own accounts and sessions in each tenant, as django-tenants' documentation sets a project up.
if os.environ.get("PEER_ACCOUNTS"):
    TENANT_APPS += [f"django.contrib.{name}" for name in ("contenttypes", "auth", "sessions")]
INSTALLED_APPS = [*SHARED_APPS, *(app for app in TENANT_APPS if app not in SHARED_APPS)]
TENANT_MODEL = "shared.Tenant"
TENANT_DOMAIN_MODEL = "shared.Domain"
# SET search_path once a request; by default it goes out with every statement.
TENANT_LIMIT_SET_CALLS = os.environ.get("PEER_LIMITS_SET_CALLS", "1") == "1"
# A new tenant's schema is copied from another one by a function in the database, instead of migrated from nothing.
if os.environ.get("PEER_BASE_SCHEMA"):
    TENANT_BASE_SCHEMA = os.environ["PEER_BASE_SCHEMA"]
    TENANT_CREATION_FAKES_MIGRATIONS = True
MIGRATION_MODULES = {"shared": "peer_migrations.shared", "workspace": "peer_migrations.workspace"}
MIDDLEWARE = [
    "django_tenants.middleware.main.TenantMainMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "pages.require_session",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
