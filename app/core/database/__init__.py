"""PostgreSQL: the dialect, engines by login, sessions by scope, tables by home, and transactions."""
