"""The project's modules, reference checkpoints, and tools in this process."""

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

PROJECT = Path(__file__).resolve().parents[2] / 'projects/tilting_at_windmills'
for folder in (PROJECT, PROJECT.parents[1] / 'tools'):
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
