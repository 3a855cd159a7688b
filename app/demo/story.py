"""What happened in the demo's month: who was onboarded when, who joined, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass

from app.core.tenancy.scopes import Tier


@dataclass(frozen=True)
class Person:
    """A member: invited so many days ago, and where they are today."""

    name: str
    role: str = "member"
    invited_days_ago: int = 20
    accepts: bool = True
    leaves_days_ago: int | None = None

    def email(self, slug: str) -> str:
        return f"{self.name.split()[0].lower()}@{slug}.example"


@dataclass(frozen=True)
class TenantStory:
    """A tenant: onboarded so many days ago, by whom it is run, who joined, and a pause if it had one.

    `annex_tier` is how its home is set apart on the demo's second server, where there is one.
    """

    slug: str
    name: str
    plan: str
    owner: Person
    days_ago: int
    people: tuple[Person, ...] = ()
    tags: tuple[str, ...] = ()
    note: str = ""
    welcome: str = ""
    suspended_days_ago: int | None = None
    suspension_reason: str = ""
    reactivated_days_ago: int | None = None
    archived_days_ago: int | None = None
    annex_tier: Tier | None = None


STORIES = (
    TenantStory(
        slug="acme",
        name="Acme",
        plan="team",
        owner=Person("Bob Anderson", "owner", 30),
        days_ago=30,
        people=(
            Person("Alice Baker", "admin", 29),
            Person("Dan Cooper", invited_days_ago=27),
            Person("Erin Doyle", invited_days_ago=24),
            Person("Frank Ellis", invited_days_ago=18),
            Person("Grace Flores", "admin", 12),
            Person("Heidi Grant", invited_days_ago=2, accepts=False),
            Person("Ivan Hughes", invited_days_ago=22, leaves_days_ago=5),
        ),
        tags=("design-partner", "priority"),
        note="Wants a home of its own before the audit in spring.",
        welcome="Welcome to Acme. New here? Ask Alice for a tour.",
    ),
    TenantStory(
        slug="globex",
        name="Globex",
        plan="enterprise",
        owner=Person("Carol Jensen", "owner", 26),
        days_ago=26,
        people=(
            Person("Judy Keller", "admin", 25),
            Person("Niaj Lowe", invited_days_ago=20),
            Person("Olivia Moss", invited_days_ago=3, accepts=False),
        ),
        tags=("priority",),
        note="Purchase order 4711 covers the year.",
        welcome="Welcome to Globex.",
        suspended_days_ago=9,
        suspension_reason="The invoice of last month was unpaid.",
        reactivated_days_ago=8,
        annex_tier=Tier.DATABASE,
    ),
    TenantStory(
        slug="initech",
        name="Initech",
        plan="starter",
        owner=Person("Peter Novak", "owner", 15),
        days_ago=15,
        tags=("trial",),
        annex_tier=Tier.SCHEMA,
    ),
    TenantStory(
        slug="hooli",
        name="Hooli",
        plan="team",
        owner=Person("Gina Ortiz", "owner", 21),
        days_ago=21,
        suspended_days_ago=4,
        suspension_reason="Under review after complaints about spam.",
    ),
    TenantStory(
        slug="vandelay",
        name="Vandelay Industries",
        plan="starter",
        owner=Person("Art Price", "owner", 28),
        days_ago=28,
        tags=("trial",),
        archived_days_ago=7,
    ),
)
