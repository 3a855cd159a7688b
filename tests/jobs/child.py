"""The real worker.py with the toy kinds declared: `python -m tests.jobs.child default|operations|dispatcher`."""

import sys

import tests.jobs.toys  # noqa: F401  # Importing it declares the toys.
import worker

if __name__ == "__main__":
    sys.exit(worker.main(sys.argv[1:]))
