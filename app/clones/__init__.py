"""Clones: a new tenant made from one moment's state of another, which works on undisturbed.

The copy engine of moves carries the rows; the features' *copy rules* say what they hold in the copy, and a table that
nobody declared refuses it. A clone has an owner of its own and, as a rule, a day on which it is closed. Public
services: start_clone, change_expiry, watch_clones.
"""
