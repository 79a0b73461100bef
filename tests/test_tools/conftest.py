"""Running the tools inside the test process: an import costs seconds."""

import functools
import importlib
import importlib.util
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from mmengine.logging import MMLogger

from mmpose_occlusion.cli.arguments import Command

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT / 'tools') not in sys.path:
    sys.path.append(str(ROOT / 'tools'))

MODEL = """
_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_res50_8xb64-210e_coco-256x192.py'
]
custom_imports = dict(imports=['mmpose_occlusion'])

codec = dict(
    type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=1
)
model = dict(
    backbone=dict(depth=18, base_channels=4, init_cfg=None),
    head=dict(
        in_channels=32, deconv_out_channels=(8, 8, 8), decoder=codec),
)
crop = dict(type='TopdownAffine', input_size=(64, 64))
pack = dict(type='PackPoseInputs')
train_pipeline = [
    *_base_.train_pipeline[:-3],
    crop,
    dict(type='PartOcclusion', fill='blur', prob=0.5),
    dict(type='GenerateTarget', encoder=codec),
    pack,
]
val_pipeline = [*_base_.val_pipeline[:-2], crop, pack]
"""

DATA = """
root = {root!r}
loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(
    batch_size=8,
    **loader,
    dataset=dict(
        data_root=root,
        ann_file='annotations/person_keypoints_train.json',
        data_prefix=dict(img='train/'),
        indices=16,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=8,
    **loader,
    dataset=dict(
        data_root=root,
        ann_file='annotations/person_keypoints_val.json',
        bbox_file=None,
        data_prefix=dict(img='val/'),
        indices=8,
        pipeline=val_pipeline,
    ),
)
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=None)
test_evaluator = val_evaluator
train_cfg = dict(max_epochs=1, val_interval=1)
default_hooks = dict(
    checkpoint=dict(interval=1, save_best=None, max_keep_ckpts=2),
    logger=dict(interval=1),
)
"""


ENTRY_POINTS = dict(
    re.findall(r'occlusion-(\w+) = (\S+)', (ROOT / 'setup.cfg').read_text())
)
"""Console command -> module and function."""


def console_command(name: str) -> Command:
    """The command ``occlusion-NAME``."""
    module, _, main = ENTRY_POINTS[name].partition(':')
    return getattr(importlib.import_module(module), main)


@pytest.fixture(scope='session')
def tool() -> Callable:
    """Name of a tool or console command -> its module.

    ``import test`` is Python's own.
    """

    @functools.cache
    def load(name: str):
        path = ROOT / 'tools' / f'{name}.py'
        if not path.is_file():
            main = console_command(name)
            return SimpleNamespace(
                main=_with_its_own_log(main), parse_args=main.parse
            )
        spec = importlib.util.spec_from_file_location(f'tool_{name}', path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if isinstance(module.main, Command):
            module.parse_args = module.main.parse
        module.main = _with_its_own_log(module.main)
        return module

    return load


def _with_its_own_log(main: Callable) -> Callable:
    """MMEngine names loggers by the second: two runs of one process in the
    same second would share the first one's file."""

    def alone(*args, **kwargs):
        MMLogger._instance_dict.clear()
        return main(*args, **kwargs)

    return alone


@pytest.fixture(scope='session')
def config(synthetic_people: Path, share_folder: Callable) -> str:
    """A config of a tiny model on a few synthetic people."""

    def write(folder: Path) -> None:
        folder.mkdir()
        text = MODEL + DATA.format(root=str(synthetic_people))
        (folder / 'tiny.py').write_text(text)

    return str(share_folder('config', write) / 'tiny.py')


@pytest.fixture(scope='session')
def trained(config: str, tool: Callable, share_folder: Callable) -> Path:
    """The work dir of one epoch's training."""

    def train(work_dir: Path) -> None:
        argv = [config, '--work-dir', str(work_dir)]
        assert tool('train').main(argv) == 0

    return share_folder('trained', train)


@pytest.fixture(scope='session')
def checkpoint(trained: Path) -> str:
    """The checkpoint of one epoch's training."""
    return str(trained / 'epoch_1.pth')


def log_of(work_dir: Path) -> str:
    """The latest log of a run."""
    return max(work_dir.glob('*/*.log')).read_text()
