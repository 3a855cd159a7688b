"""What every command shares: one clear sentence on bad input, and the same facts as text or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from app.core.errors import TenantryError

as_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


def one_sentence(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the product's errors into one sentence on standard error and exit code 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except TenantryError as error:
            click.echo(describe(error), err=True)
            sys.exit(1)

    return run


def describe(error: TenantryError) -> str:
    """Return the sentence for a person at a shell: a note on the error knows more than the sentence for a page."""
    notes: list[str] = getattr(error, "__notes__", [])
    return " ".join(notes) or str(error)


def print_result(facts: Any, *, as_json: bool, text: str) -> None:
    """Print facts as JSON for scripts, or the text for people."""
    click.echo(json.dumps(facts, default=str) if as_json else text)
