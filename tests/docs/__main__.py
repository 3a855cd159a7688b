"""`python -m tests.docs`: write every page that is made from the code."""

from tests.docs.rendering import write_all

write_all()
