"""Which layers work where MMPose is not installed."""

import subprocess
import sys
import textwrap

BLOCKED = ('mmpose', 'mmengine', 'mmcv', 'mmdet', 'torch', 'torchvision')

BLOCKER = f"""
import importlib.util
import sys

BLOCKED = {BLOCKED!r}
really = importlib.util.find_spec


class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in BLOCKED:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)


def find_spec(name, package=None):
    if name.partition('.')[0] in BLOCKED:
        return None
    return really(name, package)


sys.meta_path.insert(0, Blocker())
importlib.util.find_spec = find_spec
"""

WITHOUT = """
import numpy as np

import mmpose_occlusion
from mmpose_occlusion import occlude, parse_attack
import mmpose_occlusion.benchmark.analysis
import mmpose_occlusion.benchmark.api
import mmpose_occlusion.benchmark.report
import mmpose_occlusion.benchmark.suite
import mmpose_occlusion.metrics.average_precision
import mmpose_occlusion.metrics.oks
import mmpose_occlusion.predictors

points = np.zeros((17, 3))
points[0] = 30, 40, 2
points[16] = 30, 90, 2
found = occlude(np.full((100, 60, 3), 9, np.uint8), points, target='nose',
                fill='black')
assert found.hidden[0] and not found.image[40, 30].any()
assert 'paper' in mmpose_occlusion.benchmark.suite.shipped()
try:
    from mmpose_occlusion import KeypointOcclusion
except ImportError as error:
    assert 'MMPose, which is not installed' in str(error), error
else:
    raise AssertionError('a transform of MMPose without MMPose')
assert not [name for name in BLOCKED if name in sys.modules]
print('fine')
"""


def test_the_core_works_without_mmpose():
    script = textwrap.dedent(BLOCKER) + textwrap.dedent(WITHOUT)
    done = subprocess.run(
        [sys.executable, '-c', script], capture_output=True, text=True
    )
    assert done.stdout.strip() == 'fine', done.stderr
