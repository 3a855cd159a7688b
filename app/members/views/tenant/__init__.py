"""Members in the tenant portal: one blueprint, a room a use case."""
