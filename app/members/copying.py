"""What a copy of a tenant does with members: who they are is masked, and nothing by which they got in goes along."""

from __future__ import annotations

from app.core.copy_rules import TableRule, masked, register_copy_rule, renewed

# No mail ever reaches an address of this domain. Source: RFC 2606, section 2.
MASK_DOMAIN = "masked.invalid"
_DIGITS = "right(id::text, 8)"

_MEMBERS = {
    "email": masked(f"'member-' || replace(id::text, '-', '') || '@{MASK_DOMAIN}'"),
    "name": masked(f"'Member ' || {_DIGITS}"),
    "name_search": masked(f"'member ' || {_DIGITS}"),
    "password_hash": renewed("null::text"),
    "link_serial": renewed("0::bigint"),
    "link_purpose": renewed("null::text"),
    "link_expires_at": renewed("null::timestamptz"),
    "link_used_at": renewed("null::timestamptz"),
    "last_signed_in_at": renewed("null::timestamptz"),
}


def declare_rules() -> None:
    """Declare the rule of each of this feature's tables."""
    words = "Without passwords and links; names and e-mail addresses are masked, unless you keep them."
    register_copy_rule(TableRule("members", "Members", words, columns=_MEMBERS))
    register_copy_rule(TableRule("roles", "Roles", "Copied as they are."))
    register_copy_rule(TableRule("member_sessions", "Sessions", "Nobody is signed in.", is_emptied=True))
    register_copy_rule(TableRule("member_throttles", "Failed sign-ins", "Counted anew.", is_emptied=True))
