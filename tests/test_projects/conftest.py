"""The tools, run inside the test process."""

from tests.test_tools.conftest import tool  # noqa: F401
