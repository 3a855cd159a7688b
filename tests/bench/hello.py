"""The least that Flask can answer, under the same gunicorn: what a page cannot go below."""

from __future__ import annotations

from flask import Flask

app = Flask(__name__)


@app.get("/")
def show_hello() -> str:
    """Say hello."""
    return "Hello"
