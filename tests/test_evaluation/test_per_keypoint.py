"""AP, AR and PCK of every joint, on photographs and on people by hand."""

import json

import numpy as np
import pytest
from mmengine.evaluator import Evaluator
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mmpose_occlusion.datasets.detection_matching import match_detections
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.evaluation import PerKeypointMetric
from tests.test_evaluation.runs import (
    PHOTOGRAPHS,
    build,
    photographs,
    score,
    synthetic,
    truth,
    without_pixels,
)

PERFECT = pytest.approx(1.0)


@pytest.mark.parametrize('name', [n for n in PHOTOGRAPHS if n != 'mpii'])
def test_a_perfect_model_on_photographs(real_data, name):
    dataset = build(without_pixels(photographs(real_data, name)))
    result = score(dict(type='PerKeypointMetric'), dataset, truth)
    labelled = {
        joint
        for i in range(len(dataset))
        for joint, seen in zip(
            dataset.metainfo['keypoint_id2name'].values(),
            dataset.get_data_info(i)['keypoints_visible'][0],
            strict=True,
        )
        if seen
    }
    expected = {
        f'{joint}/{measure}'
        for joint in [*labelled, 'mean']
        for measure in ('AP', 'AR', 'PCK')
    }
    assert set(result) == expected
    assert all(value == PERFECT for value in result.values())


def test_a_perfect_model_on_drawn_people(synthetic_people):
    dataset = build(without_pixels(synthetic(synthetic_people)))
    result = score(dict(type='PerKeypointMetric'), dataset, truth)
    assert len(result) >= 3 * 16
    assert all(value == PERFECT for value in result.values())


def test_the_reference_punishes_perfection(real_data):
    """Where a person lacks a joint, unless all lie near the origin."""
    dataset = build(without_pixels(photographs(real_data, 'coco')))
    result = score(
        dict(type='PerKeypointMetric', paper_exact=True), dataset, truth
    )
    assert result['right_shoulder/AP'] == PERFECT  # all twelve have it
    assert result['right_eye/AP'] < 0.7  # nine of twelve
    assert result['right_eye/AR'] == pytest.approx(9 / 12)
    assert result['right_eye/PCK'] == PERFECT


def test_wrong_joints_are_found(real_data):
    """A model that is perfect, but takes left wrists for right ones."""
    dataset = build(without_pixels(photographs(real_data, 'coco')))
    names = dataset.metainfo['keypoint_name2id']
    left, right = names['left_wrist'], names['right_wrist']

    def predict(sample):
        joints = truth(sample).copy()
        joints[:, [left, right]] = joints[:, [right, left]]
        return joints

    result = score(dict(type='PerKeypointMetric'), dataset, predict)
    for name in names:
        if 'wrist' in name:
            assert result[f'{name}/AP'] < 0.4
            assert result[f'{name}/PCK'] < 0.9
        else:
            assert result[f'{name}/AP'] == PERFECT
            assert result[f'{name}/PCK'] == PERFECT
    assert result['mean/PCK'] == pytest.approx(
        np.mean([result[f'{name}/PCK'] for name in names])
    )


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


def test_boxes_of_a_detector_on_photographs(real_data):
    """All twelve people have a bbox; unmatched ones have lower scores."""
    dataset = build(
        match_detections(without_pixels(photographs(real_data, 'coco', True)))
    )
    predict = matched_or_lost(dataset)
    result = score(dict(type='PerKeypointMetric'), dataset, predict)
    assert result['mean/AR'] == result['mean/PCK'] == PERFECT
    assert 0.5 < result['mean/AP'] <= 1.0


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


# Two joints, people in boxes of 100 x 100 in one image.

META = parse_pose_metainfo(
    dict(
        dataset_name='two_joints',
        paper_info={},
        keypoint_info={
            0: dict(name='head', id=0, color=[0, 0, 0], type='', swap=''),
            1: dict(name='foot', id=1, color=[0, 0, 0], type='', swap=''),
        },
        skeleton_info={},
        joint_weights=[1.0, 1.0],
        sigmas=[0.05, 0.1],
    )
)


def annotation(number, box, head=None, foot=None):
    joints = [[0, 0, 0] if j is None else [*j, 2] for j in (head, foot)]
    return dict(
        id=number,
        image_id=1,
        category_id=1,
        bbox=list(box),
        iscrowd=0,
        keypoints=[x for joint in joints for x in joint],
    )


def predicted(number, box, head, foot, score=1.0, ann=None):
    """One data sample; without an annotation its box is a detector's."""
    x, y, w, h = box
    boxes = np.array([[x, y, x + w, y + h]], np.float32)
    sample = dict(
        id=number,
        img_id=1,
        ori_shape=(1000, 1000),
        gt_instances=dict(bboxes=boxes, bbox_scores=np.ones(1)),
        pred_instances=dict(
            keypoints=np.array([[head, foot]], np.float32),
            keypoint_scores=np.ones((1, 2), np.float32),
            bboxes=boxes,
            bbox_scores=np.full(1, score),
        ),
    )
    if ann is not None:
        sample['raw_ann_info'] = ann
    return sample


def run(samples, anns=None, tmp_path=None, **options):
    if anns is not None:
        path = tmp_path / 'people.json'
        coco = dict(
            images=[dict(id=1)],
            categories=[dict(id=1)],
            annotations=anns,
        )
        path.write_text(json.dumps(coco))
        options['ann_file'] = str(path)
    evaluator = Evaluator(PerKeypointMetric(**options))
    evaluator.dataset_meta = META
    for sample in samples:
        evaluator.metrics[0].process(None, [sample])
    return evaluator.evaluate(len(samples))


A, B = (0, 0, 100, 100), (500, 500, 100, 100)


def test_people_without_the_joint_do_not_count():
    """The prediction for it lies far outside of any box."""
    first = annotation(1, A, head=(50, 10), foot=(50, 90))
    second = annotation(2, B, head=(550, 510))
    result = run(
        [
            predicted(1, A, (50, 10), (50, 90), ann=first),
            predicted(2, B, (550, 510), (900, 0), ann=second),
        ]
    )
    assert result == dict.fromkeys(result, PERFECT)
    assert len(result) == 9


@pytest.mark.parametrize(
    ('distance', 'threshold', 'expected'),
    [(19.9, 0.2, 1.0), (20.1, 0.2, 0.5), (20.1, 0.3, 1.0), (9, 0.05, 0.5)],
)
def test_pck(distance, threshold, expected):
    """By the longer side of the box, here 100."""
    first = annotation(1, A, head=(50, 10))
    second = annotation(2, (500, 500, 40, 100), head=(550, 510))
    result = run(
        [
            predicted(1, A, (50, 10), (0, 0), ann=first),
            predicted(2, B, (550, 510 + distance), (0, 0), ann=second),
        ],
        pck_thr=threshold,
    )
    assert result['head/PCK'] == pytest.approx(expected)
    assert 'foot/PCK' not in result
    assert result['mean/PCK'] == pytest.approx(expected)


def test_boxes_of_a_detector(tmp_path):
    """Ids of detections are numbers in order, here those of other people;
    a second bbox of a person is unmatched, and a miss counts as wrong."""
    anns = [
        annotation(0, B, head=(550, 510)),
        annotation(1, A, head=(50, 10), foot=(50, 90)),
        annotation(2, (200, 700, 50, 50), head=(210, 710)),
    ]
    samples = [
        predicted(0, (5, 0, 100, 100), (50, 10), (50, 90)),
        predicted(1, (505, 500, 100, 100), (550, 510), (0, 0), 0.9),
        predicted(2, (0, 40, 100, 100), (700, 10), (50, 90), 0.8),
    ]
    result = run(samples, anns, tmp_path)
    assert result['head/PCK'] == pytest.approx(2 / 3)
    assert result['foot/PCK'] == PERFECT
    # precision 1 at the 67 recalls up to 2/3
    assert result['head/AP'] == pytest.approx(67 / 101)
    assert result['head/AR'] == pytest.approx(2 / 3)
    assert result['foot/AP'] == PERFECT


def test_a_model_without_boxes(tmp_path):
    """The box around the predicted joints takes their place."""
    anns = [annotation(5, A, head=(10, 10), foot=(90, 90))]
    sample = predicted(7, A, (10, 10), (95, 95))
    del sample['pred_instances']['bboxes']
    assert run([sample], anns, tmp_path)['foot/PCK'] == PERFECT


def test_nobody_is_found(tmp_path):
    anns = [annotation(5, A, head=(10, 10))]
    sample = predicted(7, A, (10, 10), (95, 95))
    sample['pred_instances'] = dict(
        keypoints=np.zeros((0, 2, 2)), keypoint_scores=np.zeros((0, 2))
    )
    result = run([sample], anns, tmp_path)
    assert set(result.values()) == {0}
    assert 'head/PCK' in result


def test_nms_does_not_touch_pck():
    """Two people in the same place: NMS takes one of them for a double."""
    samples = [
        predicted(i, A, (50, 10), (50, 90), ann=annotation(i, A, (50, 10)))
        for i in (1, 2)
    ]
    result = run(samples)
    assert result['head/AR'] == pytest.approx(0.5)
    assert result['head/PCK'] == PERFECT
    assert run(samples, nms_mode='none')['head/AR'] == PERFECT


def test_mpii_is_refused(synthetic_people):
    dataset = build(without_pixels(synthetic(synthetic_people, mpii=True)))
    with pytest.raises(UsageError, match='MpiiPCKAccuracy'):
        score(dict(type='PerKeypointMetric'), dataset, truth)
