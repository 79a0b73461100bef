"""Measures of a run: AP as CocoMetric has it, and who counts."""

import json
from dataclasses import replace

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from mmpose_occlusion.benchmark.analysis.run_measures import RunMeasures
from mmpose_occlusion.benchmark.data import UNMATCHED, Predictions
from mmpose_occlusion.metrics.annotations import make_person
from tests.test_benchmark import made_up
from tests.test_benchmark.test_analysis.attack_cases import boxes_of_all
from tests.test_metrics.coco_cases import precision


def crowded(seed, images=12):
    """Poses of all qualities, twice those of some people, and false ones;
    people who are crowds, have no labels, or no bbox."""
    generator = np.random.default_rng(seed)
    boxes = made_up.people(images, 3, seed, spread=6)
    rows = np.sort(generator.integers(0, len(boxes), 5 * images))
    boxes = made_up.take(boxes, rows)
    unmatched = generator.random(len(boxes)) < 0.2
    ids = np.where(unmatched, UNMATCHED, boxes.instance_ids)
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


def expected_of(run, counted=None, **options):
    """AP and AR of the same people and poses as dicts; people of other ids
    than those counted have no label."""
    people = [make_person(person, 17) for person in run.people]
    for person in people:
        if counted is not None and person['id'] not in counted:
            person['keypoints'] = [0.0] * 51
    poses = [
        dict(
            image_id=int(image),
            category_id=1,
            keypoints=np.column_stack([joints, np.ones(17)]).ravel().tolist(),
            score=float(score),
        )
        for image, joints, score in zip(
            run.boxes.image_ids,
            run.clean.keypoints.astype(float),
            RunMeasures(run, 0).clean_predictions.pose_scores,
            strict=True,
        )
    ]
    return precision(people, poses, run.joints.sigmas, **options)


@pytest.mark.parametrize('seed', range(4))
def test_ap_of_all_people(seed):
    run = crowded(seed)
    found = RunMeasures(run, draws=0).all_people
    expected = expected_of(run)
    assert 0.1 < expected[0] < 0.9
    assert (found['AP'][0], found['AR'][0]) == expected


@pytest.mark.parametrize('seed', range(3))
def test_people_who_do_not_count(seed):
    run = crowded(seed, images=7)
    who = np.random.default_rng(seed).random(len(run.boxes)) < 0.5
    found = RunMeasures(run, draws=6, seed=seed).scores(who)
    ids = run.boxes.instance_ids
    expected = expected_of(
        run, ids[who], keep=np.isin(ids, ids[who]) | (ids == UNMATCHED)
    )
    assert (found['AP'][0], found['AR'][0]) == expected
    assert len(set(found['AP'])) > 3


def test_one_joint():
    run = crowded(5)
    measures = RunMeasures(run, draws=0)
    who = np.random.default_rng(5).random(len(run.boxes)) < 0.6
    predictions = measures.clean_predictions
    mask = np.repeat(who[:, None], 17, axis=1)
    found = predictions.by_joint((), mask, who, measures.weights)['AP'][9]
    ids = run.boxes.instance_ids
    expected = expected_of(
        run,
        ids[who],
        joint=9,
        keep=np.isin(ids, ids[who]) | (ids == UNMATCHED),
    )
    assert 0.1 < expected[0] < 1
    assert found[0] == expected[0]


def test_measures_without_people_are_undefined():
    run = crowded(1)
    scores = RunMeasures(run, draws=5).scores(np.zeros(len(run.boxes), bool))
    assert all(np.isnan(values).all() for values in scores.values())


def test_categories_count_alike():
    """Of three animals two are found: two of one kind, none of the other."""
    boxes = made_up.people(3, 1)
    clean = made_up.perfect(boxes)
    clean.keypoints[2] += 500
    people = made_up.annotations(boxes)
    people[2]['category_id'] = 7
    run = made_up.run(boxes, clean, [], people=people)
    assert RunMeasures(run, draws=0).all_people['AP'][0] == 0.5


@pytest.mark.parametrize(
    'evaluation',
    [
        dict(),
        dict(score_mode='bbox_rle', nms_thr=0.3),
        dict(score_mode='bbox', nms_mode='none'),
        dict(score_mode='keypoint', nms_thr=0.5),
    ],
    ids=str,
)
def test_the_same_as_mmposes_metric(evaluation, tmp_path):
    from mmpose.evaluation.metrics import CocoMetric
    from mmpose.structures import PoseDataSample

    boxes = made_up.people(8, 3, seed=3)
    # each second person moves close to the first, so that NMS takes effect
    near = np.isfinite(boxes.truth[::3]) & np.isfinite(boxes.truth[1::3])
    boxes.truth[1::3][near] = boxes.truth[::3][near] + 4
    clean = made_up.noisy(boxes, 8, seed=4)
    run = made_up.run(boxes, clean, [], evaluation=evaluation)
    measures = RunMeasures(run, draws=0)
    found = measures.all_people

    path = tmp_path / 'people.json'
    path.write_text(
        json.dumps(
            dict(
                images=[dict(id=i) for i in measures.people.images.tolist()],
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
    area = measures.input_areas
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


def test_only_twenty_poses_of_an_image_count():
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
        measures = RunMeasures(run, draws=0)
        assert measures.all_people['AP'] == expected


def test_pckh_where_there_are_heads():
    boxes = boxes_of_all()
    boxes = replace(boxes, head_sizes=np.full(6, 20.0))
    clean = made_up.perfect(boxes)
    clean.keypoints[:3, 0] += (0, 9.9)
    clean.keypoints[3:, 0] += (0, 10.1)
    run = made_up.run(boxes, clean, [], people=[])
    measures = RunMeasures(run, draws=0)
    assert measures.main == 'PCKh'
    assert measures.all_people['PCKh'][0] == pytest.approx(1 - 3 / (6 * 17))
