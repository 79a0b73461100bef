"""Planted losses by size: curves, controls, summaries, S50, skill, stars."""

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.errors import UsageError
from tests.test_benchmark import made_up
from tests.test_benchmark.test_analysis.attack_cases import (
    boxes_of_all,
    disc,
)

PEOPLE = 40


@pytest.fixture(scope='module')
def boxes():
    return boxes_of_all(PEOPLE)


def steps(clean, boxes):
    """Of 40 noses 4, 10, 24 and 36 are lost; of the eyes none."""
    sizes = ('5%', '10%', '15%', '20%')
    return [
        disc(clean, boxes, size, lost)
        for size, lost in zip(sizes, (4, 10, 24, 36), strict=True)
    ] + [disc(clean, boxes, size, 0, 'left_eye') for size in sizes]


def test_severity_curves():
    boxes = boxes_of_all()
    clean = made_up.perfect(boxes)
    some = np.arange(6) < 3
    attacks = [
        disc(clean, boxes, '40%', 3, whole=True),
        disc(clean, boxes, '10%', 1, whole=True, changed=some),
        disc(clean, boxes, '10%', 0, 'left_eye', changed=some),
        disc(clean, boxes, '40%', 0, 'left_eye'),
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
    clean, four = made_up.perfect(boxes), np.arange(6) < 4
    attacks = [
        disc(clean, boxes, '24', lost, whole=True, **more)
        for lost, more in (
            (4, {}),
            (1, dict(place='on_person', changed=four)),
            (0, dict(place='off_person')),
        )
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


def test_a_summary_is_what_was_planted(boxes):
    """A lost nose costs 1 of 17 joints of PCK."""
    clean = made_up.perfect(boxes)
    run = made_up.run(boxes, clean, steps(clean, boxes), people=[])
    (found,), _ = analyse([run], draws=20)
    (summary,) = found.summaries
    nose = 1 - np.array([4, 10, 24, 36]) / PEOPLE / 17
    assert (summary.suite, summary.curves) == ('mine', 2)
    assert summary.severities == [0.05, 0.1, 0.15, 0.2]
    assert summary.clean.value == 1
    assert summary.mpc.value == pytest.approx((nose.mean() + 1) / 2)
    assert summary.rpc.value == pytest.approx(summary.mpc.value)
    assert summary.moe.value is None
    assert not any(curve.reached for curve in found.curves)
    assert all(curve.half.value is None for curve in found.curves)
    # figures of single joints show the usual size
    plain = [c.name for c in found.costs if c.label]
    assert plain == ['keypoint:nose:black:10%', 'keypoint:left_eye:black:10%']


def test_half_is_lost_between_two_sizes(boxes):
    """Whole people are lost: a quarter at 10 %, four fifths at 15 %."""
    clean = made_up.perfect(boxes)
    attacks = []
    for size, lost in (('10%', 10), ('15%', 32)):
        attack = disc(clean, boxes, size, 0)
        attack.predictions.keypoints[:lost] += 1000
        attacks.append(attack)
    run = made_up.run(boxes, clean, attacks, people=[])
    (found,), _ = analyse([run], draws=50)
    (curve,) = found.curves
    assert curve.reached
    # from .75 to .2, .5 is five elevenths of the way
    assert curve.half.value == pytest.approx(0.1 + 0.05 * 5 / 11)
    assert curve.half.low < curve.half.value < curve.half.high


def test_errors_are_relative_to_the_first_model(boxes):
    clean = made_up.perfect(boxes)
    first = made_up.run(boxes, clean, steps(clean, boxes), people=[])
    worse = made_up.run(
        boxes,
        clean,
        [disc(clean, boxes, a.config['size'], 40) for a in first.attacks[:4]],
        people=[],
    )
    better = made_up.run(boxes, clean, first.attacks[:4], people=[])
    (_, found), _ = analyse([better, worse], draws=5)
    lost = np.array([4, 10, 24, 36])
    assert found.summaries[0].moe.value == pytest.approx(160 / lost.sum())
    # other attacks, no comparison
    (_, other), _ = analyse([first, worse], draws=5)
    assert other.summaries[0].moe.value is None


def test_stars_are_of_simultaneous_intervals(boxes):
    clean = made_up.noisy(boxes, 6, lost=0.1)
    run = made_up.run(boxes, clean, steps(clean, boxes))
    (found,), _ = analyse([run], draws=100)
    for cost in found.costs:
        alone, together = cost.change['PCK'], cost.together['PCK']
        assert together.value == alone.value
        assert together.high - together.low >= alone.high - alone.low
    worst, none = found.costs[3], found.costs[4]
    assert worst.together['PCK'].is_real
    assert not none.together['PCK'].is_real
    assert none.equivalence.equal
    assert not worst.equivalence.equal


def test_one_image_has_no_simultaneous_intervals():
    boxes = boxes_of_all(1)
    clean = made_up.perfect(boxes)
    run = made_up.run(boxes, clean, [disc(clean, boxes, '10%', 1)])
    (found,), _ = analyse([run], draws=20)
    assert not found.costs[0].together['PCK'].is_real
    assert found.costs[0].together['PCK'].value == pytest.approx(-1 / 17)


def test_a_model_that_knows_anatomy_alone_has_no_skill(boxes):
    """Perfect under the disc: skill 1; on the wrong side of the body: below
    what anatomy does."""
    clean = made_up.perfect(boxes)
    attacks = [
        disc(clean, boxes, '10%', 0),
        disc(clean, boxes, '15%', PEOPLE),
    ]
    run = made_up.run(boxes, clean, attacks)
    (found,), _ = analyse([run], draws=20)
    right, wrong = found.skill
    assert right.skill.value == pytest.approx(1, abs=1e-5)
    assert right.keypoints == PEOPLE
    assert 0 < right.prior.value < 0.1
    assert wrong.skill.value < -5


def test_the_floor_of_ap_is_not_led_with(boxes):
    """All joints are off by some pixels: AP is 0, PCK is not."""
    exact = made_up.perfect(boxes)
    clean = made_up.noisy(boxes, 25, seed=3)
    run = made_up.run(boxes, clean, [made_up.attack(exact, boxes)])
    (found,), _ = analyse([run], draws=5)
    assert found.clean['AP'].value < 0.05
    assert found.main in ('OKS50', 'PCK')
    assert found.clean[found.main].value >= 0.05
    assert 'AP is 0.0' in found.why_main
    (chosen,), _ = analyse([run], draws=5, measure='AP')
    assert (chosen.main, chosen.why_main) == ('AP', '')
    with pytest.raises(UsageError, match='no PCKh'):
        analyse([run], draws=5, measure='PCKh')
    good = made_up.run(boxes, exact, [])
    (found,), _ = analyse([good], draws=5)
    assert (found.main, found.why_main) == ('AP', '')


def test_missing_data_are_undefined(boxes):
    """No v = 1, no scores, no draws."""
    clean = made_up.perfect(boxes)
    clean.scores[:] = np.nan
    run = made_up.run(boxes, clean, steps(clean, boxes))
    (found,), _ = analyse([run], draws=0)
    assert found.natural.gaps == found.natural.equivalents == []
    assert found.natural.strata
    assert found.scores.clean.keypoints == 0
    assert found.scores.clean.auroc.value is None
    assert found.scores.pooled == []


def test_a_run_without_people(boxes):
    """Of one attack."""
    nobody = made_up.take(boxes, np.zeros(0, int))
    clean = made_up.perfect(nobody)
    run = made_up.run(nobody, clean, [made_up.attack(clean, nobody)])
    (found,), _ = analyse([run], draws=5)
    assert found.people == found.costs[0].people == 0
    assert found.clean['PCK'].value is None
    assert found.skill == []
