"""What becomes of the labels of hidden joints: keep, occluded, drop."""

from dataclasses import fields, replace

import numpy as np
import pytest
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion
from tests.golden.person import PERSON
from tests.golden.samples import covered, crop, crowd, mask, names, white
from tests.transform_cases import make, make_black

HIDING = [
    'joint-random',
    'joints-blur',
    'part-random-all',
    'own-part',
    'any-target',
    'joints-multi-all',
]


def hidden_by(results):
    """Joints on painted pixels, by the pixels alone."""
    return covered(mask(results, white(256, 192)), PERSON)


def black(case, label):
    """The transform of a case in black, with another label."""
    transform = make_black(case)
    more = {f.name: False for f in fields(transform) if 'remove' in f.name}
    return replace(transform, label=label, prob=1, **more)


@pytest.mark.parametrize('two_channels', [False, True])
@pytest.mark.parametrize('case', HIDING)
def test_dropped_joints_are_those_under_the_paint(case, two_channels):
    results = crop(PERSON, white(256, 192), two_channels=two_channels)
    before = results['keypoints_visible'].copy()
    results = black(case, 'drop')(results)
    gone = hidden_by(results)
    assert gone
    after = results['keypoints_visible']
    lost = np.array([name in gone for name in names('coco')])
    assert after.shape == before.shape
    assert (after[0, lost] == 0).all()
    assert (after[0, ~lost] == before[0, ~lost]).all()
    listed = [joint for r in results['occlusions'] for joint in r['removed']]
    assert {name for _, name in listed} == gone
    assert {r['label'] for r in results['occlusions']} == {'drop'}


@pytest.mark.parametrize('two_channels', [False, True])
@pytest.mark.parametrize('case', HIDING)
def test_occluded_joints_keep_their_weight(case, two_channels):
    results = crop(PERSON, white(256, 192), two_channels=two_channels)
    before = results['keypoints_visible'].copy()
    results = black(case, 'occluded')(results)
    gone = hidden_by(results)
    assert gone
    weight, shown = np.moveaxis(results['keypoints_visible'], -1, 0)
    old = before[..., 0] if two_channels else before
    assert (weight == old).all()
    assert [n for n, s in zip(names('coco'), shown[0], strict=True) if not s
            ] == [n for n in names('coco') if n in gone]  # fmt: skip
    assert not any(r['removed'] for r in results['occlusions'])
    assert {r['label'] for r in results['occlusions']} == {'occluded'}


def test_kept_labels_are_the_default():
    plain = make('joints-multi')(crop(PERSON, white(256, 192)))
    kept = make('joints-multi', label='keep')(crop(PERSON, white(256, 192)))
    assert plain['occlusions'] == kept['occlusions']
    assert 'label' not in plain['occlusions'][0]
    assert (kept['keypoints_visible'] == plain['keypoints_visible']).all()


@pytest.mark.parametrize('label', ['drop', 'occluded'])
def test_bystanders_of_another_person_count(label):
    """The second person's nose lies under the first one's arm."""
    other = dict(nose=(122, 96), left_ankle=(20, 240))
    results = crowd([PERSON, other], white(256, 192))
    arm = PartOcclusion('left_arm', fill='black', label=label)
    visible = arm(results)['keypoints_visible']
    if label == 'occluded':
        assert visible[1, 0].tolist() == [1, 0]
        assert visible[1, 15].tolist() == [1, 1]
    else:
        assert visible[1, [0, 15]].tolist() == [0, 1]


def targets(label, two_channels=False):
    """The data sample of a crop whose wrist is hidden."""
    results = crop(PERSON, white(256, 192), two_channels=two_channels)
    wrist = KeypointOcclusion('left_wrist', fill='black', label=label)
    codec = dict(
        type='UDPHeatmap',
        input_size=(192, 256),
        heatmap_size=(48, 64),
        sigma=2,
    )
    for step in (
        wrist,
        TRANSFORMS.build(dict(type='GenerateTarget', encoder=codec)),
        TRANSFORMS.build(dict(type='PackPoseInputs')),
    ):
        results = step(results)
    return results['data_samples']


@pytest.mark.parametrize('two_channels', [False, True])
def test_targets_of_the_loss(two_channels):
    keep, occluded, drop = (
        targets(label, two_channels) for label in ('keep', 'occluded', 'drop')
    )
    wrist = names('coco').index('left_wrist')
    assert keep.gt_instance_labels.keypoint_weights[0, wrist] == 1
    assert (
        occluded.gt_instance_labels.keypoint_weights
        == keep.gt_instance_labels.keypoint_weights
    ).all()
    assert (occluded.gt_fields.heatmaps == keep.gt_fields.heatmaps).all()
    assert occluded.gt_fields.heatmaps[wrist].max() > 0.9
    shown = occluded.gt_instances.keypoints_visible_weights
    assert np.flatnonzero(shown[0] == 0).tolist() == [wrist]
    assert drop.gt_instance_labels.keypoint_weights[0, wrist] == 0
    assert drop.gt_fields.heatmaps[wrist].max() == 0


@pytest.mark.parametrize(
    ('transform', 'arguments', 'words'),
    [
        (KeypointOcclusion, dict(label='hide'), "label='hide' is unknown"),
        (
            PartOcclusion,
            dict(label='occluded', remove_keypoints=True),
            'contradicts remove_keypoints=True',
        ),
        (
            KeypointOcclusion,
            dict(label='drop', paper_exact=True),
            'contradicts paper_exact=True',
        ),
    ],
)
def test_contradictions_are_refused(transform, arguments, words):
    with pytest.raises(ValueError, match=words):
        transform(**arguments)
