"""A stored run names no code that its report would execute."""

import pytest

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors.mmpose_crops import _refuse_code

GOOD = dict(
    default_scope='mmpose',
    custom_imports=dict(imports=['mmpose_occlusion']),
    dataset=dict(
        type='mmpose.CocoDataset',
        ann_file='people.json',
        pipeline=[dict(type='LoadImage'), dict(type='PackPoseInputs')],
    ),
)


def test_classes_of_mmpose():
    _refuse_code(GOOD)


@pytest.mark.parametrize(
    'change',
    [
        dict(custom_imports=dict(imports=['evil'])),
        dict(dataset=dict(type='os.system', command='echo')),
        dict(dataset=dict(type='CocoDataset', bbox_file='boxes.PKL')),
        dict(dataset=dict(metainfo=dict(from_file='evil.py'))),
        dict(dataset=dict(pipeline=[dict(type='evil.Load')])),
    ],
)
def test_others(change):
    with pytest.raises(UsageError, match="run the benchmark's command"):
        _refuse_code({**GOOD, **change})
