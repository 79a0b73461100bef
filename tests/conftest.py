"""What all tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# read when these libraries are first imported
os.environ.setdefault('MPLBACKEND', 'Agg')
os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')

from tests.synthetic_fixtures import (  # noqa: F401
    reference_folder,
    synthetic_people,
)

REAL_DATA = 'OCCLUSION_REAL_DATA'

settings.register_profile('here', deadline=None, database=None)
settings.register_profile(
    'ci', deadline=None, database=None, derandomize=True, print_blob=True
)
settings.load_profile('ci' if os.environ.get('CI') else 'here')


@pytest.fixture(scope='session', autouse=True)
def _format_each_config_once() -> Iterator[None]:
    """A run writes its config six times, and yapf takes most of its start."""
    from yapf.yapflib import yapf_api

    format_code = yapf_api.FormatCode
    known: dict[str, tuple] = {}

    def once(text: str, *args, **kwargs) -> tuple:
        if text not in known:
            known[text] = format_code(text, *args, **kwargs)
        return known[text]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yapf_api, 'FormatCode', once)
        yield


@pytest.fixture(scope='session')
def real_data() -> Path:
    """The folder of photographs that OCCLUSION_REAL_DATA names."""
    folder = os.environ.get(REAL_DATA)
    if not folder:
        pytest.skip(f'{REAL_DATA} does not name a folder of photographs')
    path = Path(folder)
    assert path.is_dir(), f'{REAL_DATA}={folder} is no folder'
    return path


def pytest_terminal_summary(terminalreporter) -> None:
    """Say how many tests had no photographs to run on."""
    skipped = sum(
        REAL_DATA in str(report.longrepr)
        for report in terminalreporter.stats.get('skipped', [])
    )
    if skipped:
        terminalreporter.write_line(
            f'{skipped} tests on photographs were skipped: {REAL_DATA} '
            'names no folder of them.',
            yellow=True,
        )
