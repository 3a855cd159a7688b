"""Facts for show: labels, units and values that nobody expected."""

from __future__ import annotations

import pytest

from app.core import clock
from app.tenants.facts import format_bytes, list_fact_lines
from app.tenants.models import TenantFact


def line(key, value):
    """Return the label and the value of one fact for show."""
    (found,) = list_fact_lines({key: TenantFact(key=key, value=value, as_of=clock.now())})
    return found.label, found.value, found.at is not None


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("members_count", 1_204, ("Members", "1,204", False)),
        ("storage_bytes", 1_536, ("Storage", "1.5 KiB", False)),
        ("home_version", "0002", ("Home version", "0002", False)),
        ("last_sign_in_at", "2026-05-14T09:30:00+00:00", ("Last sign in", "2026-05-14T09:30:00+00:00", True)),
        ("last_sign_in_at", "long ago", ("Last sign in", "long ago", False)),
        ("last_sign_in_at", None, ("Last sign in", "–", False)),
        ("sso", True, ("Sso", "Yes", False)),
        ("count", 3, ("Count", "3", False)),
    ],
)
def test_a_suffix_says_the_unit(key, value, shown):
    assert line(key, value) == shown


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1_023, "1023 bytes"), (1_024, "1.0 KiB"), (1024**3, "1.0 GiB"), (3 * 1024**5, "3072.0 TiB")],
)
def test_sizes_are_read_in_steps_of_1024(count, text):
    assert format_bytes(count) == text
