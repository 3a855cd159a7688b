"""E-mail addresses as accounts are found by them: one spelling an address."""

from __future__ import annotations

import unicodedata

from email_validator import EmailNotValidError, validate_email

from app.core.errors import InputError

MAXIMUM_CHARACTERS = 254


def fold_email(text: str) -> str:
    """Return the one spelling by which an address is stored and found; what is no address just finds nothing.

    Source: RFC 5321, section 2.4, lets local parts differ in case only; no provider of note uses that.
    """
    return unicodedata.normalize("NFC", text.strip()).casefold()[:MAXIMUM_CHARACTERS]


def normalise_email(text: str) -> str:
    """Return an address as a new account stores it.

    Errors: InputError on field `email` for what is no address by its syntax; the network is not asked.
    Source: RFC 5322 and 6531 as email-validator reads them; local parts beyond ASCII are refused.
    """
    try:
        # test_environment lets the reserved domain .test through.
        checked = validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        raise InputError("Write an e-mail address, such as ada@example.com.", "email") from None
    return fold_email(checked.normalized)
