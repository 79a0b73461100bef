"""Fixtures of the commands' tests."""

from tests.test_tools.conftest import (  # noqa: F401
    checkpoint,
    config,
    tool,
    trained,
)
