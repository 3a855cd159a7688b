"""The pages of staff users, a room a surface."""
