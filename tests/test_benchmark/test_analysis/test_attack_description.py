"""Descriptions of attacks by their configs."""

import pytest

from mmpose_occlusion.benchmark.analysis import describe
from tests.test_benchmark import made_up


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        (
            dict(target='nose', fill='black'),
            ('keypoint', 'nose', 'black', True),
        ),
        (dict(target='nose'), ('keypoint', 'nose', 'blur', True)),
        (
            dict(target='nose', fill='mean', size=24),
            ('keypoint', 'nose', 'mean 24', True),
        ),
        (
            dict(target='nose', fill='mean', size=6),
            ('keypoint', 'nose', 'mean', True),
        ),
        (dict(target='random'), ('keypoint', 'random', 'blur', False)),
        (
            dict(target='nose', place='off_person'),
            ('keypoint', 'nose', 'blur', False),
        ),
        (
            dict(target='nose', size='20%'),
            ('keypoint', 'nose', 'blur', True),
        ),
        (
            dict(target=['nose', 'left_eye']),
            ('keypoint', 'nose,left_eye', 'blur', True),
        ),
        (
            dict(type='PartOcclusion', target='head'),
            ('part', 'head', 'blur', True),
        ),
        (
            dict(type='mmpose.KeypointOcclusion', target='nose', size=24),
            ('keypoint', 'nose', 'blur 24', True),
        ),
        (dict(type='MyOwn'), ('other', 'mine', '', False)),
    ],
    ids=str,
)
def test_descriptions(config, expected):
    boxes = made_up.people(1, 1)
    attack = made_up.attack(
        made_up.perfect(boxes),
        boxes,
        name='mine',
        config=dict(dict(type='KeypointOcclusion'), **config),
    )
    found = describe(attack)
    got = (found.kind, found.target, found.paint, found.hides_one)
    assert got == expected
    disc = expected[0] == 'keypoint' and config.get('size') not in (6, 24)
    assert found.severity == (0.2 if disc else None)
