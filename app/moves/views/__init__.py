"""The pages of moves."""
