"""Finding the links in a mail's text that may be followed from the mailbox: those to our own hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"https?://[^\s<>\"']+")
_ENDS_A_SENTENCE = ".,;:!?)]"


@dataclass(frozen=True)
class Span:
    """A stretch of text; `href` is set where it is a link that may be followed."""

    text: str
    href: str | None = None


def split_links(text: str, base_domain: str) -> Iterator[Span]:
    """Cut a text into plain stretches and links to the base domain or a host below it; nothing is lost.

    Another host's address stays plain text: a mail's text holds names that people chose.
    """
    end = 0
    for match in _ADDRESS.finditer(text):
        address = match.group().rstrip(_ENDS_A_SENTENCE)
        if not _is_ours(address, base_domain):
            continue
        if match.start() > end:
            yield Span(text[end : match.start()])
        yield Span(address, address)
        end = match.start() + len(address)
    if end < len(text):
        yield Span(text[end:])


def _is_ours(address: str, base_domain: str) -> bool:
    try:
        parts = urlsplit(address)
        netloc = parts.netloc.lower()
    except ValueError:
        return False
    return netloc == base_domain.lower() or netloc.endswith(f".{base_domain.lower()}")
