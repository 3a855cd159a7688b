"""The pages of members, a room a surface."""
