"""The tenancy core: scopes, signed contexts, the route from host to home, and the four walls.

Every unit of work runs in exactly one *scope* (a tenant's, the platform's, or none); a *context* is what the scope
shows to PostgreSQL; a *placement* says where a tenant's home lies. docs/isolation.md holds the wall matrix.
"""
