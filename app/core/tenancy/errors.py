"""What goes wrong when a unit of work has no tenant, the wrong one, or one that has moved."""

from app.core.errors import TenantryError, UnavailableError


class ScopeError(TenantryError):
    """A unit of work touched data outside its scope: a bug, never a user's mistake."""


class CrossTenantError(ScopeError):
    """A row of one tenant was used in another tenant's scope."""


class HomeUnavailableError(UnavailableError):
    """The home is fenced, moved or gone; the route is read anew."""


# The SQLSTATEs that tenancy.current_tenant() raises, and what each says.
CONTEXT_STATES = {
    "TN001": "no context",
    "TN002": "forged",
    "TN003": "expired",
    "TN004": "stale epoch",
    "TN005": "fenced",
    "TN006": "purged",
}
ROUTE_STATES = frozenset({"TN004", "TN005", "TN006"})
