"""The pages and parts of pages that are made from the code; `python -m tests.docs` writes them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import FunctionType

import app
from app.core.config_docs import render_configuration
from app.core.permissions import Permission
from app.credentials.grants import RoleColumn, list_grants
from app.members.roles import BUILT_IN_ROLES
from app.staff.roles import StaffRole
from app.tenants.actions import ACTIONS, StatusAction
from app.tenants.status import EFFECTS, TRANSITIONS, TenantStatus

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
BEGIN, END = "<!-- rendered: status -->", "<!-- end of what is rendered -->"

PERMISSIONS_HEAD = """# Permissions

Who may do what. A view declares the permission that it needs with `@require`, a role gives permissions, and what is
not given is denied. A role of the platform gives nothing inside a tenant, a role of a tenant nothing on the platform.

This page is rendered from the vocabulary in [app/core/permissions.py](../app/core/permissions.py) and from the roles:
change those, then run `.venv/bin/python -m tests.docs`.
"""
UNAUDITED_HEAD = """# Services without an audit event

Every service that changes something records an audit event in the transaction of the change, or says why it does not
with `@unaudited("reason")`. These are all that say so, with their reasons. Most of them are parts of a use case whose
event another service records.

This page is rendered from the code: change the reason there, then run `.venv/bin/python -m tests.docs`.
"""


def render_permissions() -> str:
    """Return the page of roles and permissions."""
    staff = [RoleColumn(role.label, role.permissions) for role in StaffRole]
    members = [RoleColumn(role.name, role.permissions) for role in BUILT_IN_ROLES]
    ours = [item for item in Permission if not item.startswith("workspace:")]
    theirs = [item for item in Permission if item.startswith("workspace:")]
    return (
        f"{PERMISSIONS_HEAD}\n## On the platform: staff users\n\n{_grants(ours, staff)}\n"
        f"## In a tenant: members\n\n{_grants(theirs, members)}\n"
        "Only an owner gives or takes the owner's role, whatever the table says of admins. The last active owner and\n"
        "the last active platform admin stay what they are.\n"
    )


def render_unaudited() -> str:
    """Return the page of the services that record no event."""
    rows = [
        (f"`{service.__module__}.{service.__qualname__}`", _first_line(service), service.unaudited_because)
        for service in sorted(_unaudited_services(), key=lambda service: (service.__module__, service.__qualname__))
    ]
    return f"{UNAUDITED_HEAD}\n{table(('service', 'what it does', 'why it records no event'), rows)}"


def render_status() -> str:
    """Return the diagram and the tables of a tenant's status."""
    return f"""{BEGIN}

{_diagram()}

{table(("status", "may become"), [(_code(start), _codes(ends) or "nothing") for start, ends in TRANSITIONS.items()])}
What each status means for those who work there:

{table(("status", "the tenant's portal", "its API", "its jobs"), [_effect(status) for status in EFFECTS])}
What staff can do about it:

{table(("action", "offered while", "leads to", "needs"), [_action(action) for action in ACTIONS])}
{END}"""


RENDERED: dict[str, Callable[[], str]] = {
    "configuration.md": render_configuration,
    "permissions.md": render_permissions,
    "unaudited.md": render_unaudited,
}


def write_all(folder: Path = DOCS) -> None:
    """Write every rendered page, and the rendered part of tenants.md."""
    for name, render in RENDERED.items():
        (folder / name).write_text(render())
    page = folder / "tenants.md"
    before, _, rest = page.read_text().partition(BEGIN)
    page.write_text(before + render_status() + rest.partition(END)[2])


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _diagram() -> str:
    begins = [f"    [*] --> {status}" for status in (TenantStatus.REQUESTED, TenantStatus.PROVISIONING)]
    arrows = [f"    {start} --> {end}" for start, ends in TRANSITIONS.items() for end in sorted(ends)]
    ends = [f"    {start} --> [*]" for start, ends in TRANSITIONS.items() if not ends]
    return "\n".join(["```mermaid", "stateDiagram-v2", *begins, *arrows, *ends, "```"])


def _effect(status: TenantStatus) -> tuple[str, ...]:
    return _code(status), EFFECTS[status].portal, EFFECTS[status].api, EFFECTS[status].jobs


def _action(action: StatusAction) -> tuple[str, ...]:
    return action.verb, _codes(action.offered_in), _code(action.leads_to), _code(action.permission)


def _grants(permissions: Sequence[Permission], roles: Sequence[RoleColumn]) -> str:
    lines = list_grants(permissions, roles)
    heads = ("permission", "what it allows", *(role.name for role in roles))
    rows = [(f"`{line.code}`", line.words, *("yes" if given else "–" for given in line.given)) for line in lines]
    return table(heads, rows)


def _unaudited_services() -> Iterator[FunctionType]:
    for found in pkgutil.walk_packages(app.__path__, "app."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for _, function in inspect.getmembers(module, inspect.isfunction):
            if function.__module__ == found.name and hasattr(function, "unaudited_because"):
                yield function


def _codes(words: Iterable[str]) -> str:
    return ", ".join(_code(word) for word in sorted(words))


def _code(word: str) -> str:
    return f"`{word}`"


def _first_line(function: FunctionType) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]
