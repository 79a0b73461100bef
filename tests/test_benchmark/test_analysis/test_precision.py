"""AP from stored matches is COCOeval's, resampled or not."""

import json
from dataclasses import replace

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmpose_occlusion.benchmark.analysis.bootstrap import draw_weights
from mmpose_occlusion.benchmark.analysis.measures import Judge, judge_people
from mmpose_occlusion.benchmark.analysis.precision import average_precision
from mmpose_occlusion.benchmark.data import UNMATCHED, Predictions
from mmpose_occlusion.metrics import coco
from tests.test_benchmark import made_up


def crowded(seed, images=12):
    """Poses of all qualities, twice those of some people, and false ones;
    people who are crowds, have no labels, or no box."""
    generator = np.random.default_rng(seed)
    boxes = made_up.people(images, 3, seed, spread=6)
    rows = np.sort(generator.integers(0, len(boxes), 5 * images))
    boxes = made_up.take(boxes, rows)
    nobody = generator.random(len(boxes)) < 0.2
    ids = np.where(nobody, UNMATCHED, boxes.instance_ids)
    clean = made_up.noisy(boxes, 7, seed, lost=0.1)
    people = {p['id']: p for p in made_up.annotations(boxes)}
    for person in people.values():
        kind = generator.choice(['fine', 'crowd', 'bare'], p=[0.8, 0.1, 0.1])
        person['iscrowd'] = int(kind == 'crowd')
        if kind == 'bare':
            person['keypoints'] = [0] * 51
    run = made_up.run(
        replace(boxes, instance_ids=ids, scores=generator.random(len(boxes))),
        clean,
        [],
        people=list(people.values()),
        evaluation=dict(nms_mode='none'),
    )
    return run


def by_cocoeval(run, rows, scores, images=None, counts=None):
    """COCOeval on the images, literally as often as they are named."""
    people, found = [], []
    for copy, image in enumerate(images if images is not None else [None]):
        for person in run.people:
            if image in (None, person['image_id']):
                shown = dict(
                    coco.make_person(person, 17),
                    id=len(people) + 1,
                    image_id=person['image_id'] if image is None else copy,
                )
                if counts is not None and person['id'] not in counts:
                    shown = coco.ignored(shown)
                people.append(shown)
        for i in rows:
            if image in (None, run.boxes.image_ids[i]):
                joints = run.clean.keypoints[i].astype(float)
                found.append(
                    dict(
                        image_id=int(run.boxes.image_ids[i])
                        if image is None
                        else copy,
                        category_id=1,
                        keypoints=np.column_stack([joints, np.ones(17)])
                        .ravel()
                        .tolist(),
                        score=float(scores[i]),
                    )
                )
    return coco.evaluate(people, found, run.joints.sigmas)


@pytest.mark.parametrize('seed', range(4))
def test_the_whole_set(seed):
    run = crowded(seed)
    judge = Judge(run, draws=0)
    everybody = np.ones(len(run.boxes), bool)
    judged = judge.of(run.clean)
    rows, scores = judged.left(everybody)
    counts = np.ones(len(judge.scene.people), bool)
    found = judged.matches(rows, scores, counts)
    ap, ar = average_precision(found, judge.weights)
    expected = by_cocoeval(run, rows, scores)
    assert 0.1 < expected.ap < 0.9
    assert (ap[0], ar[0]) == (expected.ap, expected.ar)


@pytest.mark.parametrize('seed', range(3))
def test_resampled_images_and_people_who_do_not_count(seed):
    run = crowded(seed, images=7)
    judge = Judge(run, draws=0)
    who = np.random.default_rng(seed).random(len(run.boxes)) < 0.5
    judged = judge.of(run.clean)
    rows, scores = judged.left(who)
    counted = judge_people(judge.scene, who)
    matches = judged.matches(rows, scores, counted)
    weights = draw_weights(7, 6, seed)
    ap, ar = average_precision(matches, weights)
    counts = {*run.boxes.instance_ids[who].tolist()}
    for b, weight in enumerate(weights):
        images = np.repeat(judge.scene.images, weight.astype(int))
        expected = by_cocoeval(run, rows, scores, images, counts)
        assert (ap[b], ar[b]) == pytest.approx(tuple(expected), abs=1e-12)
    assert len(set(ap)) > 3


def test_one_joint():
    run = crowded(5)
    judge = Judge(run, draws=0)
    who = np.random.default_rng(5).random(len(run.boxes)) < 0.6
    judged = judge.of(run.clean)
    rows, scores = judged.left(who)
    found = judged.joint_precision(9, who, rows, scores)
    attacked = {*run.boxes.instance_ids[who].tolist()} - {UNMATCHED}
    people = [coco.make_person(p, 17) for p in run.people]
    people = [p if p['id'] in attacked else coco.ignored(p) for p in people]
    mine = [
        i for i in rows if run.boxes.instance_ids[i] in {*attacked, UNMATCHED}
    ]
    expected = coco.evaluate(
        [coco.only_joint(p, 9) for p in people],
        [
            dict(
                image_id=int(run.boxes.image_ids[i]),
                category_id=1,
                keypoints=[*run.clean.keypoints[i, 9].tolist(), 1],
                score=float(scores[i]),
            )
            for i in mine
        ],
        run.joints.sigmas[[9]],
    )
    assert 0.1 < expected.ap < 1
    assert found == pytest.approx(tuple(expected), abs=1e-12)


def test_nobody_is_none():
    run = crowded(1)
    judge = Judge(run, draws=5)
    nobody = np.zeros(len(run.boxes), bool)
    scores = judge.clean(nobody)
    assert all(np.isnan(values).all() for values in scores.values())


def test_categories_count_alike():
    """Of three animals two are found: two of one kind, none of the other."""
    boxes = made_up.people(3, 1)
    clean = made_up.perfect(boxes)
    clean.keypoints[2] += 500
    people = made_up.annotations(boxes)
    people[2]['category_id'] = 7
    judge = Judge(made_up.run(boxes, clean, [], people=people), draws=0)
    assert judge.everybody()['AP'][0] == 0.5


@pytest.mark.parametrize(
    'evaluation',
    [
        dict(),
        dict(score_mode='bbox_rle', nms_thr=0.3),
        dict(score_mode='bbox', nms_mode='none'),
        dict(score_mode='keypoint', nms_mode='soft_oks_nms', nms_thr=0.5),
    ],
    ids=str,
)
def test_the_same_as_mmposes_metric(evaluation, tmp_path):
    from mmpose.evaluation.metrics import CocoMetric
    from mmpose.structures import PoseDataSample

    boxes = made_up.people(8, 3, seed=3)
    # everybody moves close to the next, so that NMS has something to do
    near = np.isfinite(boxes.truth[::3]) & np.isfinite(boxes.truth[1::3])
    boxes.truth[1::3][near] = boxes.truth[::3][near] + 4
    clean = made_up.noisy(boxes, 8, seed=4)
    run = made_up.run(boxes, clean, [], evaluation=evaluation)
    judge = Judge(run, draws=0)
    found = judge.everybody()

    path = tmp_path / 'people.json'
    path.write_text(
        json.dumps(
            dict(
                images=[dict(id=i) for i in judge.scene.images.tolist()],
                annotations=run.people,
                categories=[dict(id=1, name='person')],
            )
        )
    )
    with DefaultScope.overwrite_default_scope('mmpose'):
        metric = CocoMetric(ann_file=str(path), **evaluation)
    metric.dataset_meta = dict(
        sigmas=run.joints.sigmas, num_keypoints=17, dataset_name='made-up'
    )
    area = judge.scene.input_areas
    for i in range(len(boxes)):
        sample = PoseDataSample(
            metainfo=dict(
                id=int(boxes.instance_ids[i]),
                img_id=int(boxes.image_ids[i]),
                category_id=1,
            )
        )
        sample.gt_instances = InstanceData(
            bbox_scores=np.ones(1, np.float32),
            bbox_scales=np.array([[area[i], 1.0]]),
        )
        sample.pred_instances = InstanceData(
            keypoints=clean.keypoints[[i]], keypoint_scores=clean.scores[[i]]
        )
        metric.process([], [sample.to_dict()])
    expected = metric.evaluate(len(boxes))
    assert 0.2 < expected['coco/AP'] < 0.9
    assert found['AP'][0] == pytest.approx(expected['coco/AP'], abs=1e-12)
    assert found['AR'][0] == pytest.approx(expected['coco/AR'], abs=1e-12)


def test_the_ten_of_an_image_that_score_least_do_not_count():
    boxes = made_up.people(1, 1)
    many = made_up.take(boxes, np.zeros(21, int))
    many = replace(many, instance_ids=np.full(21, UNMATCHED))
    right = made_up.perfect(boxes).keypoints
    keypoints = np.repeat(right, 21, axis=0) + 500
    keypoints[20] = right
    scores = np.linspace(1, 0.5, 21)[:, None].repeat(17, axis=1)
    people = made_up.annotations(boxes)
    for last, expected in ((0.4, 0.0), (0.99, 1 / 2)):
        scores[20] = last
        run = made_up.run(
            many,
            Predictions(np.float32(keypoints), np.float32(scores)),
            [],
            people=people,
            evaluation=dict(nms_mode='none'),
        )
        who = np.zeros(21, bool)
        judge = Judge(run, draws=0)
        judged = judge.of(run.clean)
        matches = judged.matches(*judged.left(who), np.ones(1, bool))
        assert average_precision(matches, judge.weights)[0] == expected
