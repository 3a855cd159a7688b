"""The checklist of a new workspace: it knows by itself what is done."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ChecklistItem:
    """One thing to do, where it is done, and whether it is."""

    title: str
    text: str
    endpoint: str
    action: str
    done: bool


def build_checklist(*, members_count: int, active_count: int, settings_changed: bool) -> list[ChecklistItem]:
    """Return what brings an owner to a working workspace."""
    return [
        ChecklistItem("Set up your sign-in", "You are in.", "members_tenant.show_profile", "Open", done=True),
        ChecklistItem(
            "Check the workspace’s settings",
            "Its name, time zone and what members see first.",
            "settings_tenant.edit_workspace",
            "Open settings",
            done=settings_changed,
        ),
        ChecklistItem(
            "Invite a member",
            "They get a mail and choose a password of their own.",
            "members_tenant.new_invitation",
            "Invite",
            done=members_count > 1,
        ),
        ChecklistItem(
            "See a member sign in",
            "It is done once somebody has accepted an invitation.",
            "members_tenant.list_members",
            "See members",
            done=active_count > 1,
        ),
    ]
