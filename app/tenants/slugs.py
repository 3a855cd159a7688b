"""Slugs: which names a tenant's host may have, which of them look alike, and which are the platform's own."""

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Final

from app.core.errors import InputError

SLUG_MINIMUM_CHARACTERS: Final = 2
# The platform's own tenants, with which it tries its isolation; nobody signs up beside them.
CANARY_PREFIX: Final = "isolation-canary-"
SLUG_MAXIMUM_CHARACTERS: Final = 63
# Each m becomes two letters.
SKELETON_MAXIMUM_CHARACTERS: Final = 2 * SLUG_MAXIMUM_CHARACTERS

_RESERVED_LIST: Final = Path(__file__).with_name("reserved_slugs.txt")

# What a slug must not contain, in the order in which a person would put it right.
_FAULTS: Final = (
    (re.compile(r"\A\Z"), "Choose a name for the address."),
    (re.compile(r"[^a-z0-9-]"), "Use only the letters a to z, digits and hyphens."),
    (re.compile(rf"\A.{{0,{SLUG_MINIMUM_CHARACTERS - 1}}}\Z"), f"Use at least {SLUG_MINIMUM_CHARACTERS} characters."),
    (re.compile(rf".{{{SLUG_MAXIMUM_CHARACTERS + 1}}}"), f"Use at most {SLUG_MAXIMUM_CHARACTERS} characters."),
    (re.compile(r"\A-|-\Z"), "Begin and end with a letter or a digit."),
    (
        re.compile(r"\A..--"),
        "Do not put two hyphens in the third and fourth place: such names are for other alphabets.",
    ),
    (re.compile(r"\A[0-9]+\Z"), "Use at least one letter."),
)
_RESERVED_MESSAGE = "This name is reserved, or looks like one that is. Choose another."

# The three lines of confusables.txt whose source can stand in a slug; upper-case I and the marks cannot.
_CONFUSABLES: Final = str.maketrans({"0": "O", "1": "l", "m": "rn"})

# Letters that Unicode does not take apart into a Latin letter and a mark.
_LATIN_LETTERS: Final = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i", "&": " and "}
    | dict.fromkeys("'’ʼ`´", "")
)


def check_slug(text: str) -> str:
    """Return the slug that a person typed, in its one spelling: without outer spaces, in lower case.

    Shape: a DNS label of 2 to 63 letters, digits and inner hyphens, with at least one letter or hyphen.
    Errors: InputError on field `slug`, one sentence for the first fault; a reserved slug is one too.
    Source: RFC 1123, section 2.1 (a digit may begin it); RFC 5891, section 4.2.3.1 (third and fourth place).
    """
    slug = text.strip()
    # Only ASCII is lowered: lower() would turn the Kelvin sign into a k and let a look-alike in unseen.
    slug = slug.lower() if slug.isascii() else slug
    for fault, message in _FAULTS:
        if fault.search(slug):
            raise InputError(message, field="slug")
    if is_reserved(slug):
        raise InputError(_RESERVED_MESSAGE, field="slug")
    return slug


def skeleton(slug: str) -> str:
    """Return the form that a slug shares with every other that looks like it.

    Case is folded after the mapping, since hosts have none: 0 becomes O, which is o. Hyphens stay: ac-me and acme are
    two names that people can tell apart. What UTS 39 keeps apart (1 and i, vv and w) stays apart. The result is for
    comparison, never for show; it is stored, so a change here needs a migration that computes it anew.

    Shape: `slug` as `check_slug` returns it; at most SKELETON_MAXIMUM_CHARACTERS.
    Source: UTS 39, section 4, confusables.txt of Unicode 17.0.0. Three of its sources can stand in a slug, so a table
    of three serves: confusable-homoglyphs and confusables on PyPI compute no skeleton, and ICU brings 40 MB. Equality
    with ICU 78 before the fold was checked on 200,000 random slugs.
    """
    return slug.translate(_CONFUSABLES).casefold()


def is_reserved(slug: str) -> bool:
    """Tell whether a slug is the platform's own or looks like one that is."""
    return skeleton(slug) in _load_reserved_skeletons() or skeleton(slug).startswith(_CANARY_SKELETON)


def suggest_slug(name: str) -> str:
    """Return a slug made from a tenant's name, or an empty text when none can be made.

    Whether it is free is not known here.
    """
    letters = unicodedata.normalize("NFKD", name).casefold().translate(_LATIN_LETTERS)
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    candidate = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:SLUG_MAXIMUM_CHARACTERS].rstrip("-")
    try:
        return check_slug(candidate)
    except InputError:
        return ""


_CANARY_SKELETON: Final = skeleton(CANARY_PREFIX)


@cache
def _load_reserved_skeletons() -> frozenset[str]:
    lines = _RESERVED_LIST.read_text(encoding="utf-8").splitlines()
    return frozenset(skeleton(slug) for line in lines for slug in line.partition("#")[0].split())
