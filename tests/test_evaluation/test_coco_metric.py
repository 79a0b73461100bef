"""MMPose's CocoMetric is used as it is: what it is relied on for, by hand."""

import json

import numpy as np
import pytest
from mmengine.evaluator import Evaluator

from mmpose_occlusion.datasets.detection_matching import match_detections
from tests.test_evaluation.runs import (
    build,
    photographs,
    score,
    synthetic,
    truth,
    without_pixels,
)

PERFECT = pytest.approx(1.0)
NAMES = ['AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)']
NAMES += [name.replace('AP', 'AR') for name in NAMES]


@pytest.mark.parametrize('name', ['coco', 'ochuman'])
def test_a_perfect_model_on_annotated_boxes(real_data, name):
    dataset = build(without_pixels(photographs(real_data, name)))
    result = score(dict(type='CocoMetric'), dataset, truth)
    assert set(result) == {f'coco/{n}' for n in NAMES}
    # no OCHuman is of medium size: -1 stands for undefined
    assert all(value in (PERFECT, -1) for value in result.values())
    assert result['coco/AP'] == PERFECT


def test_a_perfect_model_on_drawn_people(synthetic_people):
    dataset = build(without_pixels(synthetic(synthetic_people)))
    result = score(dict(type='CocoMetric'), dataset, truth)
    assert result['coco/AP'] == PERFECT


def matched_or_lost(dataset):
    """A model that is perfect in boxes of people and lost in others."""
    people = {
        i: dataset.get_data_info(i)['matched_person']
        for i in range(len(dataset))
    }

    def predict(sample):
        person = people[sample['id']]
        if 'keypoints' in person:
            return person['keypoints']
        return np.random.default_rng(sample['id']).uniform(0, 400, (1, 17, 2))

    return predict


def test_boxes_of_a_detector(real_data):
    """All twelve people have a bbox; unmatched ones have lower scores."""
    dataset = build(
        match_detections(without_pixels(photographs(real_data, 'coco', True)))
    )
    predict = matched_or_lost(dataset)
    for metric in ('CocoMetric', 'PerKeypointMetric'):
        result = score(dict(type=metric), dataset, predict)
        prefix = 'coco' if metric == 'CocoMetric' else 'mean'
        assert result[f'{prefix}/AR'] == PERFECT
        assert 0.5 < result[f'{prefix}/AP'] <= 1.0
    assert result['mean/PCK'] == PERFECT


def test_missed_people(synthetic_people):
    """The made-up detector misses some: recall says how many."""
    dataset = build(
        match_detections(without_pixels(synthetic(synthetic_people, True)))
    )
    predict = matched_or_lost(dataset)
    result = score(dict(type='PerKeypointMetric'), dataset, predict)
    with open(dataset.dataset.ann_file) as file:
        people = json.load(file)['annotations']
    found = {
        dataset.get_data_info(i)['matched_person'].get('id')
        for i in range(len(dataset))
    }
    has = [p['id'] in found for p in people if p['keypoints'][2]]
    assert result['nose/PCK'] == pytest.approx(np.mean(has))
    assert result['nose/AR'] == pytest.approx(np.mean(has), abs=0.05)


# One person with joints in a row, in a box of 100 x 100.

SPREAD = np.stack([np.linspace(0, 96, 17), np.full(17, 50.0)], axis=1)[None]


def sample(number, shift, bbox_score=1.0, joint_scores=1.0):
    box = np.array([[0, 0, 100, 100]], np.float32)
    return dict(
        id=number,
        img_id=1,
        ori_shape=(200, 200),
        category_id=1,
        gt_instances=dict(
            bboxes=box,
            bbox_scores=np.array([bbox_score]),
            bbox_scales=np.array([[100.0, 100.0]]),
        ),
        pred_instances=dict(
            keypoints=SPREAD + [shift, 0],
            keypoint_scores=np.broadcast_to(joint_scores, (1, 17)),
        ),
    )


def written(tmp_path, samples, **options):
    """AP, and the (x of the first joint, score) of what survives."""
    ann = np.concatenate([SPREAD[0], np.full((17, 1), 2.0)], axis=1)
    coco = dict(
        images=[dict(id=1)],
        categories=[dict(id=1)],
        annotations=[
            dict(
                id=1,
                image_id=1,
                category_id=1,
                iscrowd=0,
                area=5000,
                bbox=[0, 0, 100, 100],
                keypoints=ann.ravel().tolist(),
            )
        ],
    )
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(coco))
    metric = dict(
        type='mmpose.CocoMetric',
        ann_file=str(path),
        outfile_prefix=str(tmp_path / 'out'),
        **options,
    )
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dict(
        dataset_name='x',
        num_keypoints=17,
        sigmas=np.full(17, 0.05),
    )
    for one in samples:
        evaluator.metrics[0].process(None, [one])
    ap = evaluator.evaluate(len(samples))['coco/AP']
    found = json.loads((tmp_path / 'out.keypoints.json').read_text())
    return ap, [(d['keypoints'][0], d['score']) for d in found]


@pytest.mark.parametrize(
    ('mode', 'expected'),
    [
        ('bbox_keypoint', 0.5 * 0.6),  # 8 joints of .9 and 8 of .3
        ('keypoint', (8 * 0.9 + 8 * 0.3 + 0.1) / 17),
        ('bbox', 0.5),
    ],
)
def test_rescoring(tmp_path, mode, expected):
    joint_scores = np.array([[0.9] * 8 + [0.3] * 8 + [0.1]])
    _, found = written(
        tmp_path, [sample(1, 0, 0.5, joint_scores)], score_mode=mode
    )
    assert found == [(0.0, pytest.approx(expected))]


@pytest.mark.parametrize(
    ('mode', 'thr', 'kept'),
    [
        # by the areas of 10,000: OKS = exp(-shift² / (2 * 100))
        ('oks_nms', 0.9, [0.0, 8.0]),  # 4: .92, 8: .73
        ('oks_nms', 0.7, [0.0]),
        ('oks_nms', 0.95, [0.0, 4.0, 8.0]),
        ('none', 0.9, [0.0, 4.0, 8.0]),
        ('soft_oks_nms', 0.9, [0.0, 8.0, 4.0]),  # ranks, but drops none
    ],
)
def test_nms(tmp_path, mode, thr, kept):
    samples = [sample(1, 0, 0.9), sample(2, 4, 0.5), sample(3, 8, 0.4)]
    ap, found = written(tmp_path, samples, nms_mode=mode, nms_thr=thr)
    assert [x for x, _ in found] == kept
    assert ap == PERFECT
