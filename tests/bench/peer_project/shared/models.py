"""The tenants and their hosts."""

from django.db import models
from django_tenants.models import DomainMixin, TenantMixin


class Tenant(TenantMixin):
    """A tenant with a schema of its own."""

    auto_create_schema = False  # The driver asks for it, so that the schema alone is timed.

    name = models.TextField()
    plan = models.TextField()
    time_zone = models.TextField(default="UTC")
    locale = models.TextField(default="en")


class Domain(DomainMixin):
    """A host of a tenant."""
