"""Becomes another program that dies with its parent and holds the lock of its pid file; run as a script, stdlib only.

A script of its own, because a function between fork and exec is unsafe once the parent has threads.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Write the pid, drop root, tie the process to its parent, become the program.

    Shape: lock descriptor, death signal, parent's pid, uid, gid (negative: stay who we are), then the command.
    """
    descriptor, death_signal, parent, uid, gid = (int(argument) for argument in arguments[:5])
    command = arguments[5:]
    os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    die_with_parent(parent, death_signal)
    os.set_inheritable(descriptor, True)
    try:
        os.execv(command[0], command)  # noqa: S606  # No shell is wanted; the caller names the program.
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}.")


def die_with_parent(parent: int, death_signal: int) -> None:
    """Have the system send this process a signal when its parent has gone.

    Changing the uid clears the setting. Systems other than Linux have none: there the next start ends what was left.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("The supervisor ended before its child began.")


if __name__ == "__main__":
    main(sys.argv[1:])
