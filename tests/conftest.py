"""Settings and fixtures shared by all tests."""

import functools
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

# Read by these libraries at import.
os.environ.setdefault('MPLBACKEND', 'Agg')
os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')
if 'PYTEST_XDIST_WORKER' in os.environ:
    os.environ.setdefault('OMP_NUM_THREADS', '1')

from tests.synthetic_fixtures import (  # noqa: F401
    reference_folder,
    synthetic_people,
)

REAL_DATA = 'OCCLUSION_REAL_DATA'
REAL_MODELS = 'OCCLUSION_REAL_MODELS'
SKIP_REASONS = {
    REAL_DATA: f'{REAL_DATA} names no folder of photographs',
    REAL_MODELS: f'{REAL_MODELS} names no folder of models',
    'GPU': 'no GPU, or no -m cuda',
}
"""Word in a skip's reason -> its explanation in the terminal summary."""

settings.register_profile('here', deadline=None, database=None)
settings.register_profile(
    'ci', deadline=None, database=None, derandomize=True, print_blob=True
)
settings.load_profile('ci' if os.environ.get('CI') else 'here')


def pytest_collection_finish() -> None:
    """Leave what is imported by now out of garbage collections: MMEngine asks
    for one with each data set that it builds, which took a third of a second.
    """
    gc.collect()
    gc.freeze()


def pytest_configure(config: pytest.Config) -> None:
    """Hide the GPU, but from ``-m cuda``: many tests fork processes, which
    cannot use a GPU that their parent has used."""
    if config.option.markexpr != 'cuda':
        os.environ['CUDA_VISIBLE_DEVICES'] = ''


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests marked ``cuda`` where there is no GPU."""
    if item.get_closest_marker('cuda'):
        import torch

        if not torch.cuda.is_available():
            pytest.skip(SKIP_REASONS['GPU'])


@pytest.fixture(scope='session', autouse=True)
def _read_and_format_each_config_once() -> Iterator[None]:
    """Cache yapf's output, as a run formats the same config six times, and the
    paths of MMPose's configs, for each of which MMEngine reads 148 files."""
    if find_spec('yapf') is None:  # and MMEngine, see benchmark_models.md
        yield
        return
    from mmengine.config import utils
    from mmengine.hub import hub
    from yapf.yapflib import yapf_api

    format_code = yapf_api.FormatCode
    known: dict[str, tuple] = {}

    def once(text: str, *args, **kwargs) -> tuple:
        if text not in known:
            known[text] = format_code(text, *args, **kwargs)
        return known[text]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yapf_api, 'FormatCode', once)
        find = functools.cache(utils._get_cfg_metainfo)
        for module in (utils, hub):
            patch.setattr(module, '_get_cfg_metainfo', find)
        yield


@pytest.fixture(scope='session')
def share_folder(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[str, Callable[[Path], object]], Path]:
    """Makes a folder once for all xdist workers of a session.

    ``share_folder(name, make)`` returns the folder ``name``. The first worker
    to ask for it calls ``make(folder)``; the others wait until that returns.
    Tests must not write to it.
    """
    base = tmp_path_factory.getbasetemp()
    if 'PYTEST_XDIST_WORKER' in os.environ:
        base = base.parent

    def share(name: str, make: Callable[[Path], object]) -> Path:
        folder = base / f'shared_{name}'
        with FileLock(f'{folder}.lock'):
            if not folder.exists():
                try:
                    make(folder)
                except BaseException:
                    shutil.rmtree(folder, ignore_errors=True)
                    raise
        return folder

    return share


@pytest.fixture(params=['cpu', pytest.param('cuda', marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> str:
    """The device that MMEngine's runner takes."""
    return request.param


@pytest.fixture(scope='session')
def real_data() -> Path:
    """The folder of photographs named by OCCLUSION_REAL_DATA."""
    return _named_folder(REAL_DATA)


@pytest.fixture(scope='session')
def real_models() -> Path:
    """The folder of models named by OCCLUSION_REAL_MODELS."""
    return _named_folder(REAL_MODELS)


@pytest.fixture(scope='session')
def onnx_network(real_models: Path) -> Path:
    """A network for crops, from COCO."""
    runtime = pytest.importorskip('onnxruntime')
    if tuple(map(int, runtime.__version__.split('.')[:2])) < (1, 32):
        pytest.skip(
            'onnxruntime before 1.32 refuses its BatchNormalization, which '
            'has the attribute spatial of opset 8'
        )
    return real_models / 'ultralight_simplepose_256x192.onnx'


def _named_folder(variable: str) -> Path:
    folder = os.environ.get(variable)
    if not folder:
        pytest.skip(SKIP_REASONS[variable])
    path = Path(folder)
    assert path.is_dir(), f'{variable}={folder} is not a folder'
    return path


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter,
) -> None:
    """Report how many tests lacked data, models or a GPU."""
    skipped = terminalreporter.stats.get('skipped', [])
    for word, reason in SKIP_REASONS.items():
        count = sum(word in str(report.longrepr) for report in skipped)
        if count:
            terminalreporter.write_line(
                f'{count} tests skipped: {reason}.', yellow=True
            )
