"""The check of installed packages: every message and its caller."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

from mmpose_occlusion import registration
from mmpose_occlusion.registration import (
    REQUIREMENTS,
    extension_problems,
    problems,
)

CLASSIC = {
    'torch': '2.1.2+cpu',
    'torchvision': '0.16.2',
    'mmengine': '0.10.7',
    'mmcv': '2.1.0',
    'mmpose': '1.3.2',
    'cv2': '4.11.0.86',
    'scipy': '1.15.3',
    'matplotlib': '3.10.0',
    'munkres': '1.1.4',
    'json_tricks': '3.17.3',
}
MAINTAINED = CLASSIC | {
    'torch': '2.14.1',
    'torchvision': '0.29.1',
    'mmengine': '0.10.12',
    'mmcv': '2.3.6',
    'cv2': '5.0.0.93',
}


@pytest.mark.parametrize(
    'stack', [CLASSIC, MAINTAINED, CLASSIC | {'mmcv': '2.1.0rc4'}]
)
def test_both_stacks_pass(stack):
    assert problems(stack) == []
    assert problems(dict.fromkeys(stack)) == []


@pytest.mark.parametrize(
    ('module', 'version', 'sentence'),
    [
        (
            'mmengine',
            '0.9.1',
            'mmengine >=0.10,<1 is needed and mmengine is of version '
            "0.9.1: install it with pip install 'mmengine>=0.10,<1' or pip "
            'install onedl-mmengine',
        ),
        (
            'mmcv',
            '1.7.2',
            'mmcv >=2.0,<3 is needed and mmcv is of version 1.7.2: install '
            "it with mim install 'mmcv>=2.0,<3' or pip install onedl-mmcv",
        ),
        (
            'torchvision',
            'missing',
            'torchvision is needed and torchvision is not installed: install '
            "it with the command that PyTorch's own site gives for your "
            'machine',
        ),
        (
            'mmpose',
            'missing',
            'mmpose >=1.3,<2 is needed and mmpose is not installed: '
            "install it with pip install --no-deps 'mmpose>=1.3,<2'",
        ),
        (
            'json_tricks',
            'missing',
            'json_tricks is needed and json_tricks is not installed: install '
            'it with pip install json-tricks',
        ),
    ],
)
def test_each_package_has_its_sentence(module, version, sentence):
    stack = {**CLASSIC, module: version}
    if version == 'missing':
        del stack[module]
    assert problems(stack) == [sentence]


def test_all_that_is_wrong_is_told_at_once():
    stack = {**CLASSIC, 'mmcv': '1.7.2'}
    del stack['mmpose'], stack['scipy']
    assert [text.split()[0] for text in problems(stack)] == [
        'mmcv',
        'mmpose',
        'scipy',
    ]


def broken(module, error):
    """An import that fails for one module."""

    def load(name):
        if name == module:
            raise error

    return load


@pytest.mark.parametrize(
    ('module', 'error', 'start', 'way_out'),
    [
        (
            'torch',
            OSError('libcudart.so.12: cannot open shared object file'),
            'torch and torchvision do not load together (libcudart.so.12: ',
            'install both with one command',
        ),
        (
            'mmcv._ext',
            ImportError('undefined symbol: _ZN2at4_ops5zeros4callE'),
            'mmcv has no compiled operators that fit this torch (undefined ',
            'pip install --no-build-isolation --no-cache-dir onedl-mmcv',
        ),
        (
            'xtcocotools._mask',
            ValueError('numpy.dtype size changed'),
            'xtcocotools, which MMPose reads data sets with, does not load '
            '(numpy.dtype size changed): with NumPy 2 build it',
            '--no-binary xtcocotools',
        ),
    ],
)
def test_extensions_that_do_not_load(
    module, error, start, way_out, monkeypatch
):
    monkeypatch.setattr(registration, 'import_module', broken(module, error))
    (problem,) = extension_problems()
    assert problem.startswith(start)
    assert way_out in problem
    assert '\n' not in problem


def test_extensions_that_load():
    assert extension_problems() == []


def test_torch_is_loaded_before_what_needs_it(monkeypatch):
    loaded = []
    monkeypatch.setattr(registration, 'import_module', loaded.append)
    extension_problems()
    assert loaded == ['torch', 'torchvision', 'mmcv._ext', 'xtcocotools._mask']


def test_versions_are_read_from_the_distributions():
    found = registration.installed()
    assert set(found) == set(REQUIREMENTS)
    assert found['mmpose'].startswith('1.')


def test_check_raises_one_sentence(monkeypatch):
    monkeypatch.setattr(registration, 'installed', dict)
    with pytest.raises(RuntimeError) as caught:
        registration.check_extensions([])
    sentence = str(caught.value)
    assert sentence.startswith(
        'mmpose_occlusion cannot work here: torch >=2.0 is needed and torch '
        'is not installed'
    )
    assert sentence.endswith('pip install json-tricks.')
    assert '\n' not in sentence


CONFIG = "custom_imports = dict(imports=['mmpose_occlusion'])\n"

IMPORT_WITH_OLD_MMPOSE = """
import importlib.metadata as metadata, sys
real = metadata.version
metadata.version = lambda name: '0.29.0' if name == 'mmpose' else real(name)
from mmengine.config import Config
Config.fromfile(sys.argv[1])
"""


def test_the_sentence_is_readable_through_custom_imports(tmp_path):
    """MMEngine replaces the message of an ImportError only."""
    config = tmp_path / 'config.py'
    config.write_text(CONFIG)
    done = subprocess.run(
        [sys.executable, '-c', IMPORT_WITH_OLD_MMPOSE, str(config)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        'RuntimeError: mmpose_occlusion cannot work here: mmpose >=1.3,<2 '
        'is needed and mmpose is of version 0.29.0: install it with pip '
        "install --no-deps 'mmpose>=1.3,<2'."
    )


def test_custom_imports_register_everything(tmp_path):
    from mmpose.registry import HOOKS, TRANSFORMS

    config = tmp_path / 'config.py'
    config.write_text(CONFIG)
    Config.fromfile(config)
    assert TRANSFORMS.get('KeypointOcclusion')
    assert HOOKS.get('AttackedCropsHook')
