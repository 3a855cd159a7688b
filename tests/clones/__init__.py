"""Clones: a new tenant from one moment's state of another."""
