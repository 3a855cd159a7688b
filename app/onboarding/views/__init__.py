"""One room a surface."""
