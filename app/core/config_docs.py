"""docs/configuration.md, rendered from the fields of the settings."""

from __future__ import annotations

from typing import Any

from app.core.config import INSTANCE_FILE, Settings

# A test holds this list to what a production environment without them is refused for.
NEEDED_IN_PRODUCTION = (
    "SECRET_KEY",
    "DATABASE_PLATFORM_URL",
    "DATABASE_TENANT_URL",
    "REDIS_URL",
    "SMTP_URL",
    "ISOLATION_SIGNING_KEY",
    "ROOT_KEY_FILE",
)

_HEAD = """# Configuration

Every setting is an environment variable. They are read once, when a process starts, and checked as a whole: a value
that cannot be used ends the start with one sentence that names the variable and never its value. An empty variable
counts as absent, and a variable that is not in the table is ignored.

This page is rendered from the fields of `Settings` in [app/core/config.py](../app/core/config.py): change the field,
then run `flask --app wsgi docs configuration`.

| variable | value | default | what it does |
|---|---|---|---|"""

_TAIL = f"""
A *secret* is never shown in a log, an error or a page. A *switch* takes `1` or `0`.

## In production

With `TENANTRY_ENV=production` nothing is derived, embedded or made up. A process starts only with `URL_SCHEME=https`
and with all of these:

{chr(10).join(f"- `{name}`" for name in NEEDED_IN_PRODUCTION)}

The migrate command and the worker of queue `operations` need `DATABASE_URL` as well, and nobody else should have it.
[deployment.md](deployment.md) says how to make each value.

## In development

`make run` makes what is missing: secrets and passwords under `VAR_DIR/secrets`, an embedded PostgreSQL unless
`DATABASE_URL` names one, an embedded Redis unless `REDIS_URL` does. `BASE_DOMAIN` follows `PORT` unless it is given.
While it runs, its values lie in `VAR_DIR/{INSTANCE_FILE}` without the owner's login, and every command that is run with
the same `VAR_DIR` reads there what its own environment leaves open. So `flask --app wsgi tenant list` in another shell
finds the running instance; without one it says so. What the environment gives always wins.
"""


def render_configuration() -> str:
    """Return the page that lists every setting in the order of its declaration."""
    schema = Settings.model_json_schema()
    rows = [_row(name, field, schema["$defs"]) for name, field in schema["properties"].items()]
    return "\n".join([_HEAD, *rows, _TAIL])


def _row(name: str, field: dict[str, Any], definitions: dict[str, Any]) -> str:
    default = _code(_text_of(field["default"])) if field["default"] is not None else "none"
    return f"| `{name}` | {_kind(field, definitions)} | {default} | {_cell(field['description'])} |"


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Say in words what a field takes."""
    if "$ref" in field:
        return " or ".join(_code(word) for word in definitions[field["$ref"].rpartition("/")[2]]["enum"])
    if "anyOf" in field:
        return "secret" if field["anyOf"][0].get("writeOnly") else "text"
    if field["type"] == "integer":
        upper = f" to {field['maximum']}" if "maximum" in field else " or more"
        return f"whole number, {field['minimum']}{upper}"
    if "pattern" in field:
        return f"text like {_code(field['pattern'])}"
    return {"boolean": "switch", "string": "folder" if field.get("format") == "path" else "text"}[field["type"]]


def _text_of(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    # A bare bar would end the cell.
    return text.replace("|", r"\|")
