"""Does what each line of standard input asks for, as JSON, and answers with one line: the seconds that it took."""

import json
import sys
import time

import django


def main():
    """Answer until standard input ends."""
    django.setup()
    acts = {"create": create, "add": add, "cookie": cookie, "command": command, "tour": tour}
    for line in sys.stdin:
        given = json.loads(line)
        print(json.dumps(acts[given.pop("do")](**given)), flush=True)


def command(words):
    """Run one of Django's commands in this process."""
    from django.core.management import call_command

    call_command(*words, verbosity=0)


def create(schema, slug):
    """Make a tenant and return how long its schema took."""
    tenant = _add(schema, slug)
    began = time.perf_counter()
    tenant.create_schema(check_if_exists=True, verbosity=0)
    return time.perf_counter() - began


def add(schema, slug):
    """Write a tenant's rows in the registry, for a schema that is there."""
    _add(schema, slug)


def tour():
    """Read the members of every tenant over one connection; return the process that serves it."""
    from django.db import connection
    from shared.models import Tenant
    from workspace.models import MODELS

    connection.set_schema_to_public()
    for tenant in list(Tenant.objects.all()):
        connection.set_tenant(tenant)
        list(MODELS["member_sessions"].objects.select_related("member__role")[:1])
        list(MODELS["members"].objects.select_related("role").order_by("name_search", "id")[:51])
        list(MODELS["roles"].objects.all())
    connection.set_schema_to_public()
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return cursor.fetchone()[0]


def _add(schema, slug):
    from shared.models import Domain, Tenant

    tenant = Tenant.objects.create(schema_name=schema, name=slug.capitalize(), plan="team")
    Domain.objects.create(domain=f"{slug}.localhost", tenant=tenant, is_primary=True)
    return tenant


def cookie(token):
    """Return the cookie that the page's session is looked up by."""
    from django.core.signing import get_cookie_signer
    from pages import COOKIE

    return f"{COOKIE}={get_cookie_signer(salt=COOKIE).sign(token)}"


if __name__ == "__main__":
    main()
