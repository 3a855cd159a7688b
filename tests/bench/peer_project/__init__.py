"""The peer that the benchmark measures against: django-tenants 4 with the product's own tables and the same page.

It runs in an environment of its own, with this folder on its path; nothing of the product is imported here, and nothing
from here by the product. `settings` is Django's, `shared` holds the tables of all tenants, `workspace` those of one,
`pages` the page, `driver` does what it is told on standard input.
"""
