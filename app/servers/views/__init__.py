"""The pages of servers."""
