"""Run this tree's migrations; the shared environment knows how."""

from app.core.database.migrate import run_environment

run_environment()
