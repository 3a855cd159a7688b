"""`python -m app.instance`: what `make run`, `make migrate` and `make demo` call."""

import sys

from app.instance.run import main

sys.exit(main(sys.argv[1:]))
