"""Reference checkpoints, and tools in this process."""

import sys
from pathlib import Path

from tests.test_checkpoints.conftest import (  # noqa: F401
    given,
    hrnet,
    one_thread,
    registered,
    resnet,
    write,
)
from tests.test_tools.conftest import tool  # noqa: F401

TOOLS = str(Path(__file__).resolve().parents[2] / 'tools')
if TOOLS not in sys.path:
    sys.path.append(TOOLS)
