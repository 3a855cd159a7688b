"""Passwords: the policy for a new one, its hash, and the check of one that was typed."""

import re
import string
import unicodedata
from base64 import b64encode
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from secrets import token_bytes
from typing import Final

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import RFC_9106_LOW_MEMORY

from app.core.errors import InputError

MINIMUM_CHARACTERS: Final = 12
MAXIMUM_CHARACTERS: Final = 128

# 64 MiB, 3 passes, 4 lanes: 0.15 s on two cores. A block that large goes back to the system at once, whereas four
# threads at OWASP's 19 MiB left 76 MiB in the worker (measured, glibc).
PASSWORD_COST: Final = RFC_9106_LOW_MEMORY

# NFKC can shorten a text that was typed in decomposed form, so the bound before it is wider than the policy's.
_MAXIMUM_TYPED_CHARACTERS: Final = 4 * MAXIMUM_CHARACTERS

_SERVICE_NAME: Final = "tenantry"
_COMMON_PASSWORDS: Final = Path(__file__).with_name("common_passwords.txt")
_WORD_CHARACTERS: Final = 4
_PADDING_CHARACTERS: Final = 8
_OWN_CHARACTERS: Final = 8
_DISTINCT_CHARACTERS: Final = 5
_PADDING: Final = string.digits + string.punctuation + " "
_SUBSTITUTIONS: Final[tuple[dict[int, int], ...]] = (
    {},
    str.maketrans("01345789@$!", "oieastbgasi"),
    str.maketrans("01345789@$!", "oleastbgasl"),
)
_RUNS: Final = (
    string.ascii_lowercase,
    "01234567890",
    "`1234567890-=",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    *("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "0p;/"),
    *("2qaz", "3wsx", "4edc", "5rfv", "6tgb", "7yhn", "8ujm", "9ik,", "0ol.", "-p;/"),
)
_UNSHIFT: Final = str.maketrans('~!@#$%^&*()_+{}:"<>?', "`1234567890-=[];',./")
_WALK_SHARE: Final = 0.75

_TOO_SHORT = f"Use at least {MINIMUM_CHARACTERS} characters; a few words that do not belong together work well."
_TOO_LONG = f"Use at most {MAXIMUM_CHARACTERS} characters."
_TOO_PERSONAL = "Do not build the password from your e-mail address, your name or the name of the tenant."
_TOO_COMMON = "This password is easy to guess: many people use it or one like it. Choose another."


def check_password_policy(password: str, *, about: Iterable[str]) -> None:
    """Refuse a new password that is too short, too long, common, or made from what is known of its owner.

    Nothing is asked of its composition. Common means: in the shipped list (common_passwords.txt, under 8,000 entries),
    or a listed word that is repeated, has letters swapped for digits or has up to 8 digits and marks around it, or a
    walk over the keyboard or alphabet, or fewer than 5 different characters. The list is small; it stops the first
    guesses of an attacker, and is no search in the leaked passwords of the world.

    Shape: `about` holds the e-mail address and the names of the person and the tenant, as they are written.
    Units: characters are Unicode code points after NFKC.
    Errors: InputError on field `password`, one sentence.
    Source: NIST SP 800-63B-4, section 3.1.1.2, except that it asks for 15 characters where the password is the
    only factor and we ask for 12.
    """
    # The first bound comes before the normalisation, whose work grows with the text.
    if len(password) > _MAXIMUM_TYPED_CHARACTERS:
        raise InputError(_TOO_LONG, field="password")
    normalised = unicodedata.normalize("NFKC", password)
    if len(normalised) > MAXIMUM_CHARACTERS:
        raise InputError(_TOO_LONG, field="password")
    if len(normalised) < MINIMUM_CHARACTERS:
        raise InputError(_TOO_SHORT, field="password")
    if _is_personal(normalised.casefold(), about):
        raise InputError(_TOO_PERSONAL, field="password")
    if _is_common(normalised.casefold()):
        raise InputError(_TOO_COMMON, field="password")


def hash_password(password: str, *, cost: Parameters = PASSWORD_COST) -> str:
    """Hash a password that the policy has accepted.

    Shape: the encoded form of argon2, which carries its parameters and a random salt of 16 bytes.
    Units: `cost` in KiB, passes and lanes; only tests name another than PASSWORD_COST.
    Errors: ValueError for a text longer than any acceptable password.
    Source: RFC 9106, second recommended option; NFKC by NIST SP 800-63B-4, section 3.1.1.2.
    """
    if len(password) > _MAXIMUM_TYPED_CHARACTERS:
        raise ValueError("a password this long was never accepted")
    return PasswordHasher.from_parameters(cost).hash(_to_bytes(password))


def verify_password(encoded: str | None, password: str, *, cost: Parameters = PASSWORD_COST) -> bool:
    """Tell whether the password is the one that was hashed; `None`, no such account, is false.

    That answer takes the work of a real check at `cost`, so time does not tell which accounts exist.

    Shape: `encoded` as `hash_password` returns it.
    Errors: InvalidHashError or VerificationError of argon2 when a stored hash is damaged or memory runs out; neither
    is a wrong password.
    Source: RFC 9106; OWASP Authentication Cheat Sheet (no account enumeration by time).
    """
    # An overlong text gets the decoy too: it would be cheaper to refuse, and the difference could be seen.
    known = encoded if len(password) <= _MAXIMUM_TYPED_CHARACTERS else None
    try:
        PasswordHasher().verify(known or _make_decoy(cost), _to_bytes(password[:_MAXIMUM_TYPED_CHARACTERS]))
    except VerifyMismatchError:
        return False
    return known is not None


def needs_rehash(encoded: str, *, cost: Parameters = PASSWORD_COST) -> bool:
    """Tell whether a hash was made at another cost, so that the next successful sign-in should replace it."""
    return PasswordHasher.from_parameters(cost).check_needs_rehash(encoded)


def _to_bytes(password: str) -> bytes:
    # A lone surrogate can arrive in JSON; it must be a wrong password, not an exception.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def _make_decoy(cost: Parameters) -> str:
    """Compose a well-formed hash of no password.

    Random bytes in place of a digest: making it needs no argon2 run, so even a process's first unknown account takes
    no longer than a known one.
    """
    salt, digest = (
        b64encode(token_bytes(length_bytes)).rstrip(b"=").decode() for length_bytes in (cost.salt_len, cost.hash_len)
    )
    return f"$argon2id$v={cost.version}$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}${salt}${digest}"


def _is_personal(password: str, about: Iterable[str]) -> bool:
    terms = sorted(_list_terms((*about, _SERVICE_NAME)), key=len, reverse=True)
    return any(_leaves_too_little(_squash(password.translate(table)), terms) for table in _SUBSTITUTIONS)


def _list_terms(about: Iterable[str]) -> set[str]:
    """Return each text without its marks, and its words of at least 4 characters."""
    texts = [unicodedata.normalize("NFKC", text).casefold() for text in about]
    words = {word for text in texts for word in re.split(r"[\W_]+", text)}
    return {word for word in words | {_squash(text) for text in texts} if len(word) >= _WORD_CHARACTERS}


def _leaves_too_little(password: str, terms: list[str]) -> bool:
    rest = password
    for term in terms:
        rest = rest.replace(term, "")
    return rest != password and len(rest) < _OWN_CHARACTERS


def _is_common(password: str) -> bool:
    if len(set(password)) < _DISTINCT_CHARACTERS or _is_walk(password):
        return True
    return any(form in _load_common_passwords() for form in _list_forms(password))


def _is_walk(password: str) -> bool:
    """Tell whether most neighbours in the text are neighbours on the keyboard or in the alphabet, or equal."""
    steps = [one == two or one + two in _list_steps() for one, two in pairwise(password.translate(_UNSHIFT))]
    return sum(steps) >= _WALK_SHARE * len(steps)


@cache
def _list_steps() -> frozenset[str]:
    forward = {one + two for run in _RUNS for one, two in pairwise(run)}
    return frozenset(forward | {step[::-1] for step in forward})


def _list_forms(password: str) -> Iterator[str]:
    """Yield what the password might have been made from: as it is, without padding, with letters put back, once."""
    core = password.strip(_PADDING)
    is_padded = len(core) >= _WORD_CHARACTERS and len(password) - len(core) <= _PADDING_CHARACTERS
    for base in (password, core) if is_padded else (password,):
        yield base
        for table in _SUBSTITUTIONS:
            squashed = _squash(base.translate(table))
            yield squashed
            # A text lies in its own double at the length of its shortest repeated unit.
            yield squashed[: (squashed + squashed).find(squashed, 1)]


@cache
def _load_common_passwords() -> frozenset[str]:
    lines = _COMMON_PASSWORDS.read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _squash(text: str) -> str:
    return re.sub(r"[\W_]+", "", text)
