"""The kinds of mail, alphabetical; each has a folder in templates/emails and a composer in a feature."""

from enum import StrEnum


class MailName(StrEnum):
    """The name of a kind of mail."""

    CLONE_EXPIRY = "clone-expiry"
    MEMBER_INVITATION = "member-invitation"
    MEMBER_PASSWORD_RESET = "member-password-reset"  # noqa: S105  # The name of a mail.
    SIGN_UP_CONFIRMATION = "sign-up-confirmation"
    STAFF_PASSWORD_RESET = "staff-password-reset"  # noqa: S105  # The name of a mail.
    STAFF_SIGN_IN = "staff-sign-in"
