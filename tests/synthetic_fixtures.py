"""Fixtures that draw small sets of synthetic people."""

from pathlib import Path

import pytest

from mmpose_occlusion.datasets.synthetic_people import generate


@pytest.fixture(scope='session')
def synthetic_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Root of a set of 16 pictures to train on and 8 to test on.

    Its files are shared by the whole session: read them, don't write them.
    """
    root = tmp_path_factory.mktemp('synthetic') / 'synthetic_people'
    return generate(root, train=16, val=8, seed=0, workers=0)
