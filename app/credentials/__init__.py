"""Credentials: how staff and members prove who they are, with no knowledge of either.

A *password* is hashed with argon2id and checked against one policy when it is set. A *link* carries a derived token:
whoever holds the link key can make the same one again, so none is stored; its row holds the *serial* that voids older
links, the expiry and the moment of use. *Session limits* say when a session ends, *throttles* how long an account or
an address waits after failures. `passwords`, `links` and `rules` only compute; `link_rows`, `sessions` and `throttles`
hold the columns that the tables of staff and of members share, and work on whichever table they are given.
"""
