"""A forked child takes connections of its own and leaves its parent's alone."""

from __future__ import annotations

import json
import subprocess
import sys

from app.core.config import Settings
from app.web.hosts import Portal
from tests.servers import environment_of


def test_parent_and_child_never_share_a_connection(app: Portal, instance: Settings) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "tests.isolation.forked"],
        env=environment_of(instance),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    before, child, after = [json.loads(line) for line in result.stdout.splitlines()]
    assert [one["side"] for one in (before, child, after)] == ["parent before", "child", "parent after"]
    assert child["pid"] != before["pid"] == after["pid"]
