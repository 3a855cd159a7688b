"""Reading for clones."""

from __future__ import annotations

from app.core.errors import InputError
from app.tenants.models import Tenant
from app.tenants.queries import is_slug_free
from app.tenants.slugs import check_slug

MOST_NAMESAKES = 9


def suggest_clone_slug(source: Tenant) -> str:
    """Return an address made from the source's that could be had now; an empty text when none is near."""
    ends = ("-copy", *(f"-copy-{number}" for number in range(2, MOST_NAMESAKES + 1)))
    return next((slug for end in ends if _can_be_had(slug := f"{source.slug}{end}")), "")


def _can_be_had(slug: str) -> bool:
    try:
        return is_slug_free(check_slug(slug))
    except InputError:
        return False
