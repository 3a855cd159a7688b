"""The benchmark: what tenancy costs a page, how a list grows, how long onboarding takes; `make bench [ONLY=name]`.

One room a question (`pages`, `one_query`, `tenant_list`, `onboarding`, `round_trips`); `stage` holds servers, databases
and web servers, `unscoped` the same application without tenancy, `rounds` how a side is measured.
"""
