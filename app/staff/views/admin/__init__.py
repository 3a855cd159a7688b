"""Staff users in the platform portal: one blueprint, a room a use case."""
