"""Undo: a removal is done at once, and the next page offers the form that takes it back."""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import session

_SLOT = "tenants_undo"


@dataclass(frozen=True)
class Undo:
    """What was removed, and the form that brings it back: where it is sent and with which fields."""

    message: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)


def offer_undo(undo: Undo) -> None:
    """Keep an undo for the next page that this visitor opens."""
    session[_SLOT] = {"message": undo.message, "action": undo.action, "fields": undo.fields}


def take_undo() -> Undo | None:
    """Return the undo to offer on this page, once."""
    kept = session.pop(_SLOT, None)
    return None if kept is None else Undo(**kept)
