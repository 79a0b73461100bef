"""What the tests of the benchmark share."""

from collections.abc import Iterator

import pytest
from mmengine.registry import DefaultScope


@pytest.fixture(scope='module')
def scope() -> Iterator[None]:
    """Names in configs are MMPose's, as in a runner."""
    import mmpose.datasets
    import mmpose.evaluation
    import mmpose.models  # noqa: F401

    with DefaultScope.overwrite_default_scope('mmpose'):
        yield
