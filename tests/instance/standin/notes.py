"""What the stand-ins saw, left where a test can read it."""

import json
import os
import signal
from pathlib import Path


def note(name):
    """Write the environment down; do then what the test wants to happen at this point."""
    folder = Path(os.environ["VAR_DIR"]) / "seen"
    folder.mkdir(exist_ok=True)
    draft = folder / f".{name}"
    draft.write_text(json.dumps(dict(os.environ) | {"pid": os.getpid()}))
    draft.rename(folder / name)
    if os.environ.get("STANDIN_HANGS") == name:
        signal.pause()
    if os.environ.get("STANDIN_FAILS") == name:
        raise SystemExit(3)
