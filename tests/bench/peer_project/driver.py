"""Does what each line of standard input asks for, as JSON, and answers with one line: the seconds that it took."""

import json
import sys
import time

import django


def main():
    """Answer until standard input ends."""
    django.setup()
    acts = {"create": create, "add": add, "cookie": cookie}
    for line in sys.stdin:
        given = json.loads(line)
        print(json.dumps(acts[given.pop("do")](**given)), flush=True)


def create(schema, slug):
    """Make a tenant and return how long its schema took."""
    tenant = add(schema, slug)
    began = time.perf_counter()
    tenant.create_schema(check_if_exists=True, verbosity=0)
    return time.perf_counter() - began


def add(schema, slug):
    """Write a tenant's rows in the registry."""
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
