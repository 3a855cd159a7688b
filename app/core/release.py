"""Which release of the product this is; pyproject.toml says the same, kept by a test."""

from typing import Final

RELEASE: Final = "0.1.0"
