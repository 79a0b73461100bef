"""The package where MMPose, its libraries and PyTorch are not installed."""

import json

from tests.without_mmpose import MISSING, python


def test_the_process_has_none_of_them():
    code = f"""
import importlib
from importlib.util import find_spec
for name in {MISSING!r}:
    assert find_spec(name) is None, name
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        continue
    raise SystemExit(name)
"""
    python(code)


def test_the_core_works():
    code = """
import json
import mmpose_occlusion
from mmpose_occlusion import Attack, occlude, parse_attack
import mmpose_occlusion.metrics
import mmpose_occlusion.occlusion
import mmpose_occlusion.skeleton
import numpy as np

image = np.full((100, 80, 3), 200, np.uint8)
keypoints = np.zeros((17, 3))
keypoints[[0, 9]] = (20, 10, 2), (30, 90, 2)
found = occlude(image, keypoints, target='left_wrist', fill='black')
again = mmpose_occlusion.occlusion.replay_all(image, found.records)
attack = parse_attack('part:head:mean')
print(json.dumps(dict(
    hidden=found.hidden.nonzero()[0].tolist(),
    pixel=found.image[90, 30].tolist(),
    replayed=bool((again == found.image).all()),
    attack=attack.to_config(),
    same=Attack.from_config(attack.to_config()) == attack,
)))
"""
    assert json.loads(python(code)) == dict(
        hidden=[9],
        pixel=[0, 0, 0],
        replayed=True,
        attack=dict(type='PartOcclusion', target='head', fill='mean'),
        same=True,
    )


def test_transforms_name_the_missing_package():
    code = """
import mmpose_occlusion

for name in ('KeypointOcclusion', 'PartMix'):
    try:
        getattr(mmpose_occlusion, name)
    except ImportError as error:
        print(error)
try:
    from mmpose_occlusion import KeypointOcclusion
except ImportError as error:
    print(error)
"""
    said = python(code).splitlines()
    assert len(said) == 3
    for line, name in zip(
        said, ('KeypointOcclusion', 'PartMix', 'KeypointOcclusion'),
        strict=True,
    ):  # fmt: skip
        assert line.startswith(f'{name} is for MMPose, which is')
        assert 'install MMPose 1.3' in line
