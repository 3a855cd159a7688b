"""The pages of tenants, a room a surface."""
