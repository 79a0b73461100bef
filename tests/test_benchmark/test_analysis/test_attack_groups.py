"""Severity curves and controls, by hand."""

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from tests.test_benchmark import made_up
from tests.test_benchmark.test_analysis.attack_cases import (
    boxes_of_all,
    sized,
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
                size=24,
                **({} if where == 'target' else dict(place=where)),
            ),
        )

    everyone, four = np.ones(6, bool), np.arange(6) < 4
    attacks = [
        place('target', 4, everyone),
        place('on_person', 1, four),
        place('off_person', 0, everyone),
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
    # controls are left out of the matrix and of the body figure
    assert [bool(cost.label) for cost in found.costs] == [True, False, False]
