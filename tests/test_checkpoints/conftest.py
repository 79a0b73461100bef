"""Reference checkpoints: made here, and given by the environment."""

import os
from pathlib import Path

import pytest
import torch

from .reference_models import HighResolution, SimpleBaseline, randomised

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True, scope='session')
def registered():
    """Models are known to MMPose's registry."""
    import mmpose.models  # noqa: F401


@pytest.fixture(autouse=True)
def one_thread():
    """Small models, and other processes beside them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='session')
def given() -> Path:
    """The folder of checkpoints that the reference architecture answered."""
    default = ROOT.parent / 'shared' / 'reference_checkpoints'
    named = os.environ.get('OCCLUSION_REFERENCE_CHECKPOINTS')
    folder = (ROOT / named) if named else default
    if not folder.is_dir():
        if named:
            pytest.fail(f'OCCLUSION_REFERENCE_CHECKPOINTS: no folder {folder}')
        pytest.skip('OCCLUSION_REFERENCE_CHECKPOINTS is not set')
    return folder


@pytest.fixture(scope='session')
def resnet() -> SimpleBaseline:
    """A ResNet-18 with narrow deconvolutions."""
    return randomised(SimpleBaseline, 18, 17, (16, 16, 16))


@pytest.fixture(scope='session')
def hrnet() -> HighResolution:
    """A narrow, shallow HRNet."""
    return randomised(HighResolution, 4, 16, (1, 1, 2), (1, 1, 2, 1))


@pytest.fixture
def write(tmp_path):
    """Write an object with ``torch.save``."""

    def _write(obj, name='checkpoint.pth', **options) -> Path:
        path = tmp_path / name
        torch.save(obj, path, **options)
        return path

    return _write
