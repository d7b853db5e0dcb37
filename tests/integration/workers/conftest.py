"""The hub of `tests.integration.hub`, for tests of processes."""

from tests.integration.hub.conftest import catalogue, feed, pipeline

__all__ = ["catalogue", "feed", "pipeline"]
