"""The demo members' password: derived from this instance's secret, so it is nowhere written and always the same."""

from __future__ import annotations

import base64

from app.core.config import root_secret
from app.core.runtime import current_settings
from app.core.secrets import derive_key


def demo_password() -> str:
    """Return the password of every demo member of this instance."""
    key = derive_key(root_secret(current_settings()), "demo")
    return base64.b32encode(key[:10]).decode().lower()
