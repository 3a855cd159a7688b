"""The bare cluster on which the demo's second server is tried."""

from tests.servers.conftest import bare_superuser_url, bare_url

__all__ = ["bare_superuser_url", "bare_url"]
