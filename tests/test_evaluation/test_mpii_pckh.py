"""PCKh by hand, and against MMPose's own."""

import numpy as np
import pytest
from mmengine.evaluator import Evaluator
from mmpose.datasets.datasets import MpiiDataset

from mmpose_occlusion.evaluation import MpiiPCKh
from tests.test_evaluation.runs import (
    build,
    photographs,
    score,
    synthetic,
    without_pixels,
)

META = MpiiDataset._load_metainfo(MpiiDataset.METAINFO)
INDEX = META['keypoint_name2id']


def sample(errors, missing=(), head_size=10.0):
    """A person whose joints are found so many pixels from the truth."""
    truth = np.full((1, 16, 2), 100.0)
    found = truth.copy()
    for joint, error in errors.items():
        found[0, INDEX[joint], 0] += error
    visible = np.ones((1, 16))
    visible[0, [INDEX[joint] for joint in missing]] = 0
    return dict(
        img_id=1,
        gt_instances=dict(
            keypoints=truth,
            keypoints_visible=visible,
            head_size=np.array([[head_size]]),
        ),
        pred_instances=dict(keypoints=found),
    )


def run(samples, **options):
    evaluator = Evaluator(MpiiPCKh(**options))
    evaluator.dataset_meta = META
    evaluator.metrics[0].process(None, samples)
    return evaluator.evaluate(len(samples))


def test_by_hand():
    """Half a head is 5 pixels, a tenth is 1.

    14 joints count, and of the second person 13: 27 in all. Wrong at .5 are
    a wrist and a knee; at .1 an elbow as well.
    """
    samples = [
        sample(dict(left_wrist=5.1, right_elbow=4.9, pelvis=50)),
        sample(dict(right_knee=9, left_hip=0.9), missing=['left_knee']),
    ]
    hundred = pytest.approx(100)
    assert run(samples) == {
        'PCKh/Head': hundred,
        'PCKh/Shoulder': hundred,
        'PCKh/Elbow': hundred,
        'PCKh/Wrist': pytest.approx(75),
        'PCKh/Hip': hundred,
        'PCKh/Knee': pytest.approx(75),  # left 1/1, right 1/2
        'PCKh/Ankle': hundred,
        'PCKh/Mean': pytest.approx(100 * 25 / 27),
        'PCKh/Mean@0.1': pytest.approx(100 * 24 / 27),
    }


def test_the_size_of_the_head_counts():
    far = dict(left_ankle=6)
    assert run([sample(far)])['PCKh/Ankle'] == pytest.approx(50)
    assert run([sample(far, head_size=13)])['PCKh/Ankle'] == pytest.approx(100)
    assert run([sample(far)], thr=0.7)['PCKh/Ankle'] == pytest.approx(100)


def test_joints_without_any_label():
    missing = ['left_wrist', 'head_top']
    result = run([sample(dict(right_wrist=9), missing=missing)])
    assert 'PCKh/Head' not in result
    assert result['PCKh/Wrist'] == 0


def test_no_label_at_all():
    assert run([sample({}, missing=INDEX)]) == {}


@pytest.mark.parametrize('offset', [0.0, 1.0])
def test_drawn_people(synthetic_people, offset):
    """A model that says what MMPose trains with is perfect without offset;
    with it, MMPose's own metric says the same."""
    dataset = build(without_pixels(synthetic(synthetic_people, mpii=True)))

    def predict(s):
        joints = s['gt_instances']['keypoints']
        rng = np.random.default_rng(s['id'])
        return joints + offset * rng.normal(0, 3, joints.shape)

    ours = score(dict(type='MpiiPCKh', offset=offset), dataset, predict)
    if offset == 0:
        assert len(ours) == 9
        assert all(value == pytest.approx(100) for value in ours.values())
        return
    stock = score(
        dict(type='MpiiPCKAccuracy', prefix='stock'), dataset, predict
    )
    assert ours['PCKh/Mean@0.1'] < 90
    for name, value in ours.items():
        name = name.removeprefix('PCKh/')
        if name.startswith('Mean'):
            name = name.replace('Mean', 'PCK')
        else:
            name += ' PCK'
        assert value == pytest.approx(stock[f'stock/{name}'], abs=1e-4)


def test_without_sizes_of_heads(real_data):
    dataset = build(without_pixels(photographs(real_data, 'mpii')))
    with pytest.raises(ValueError, match=r'headbox_file .* PCKAccuracy'):
        score(
            dict(type='MpiiPCKh'),
            dataset,
            lambda s: s['gt_instances']['keypoints'],
        )
