"""The product's packages without its composition root, which takes a second to import and which no supervisor calls."""

from pathlib import Path

__path__ = [str(Path(__file__).parents[4] / "app")]
