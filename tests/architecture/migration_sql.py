"""Every migration as the SQL that it runs, judged by squawk: `python -m tests.architecture.migration_sql`."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic import command

from app.core.database.migrate import tree_config
from app.core.database.versions import TREES
from app.core.tenancy.ddl import Roles
from tests.architecture.source import ROOT


def write_migrations(folder: Path) -> list[Path]:
    """Write each tree as SQL."""
    paths = []
    for tree, schema in dict(TREES).items():
        config = tree_config(None, Roles("tenantry"), tree, schema)
        config.output_buffer = io.StringIO()
        command.upgrade(config, "head", sql=True)
        paths.append(folder / f"{tree}.sql")
        paths[-1].write_text(config.output_buffer.getvalue())
    return paths


def judge(paths: list[Path]) -> subprocess.CompletedProcess[str]:
    """Let squawk read files of SQL."""
    squawk = Path(sys.executable).with_name("squawk")
    command_line = [str(squawk), "--config", str(ROOT / ".squawk.toml"), *map(str, paths)]
    return subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        done = judge(write_migrations(Path(place)))
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
