"""Keys in words."""

from __future__ import annotations

from typing import Final

from app.core.encryption.keys import KeyPurpose, KeyState

PURPOSES: Final = {
    KeyPurpose.AUDIT: ("Audit", "Sensitive values in the audit trail; older versions go on opening them."),
    KeyPurpose.BACKUPS: ("Backups", "Backups; older versions open them for as long as they are kept."),
    KeyPurpose.BLIND_INDEX: ("Search", "Finds encrypted values by exact search, and keeps them unique."),
    KeyPurpose.FIELDS: ("Fields", "Personal and secret values in the database."),
    KeyPurpose.FILES: ("Files", "Files; older versions open those that were written with them."),
}
STATES: Final = {
    KeyState.ACTIVE: ("Active", "success"),
    KeyState.COMPROMISED: ("Compromised", "danger"),
    KeyState.DECRYPT_ONLY: ("Opens only", "info"),
    KeyState.DESTROYED: ("Destroyed", "neutral"),
    KeyState.PRE_ACTIVE: ("Awaits its turn", "info"),
    KeyState.RETIRED: ("Retired", "neutral"),
}
