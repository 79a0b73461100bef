"""Failures, curves, controls and models, against results by hand."""

from dataclasses import replace

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.analysis.attacks import about
from mmpose_occlusion.benchmark.analysis.curves import area_under
from mmpose_occlusion.benchmark.analysis.failures import (
    KINDS,
    failure_kinds,
)
from mmpose_occlusion.benchmark.analysis.measures import Judge
from mmpose_occlusion.benchmark.data import Predictions
from tests.test_benchmark import made_up

LEFT, RIGHT = (made_up.COCO.index(f'{s}_wrist') for s in ('left', 'right'))
SIGMA = 0.062  # of wrists


@pytest.fixture
def pair():
    """Two people side by side in one image, all joints labelled."""
    boxes = made_up.people(1, 2, seed=2)
    truth = np.stack([made_up.POSE, made_up.POSE + (150, 0)])
    return replace(
        boxes, truth=truth, visible=np.full((2, 17), 2, np.int8),
        areas=np.array([6400.0, 6400.0]),
    )  # fmt: skip


def unit(kilo: float) -> float:
    """The distance at which a wrist's ks is this, s = 80 px."""
    return 80 * 2 * SIGMA * np.sqrt(-2 * np.log(kilo))


@pytest.mark.parametrize(
    ('shift', 'kind'),
    [
        (unit(0.86), 'good'),
        (unit(0.84), 'jitter'),
        (unit(0.51), 'jitter'),
        (unit(0.49), 'miss'),
    ],
)
@pytest.mark.parametrize('named', [True, False], ids=['coco', 'other'])
def test_thresholds(pair, shift, kind, named):
    clean = made_up.perfect(pair)
    clean.keypoints[0, LEFT, 1] += shift
    run = made_up.run(pair, clean, [], **({} if named else dict(people=[])))
    judge = Judge(run, draws=0)
    codes = failure_kinds(judge, judge.of(run.clean))
    assert KINDS[codes[0, LEFT]] == kind
    assert (np.delete(codes[0], LEFT) == 0).all()
    assert (codes[1] == 0).all()


@pytest.mark.parametrize(
    ('person', 'joint', 'kind'),
    [(0, RIGHT, 'swap'), (1, LEFT, 'drift'), (1, RIGHT, 'drift')],
)
@pytest.mark.parametrize('named', [True, False], ids=['coco', 'other'])
def test_where_a_lost_wrist_went(pair, person, joint, kind, named):
    clean = made_up.perfect(pair)
    clean.keypoints[0, LEFT] = pair.truth[person, joint] + (1, 0)
    run = made_up.run(pair, clean, [], **({} if named else dict(people=[])))
    judge = Judge(run, draws=0)
    codes = failure_kinds(judge, judge.of(run.clean))
    assert KINDS[codes[0, LEFT]] == kind


def test_a_joint_without_label_is_of_no_kind(pair):
    pair.visible[0, LEFT] = 0
    pair.truth[0, LEFT] = np.nan
    run = made_up.run(pair, made_up.perfect(pair), [])
    judge = Judge(run, draws=0)
    codes = failure_kinds(judge, judge.of(run.clean))
    assert codes[0, LEFT] == -1


def test_area_is_the_mean_height():
    steps = np.array([0.0, 0.1, 0.4])
    # 0.1 at a mean of 0.9 and 0.3 at a mean of 0.7
    assert area_under(steps, np.array([1, 0.8, 0.6])) == pytest.approx(0.75)
    both = area_under(steps, np.array([[1, 2], [1, 2], [1, 2]]))
    assert both == pytest.approx([1, 2])


def boxes_of_all(images=6):
    boxes = made_up.people(images, 1, seed=4)
    return replace(
        boxes,
        visible=np.full_like(boxes.visible, 2),
        truth=np.where(
            np.isfinite(boxes.truth), boxes.truth, boxes.boxes[:, None, :2]
        ),
    )


def sized(clean, boxes, diameter, lost, target='nose', **more):
    """A disc under which the first ``lost`` people are lost altogether."""

    def lose(joints):
        joints = joints.copy()
        joints[:lost] += 1000
        return joints

    return made_up.attack(
        clean,
        boxes,
        target,
        fault=lose,
        name=f'keypoint:{target}:black:{100 * diameter:g}%',
        suite='severity',
        config=[
            dict(
                type='KeypointOcclusion',
                target=target,
                fill='black',
                diameter=diameter,
            )
        ],
        **more,
    )


def test_severity_curves():
    boxes = boxes_of_all()
    clean = made_up.perfect(boxes)
    some = np.arange(6) < 3
    attacks = [
        sized(clean, boxes, 0.4, 3),
        sized(clean, boxes, 0.1, 1, changed=some),
        sized(clean, boxes, 0.1, 0, target='left_eye', changed=some),
        sized(clean, boxes, 0.4, 0, target='left_eye'),
    ]
    run = made_up.run(boxes, clean, attacks, people=[])
    (found,), _ = analyse([run], draws=100)
    assert found.main == 'PCK'
    mean, nose, eye = found.curves
    assert (mean.target, nose.target, eye.target) == (
        'mean',
        'nose',
        'left_eye',
    )
    # of the three people that both steps attack, one and then three are lost
    assert nose.people == 3
    assert nose.severity == [0, 0.1, 0.4]
    values = [p.value for p in nose.points]
    assert values == pytest.approx([1, 2 / 3, 0])
    area = (0.1 * (1 + 2 / 3) / 2 + 0.3 * (2 / 3 + 0) / 2) / 0.4
    assert nose.area.value == pytest.approx(area)
    assert nose.area.low < area < nose.area.high
    assert [p.value for p in eye.points] == pytest.approx([1, 1, 1])
    assert (eye.area.low, eye.area.high) == pytest.approx((1, 1))
    values = [p.value for p in mean.points]
    assert values == pytest.approx([1, 5 / 6, 1 / 2])


def test_controls_are_of_the_same_people():
    boxes = boxes_of_all()
    clean = made_up.perfect(boxes)

    def place(where, lost, changed):
        def lose(joints):
            joints = joints.copy()
            joints[:lost] += 1000
            return joints

        return made_up.attack(
            clean,
            boxes,
            fault=lose,
            changed=changed,
            name=f'keypoint:nose:black:24:{where}',
            config=dict(
                type='KeypointOcclusion',
                target='nose',
                fill='black',
                radius=24,
                **({} if where == 'target' else dict(place=where)),
            ),
        )

    everybody, four = np.ones(6, bool), np.arange(6) < 4
    attacks = [
        place('target', 4, everybody),
        place('on_person', 1, four),
        place('off_person', 0, everybody),
    ]
    run = made_up.run(boxes, clean, attacks, people=[])
    (found,), _ = analyse([run], draws=20)
    (control,) = found.controls
    assert control.people == 4
    assert {k: e.value for k, e in control.change.items()} == pytest.approx(
        dict(target=-1, on_person=-0.25, off_person=0)
    )
    assert {k: e.value for k, e in control.excess.items()} == pytest.approx(
        dict(on_person=-0.75, off_person=-1)
    )
    # a control hides nothing: it has no place in the matrix or on the body
    assert [cost.plain for cost in found.costs] == [True, False, False]


def test_models_are_compared_on_the_same_boxes():
    boxes = boxes_of_all()
    clean = made_up.perfect(boxes)
    first = made_up.run(
        boxes, clean, [sized(clean, boxes, 0.4, 3)], model='A', people=[]
    )
    second = replace(first, model='B', attacks=[sized(clean, boxes, 0.4, 0)])
    _, found = analyse([first, second], draws=50)
    assert (found.baseline, found.reasons) == ('A', {})
    whole, attacked = found.differences
    assert whole.attack == 'clean'
    ends = whole.score['PCK']
    assert (ends.value, ends.low, ends.high) == (0, 0, 0)
    assert attacked.score['PCK'].value == pytest.approx(0.5)
    assert attacked.loss['PCK'].value == pytest.approx(0.5)
    assert attacked.score['PCK'].is_real

    rows = np.arange(5)
    other = replace(
        second,
        boxes=made_up.take(boxes, rows),
        clean=Predictions(clean.keypoints[:5], clean.scores[:5]),
        attacks=[],
    )
    _, found = analyse([first, other], draws=5)
    assert found.differences == []
    assert '6 and 5 boxes' in found.reasons['B']
    moved = replace(boxes, boxes=boxes.boxes + 3)
    _, found = analyse([first, replace(second, boxes=moved)], draws=5)
    assert 'different boxes' in found.reasons['B']


def test_pckh_where_there_are_heads():
    boxes = boxes_of_all()
    boxes = replace(boxes, head_sizes=np.full(6, 20.0))
    clean = made_up.perfect(boxes)
    clean.keypoints[:3, 0] += (0, 9.9)
    clean.keypoints[3:, 0] += (0, 10.1)
    run = made_up.run(boxes, clean, [], people=[])
    (found,), _ = analyse([run], draws=0)
    assert found.main == 'PCKh'
    assert found.clean['PCKh'].value == pytest.approx(1 - 3 / (6 * 17))


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        (dict(target='nose', fill='black'), ('joint', 'nose', 'black', True)),
        (dict(target='nose'), ('joint', 'nose', 'blur', True)),
        (
            dict(target='nose', fill='mean', radius=24),
            ('joint', 'nose', 'mean 24', True),
        ),
        (dict(target='random'), ('joint', 'random', 'blur', False)),
        (
            dict(target='nose', place='off_person'),
            ('joint', 'nose', 'blur', False),
        ),
        (dict(target='nose', diameter=0.2), ('joint', 'nose', 'blur', False)),
        (
            dict(target=['nose', 'left_eye']),
            ('joint', 'nose,left_eye', 'blur', True),
        ),
        (
            dict(type='PartOcclusion', target='head'),
            ('part', 'head', 'blur', True),
        ),
        (dict(type='MyOwn'), ('other', 'mine', '', False)),
    ],
    ids=str,
)
def test_what_attacks_are_about(config, expected):
    boxes = made_up.people(1, 1)
    attack = made_up.attack(
        made_up.perfect(boxes),
        boxes,
        name='mine',
        config=[dict(dict(type='KeypointOcclusion'), **config)],
    )
    found = about(attack)
    got = (found.kind, found.target, found.paint, found.is_plain)
    assert got == expected
