"""A process behind the queue: `python worker.py default|operations|dispatcher`."""

from __future__ import annotations

import sys

from app import create_app
from app.core.commands import describe
from app.core.errors import TenantryError
from app.core.jobs import Queue
from app.jobs.worker import dispatch, work


def main(arguments: list[str]) -> int:
    """Run the named process until it is told to stop; return the exit code."""
    names = [queue.value for queue in Queue] + ["dispatcher"]
    if len(arguments) != 1 or arguments[0] not in names:
        sys.stderr.write(f"usage: python worker.py {'|'.join(names)}\n")
        return 2
    try:
        app = create_app(polls=False)
        with app.app_context():
            if arguments[0] == "dispatcher":
                dispatch(app.extensions["tenantry_settings"])
            else:
                work(Queue(arguments[0]))
    except TenantryError as error:
        sys.stderr.write(f"{describe(error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
