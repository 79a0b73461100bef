"""Removed joints trained towards an empty heatmap."""

import numpy as np
import pytest
import torch
from mmpose.models.losses import KeypointMSELoss
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.transforms import (
    EmptyRemovedHeatmaps,
    KeypointOcclusion,
    PartOcclusion,
)
from tests.golden.samples import crop, names, photo

JOINTS = dict(
    nose=(20, 8), left_shoulder=(28, 20), left_elbow=(32, 28),
    left_wrist=(36, 36), right_ankle=(12, 56),
)  # fmt: skip
ARM = ('left_shoulder', 'left_elbow', 'left_wrist')
HIDE_ARM = PartOcclusion('left_arm', fill='black', remove_keypoints=True)
SIZES = dict(input_size=(48, 64), heatmap_size=(12, 16))
MSRA = dict(type='MSRAHeatmap', sigma=1, **SIZES)


def rows(*joints):
    return [names('coco').index(joint) for joint in joints]


def targets(*steps, encoder=MSRA, two_channels=False, **kwargs):
    """The results of a crop after some steps and ``GenerateTarget``."""
    results = crop(JOINTS, photo(64, 48), two_channels=two_channels)
    for step in steps:
        results = step(results)
    make = dict(type='GenerateTarget', encoder=encoder, **kwargs)
    return TRANSFORMS.build(make)(results)


@pytest.mark.parametrize('two_channels', [False, True])
@pytest.mark.parametrize(('kwargs', 'weight'), [
    ({}, 1), (dict(weight=0.25), 0.25),
])  # fmt: skip
def test_by_hand(kwargs, weight, two_channels):
    """Maps of a quarter of the crop: the nose at (20, 8) is at (5, 2)."""
    before = targets(HIDE_ARM, two_channels=two_channels)
    assert not before['keypoint_weights'][0, rows(*ARM)].any()
    results = EmptyRemovedHeatmaps(**kwargs)(before)
    maps, weights = results['heatmaps'], results['keypoint_weights']
    assert (weights[0, rows(*ARM)] == weight).all()
    assert not maps[rows(*ARM)].any()
    for joint, (col, row) in (('nose', (5, 2)), ('right_ankle', (3, 14))):
        (index,) = rows(joint)
        assert weights[0, index] == 1
        assert maps[index, row, col] == maps[index].max() == 1
    # unlabelled joints stay as they are
    never = [name for name in names('coco') if name not in JOINTS]
    assert not weights[0, rows(*never)].any()


def test_the_loss_of_a_model_that_still_sees_the_arm():
    """0.5 on each of 3 x 192 pixels of the 17 x 192 that count at most:
    0.25 * 3 / 17 more than without."""
    guess = torch.zeros(1, 17, 16, 12)
    guess[0, rows(*ARM)] = 0.5
    loss = KeypointMSELoss(use_target_weight=True)

    def of(results):
        others = results['heatmaps'].copy()
        others[rows(*ARM)] = 0
        return loss(
            guess + torch.from_numpy(others)[None],
            torch.from_numpy(results['heatmaps'])[None],
            torch.from_numpy(results['keypoint_weights']),
        )

    assert of(targets(HIDE_ARM)) == 0
    assert of(EmptyRemovedHeatmaps()(targets(HIDE_ARM))) == pytest.approx(
        0.25 * 3 / 17
    )


@pytest.mark.parametrize('steps', [
    [],
    [KeypointOcclusion('nose')],
    [PartOcclusion('left_arm')],
    [PartOcclusion('right_arm', remove_keypoints=True)],  # not there
])  # fmt: skip
def test_where_nothing_was_removed_nothing_changes(steps):
    before = targets(*steps)
    after = EmptyRemovedHeatmaps()(dict(before))
    for key in ('heatmaps', 'keypoint_weights'):
        assert after[key] is before[key]


def test_what_the_reference_removes_is_emptied_too():
    hide = PartOcclusion(
        'left_arm', fill='black', remove_keypoints=True, paper_exact=True
    )
    results = targets(hide)
    gone = {name for _, name in results['occlusions'][0]['removed']}
    assert gone >= set(ARM)
    results = EmptyRemovedHeatmaps()(results)
    assert (results['keypoint_weights'][0, rows(*gone)] == 1).all()
    assert not results['heatmaps'][rows(*gone)].any()


@pytest.mark.parametrize('encoder', [
    dict(type='SimCCLabel', input_size=(48, 64)),
    dict(type='RegressionLabel', input_size=(48, 64)),
    # a heatmap beside coordinates, which would be trained to the hidden joint
    dict(type='IntegralRegressionLabel', sigma=1, **SIZES),
    # three maps for each joint
    dict(type='UDPHeatmap', heatmap_type='combined', **SIZES),
    # heatmaps of all people in the image, whose weights are not used
    dict(type='AssociativeEmbedding', sigma=1, **SIZES),
    # heatmaps in one branch only
    [MSRA, dict(type='SimCCLabel', input_size=(48, 64))],
], ids=lambda e: 'both' if isinstance(e, list) else e['type'])  # fmt: skip
def test_other_codecs_are_refused(encoder):
    for steps in ([HIDE_ARM], []):  # at once, not when something is removed
        results = targets(*steps, encoder=encoder)
        with pytest.raises(ValueError, match='of a heatmap codec') as info:
            EmptyRemovedHeatmaps()(results)
        assert '\n' not in str(info.value)


def test_several_resolutions_are_refused():
    small = {**MSRA, 'heatmap_size': (6, 8)}
    results = targets(HIDE_ARM, encoder=[MSRA, small], multilevel=True)
    with pytest.raises(ValueError, match='of a heatmap codec'):
        EmptyRemovedHeatmaps()(results)


def test_before_the_targets_it_is_refused():
    results = HIDE_ARM(crop(JOINTS, photo(64, 48)))
    with pytest.raises(ValueError, match='after GenerateTarget'):
        EmptyRemovedHeatmaps()(results)


@pytest.mark.parametrize(
    'weight', [0, -1, float('nan'), float('inf'), 'much', None]
)
def test_bad_weights_are_refused(weight):
    with pytest.raises(ValueError, match='weight='):
        EmptyRemovedHeatmaps(weight)


def test_the_arrays_that_came_stay():
    results = targets(HIDE_ARM)
    kept = {
        key: (results[key], results[key].copy())
        for key in ('heatmaps', 'keypoint_weights')
    }
    EmptyRemovedHeatmaps()(results)
    for array, copy in kept.values():
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize('weights', [None, np.zeros((0, 17))])
def test_without_weights_of_the_people(weights):
    results = targets(HIDE_ARM)
    results['keypoint_weights'] = weights
    with pytest.raises(ValueError, match='right after GenerateTarget'):
        EmptyRemovedHeatmaps()(results)
