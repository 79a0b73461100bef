"""Smoke test of the installed wheel where MMPose and torch are not installed.

``.ci/run`` starts it in an empty environment, outside the checkout::

    python core_without_mmpose.py

Its name does not begin with ``test_``, so pytest does not collect it.
"""

import importlib.util
import sys
from importlib.metadata import entry_points
from importlib.resources import files

import numpy as np

import mmpose_occlusion
from mmpose_occlusion.benchmark import suite

ABSENT = ('torch', 'mmcv', 'mmengine', 'mmdet', 'mmpose')
COMMANDS = {
    f'occlusion-{name}'
    for name in (
        *('benchmark', 'browse', 'check', 'doctor', 'export', 'image'),
        *('import', 'report', 'table'),
    )
}


def occlude_one_joint() -> None:
    image = np.full((256, 192, 3), 200, np.uint8)
    keypoints = np.zeros((17, 3), np.float32)
    keypoints[:, 0] = np.linspace(20, 170, 17)
    keypoints[:, 1] = np.linspace(20, 230, 17)
    keypoints[:, 2] = 2
    occluded = mmpose_occlusion.occlude(
        image, keypoints, target='nose', fill='black', names='coco', seed=0
    )
    assert occluded.image.shape == image.shape
    assert occluded.image[20, 20].tolist() == [0, 0, 0]
    assert image.min() == 200, 'the input image was modified'
    assert np.ravel(occluded.hidden)[0], 'the nose is not flagged as hidden'
    assert occluded.records


def read_package_data() -> None:
    shipped = suite.shipped()
    assert 'paper' in shipped, f'no suite "paper" in {list(shipped)}'
    root = files('mmpose_occlusion')
    assert root.joinpath('py.typed').is_file()
    names = {point.name for point in entry_points(group='console_scripts')}
    assert names >= COMMANDS, f'missing: {COMMANDS - names}'


def main() -> None:
    here = [name for name in ABSENT if importlib.util.find_spec(name)]
    assert not here, f'this test is for an environment without {here}'
    occlude_one_joint()
    read_package_data()
    loaded = sorted(sys.modules.keys() & set(ABSENT))
    assert not loaded, f'the core imported {loaded}'
    print('The core works without MMPose:', mmpose_occlusion.__file__)


if __name__ == '__main__':
    main()
