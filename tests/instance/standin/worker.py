"""A stand-in for the workers: it notes what it was given and waits for its end."""

import json
import signal
import sys

from notes import note

note(sys.argv[1])
print(json.dumps({"event": "works", "level": "info"}), file=sys.stderr)
signal.pause()
