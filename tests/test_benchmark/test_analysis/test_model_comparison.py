"""Models against each other, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.analysis.comparisons import not_paired
from mmpose_occlusion.benchmark.data import Predictions
from tests.test_benchmark import made_up
from tests.test_benchmark.test_analysis.attack_cases import (
    boxes_of_all,
    disc,
)


def test_models_are_compared_on_the_same_boxes():
    boxes = boxes_of_all()
    clean = made_up.perfect(boxes)
    first = made_up.run(
        boxes,
        clean,
        [disc(clean, boxes, '40%', 3, whole=True)],
        model='A',
        people=[],
    )
    second = replace(first, model='B', attacks=[disc(clean, boxes, '40%', 0)])
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
    assert '(6 and 5)' in found.reasons['B']
    moved = replace(boxes, boxes=boxes.boxes + 3)
    _, found = analyse([first, replace(second, boxes=moved)], draws=5)
    assert 'different boxes' in found.reasons['B']


def test_equal_boxes_of_other_images_are_not_paired():
    """Data whose bboxes are the images, with large ids."""
    boxes = boxes_of_all()
    clean = made_up.perfect(boxes)
    first, second = (
        made_up.run(
            replace(boxes, image_ids=boxes.image_ids + start),
            clean,
            [],
            model=f'{start}',
            people=[],
        )
        for start in (1_000_000, 1_000_001)
    )
    assert 'different boxes' in not_paired(first, second)
    assert not_paired(first, first) is None


def test_a_model_without_the_first_ones_measure():
    """The config of the second has no COCO annotations."""
    boxes = boxes_of_all()
    clean = made_up.perfect(boxes)
    attacks = [disc(clean, boxes, size, 1) for size in ('10%', '20%')]
    first = made_up.run(boxes, clean, attacks, model='A')
    second = replace(first, model='B', people=[])
    analyses, found = analyse([first, second], draws=5)
    assert [each.main for each in analyses] == ['AP', 'PCK']
    _, row, _ = found.differences
    assert row.score['PCK'].value == 0
    assert 'AP' not in row.score
    assert row.equivalence.p is None
    (summary,) = analyses[1].summaries
    assert summary.moe.value is None


@pytest.mark.parametrize(
    ('under_attack', 'tau'), [((1, 3, 5), 1), ((5, 3, 1), -1)]
)
def test_agreement_over_models(under_attack, tau):
    """Three models lose 1, 2 and 4 of six occluded noses, and as many of the
    visible ones under the disc as given."""
    boxes = boxes_of_all(12)
    boxes.visible[:6, 0] = 1
    runs = []
    for natural, lost in zip((1, 2, 4), under_attack, strict=True):
        clean = made_up.perfect(boxes)
        clean.keypoints[:natural, 0] += 1000

        attack = disc(clean, boxes, '10%', 0)
        attack.predictions.keypoints[6 : 6 + lost, 0] += 1000
        runs.append(
            made_up.run(boxes, clean, [attack], model=f'{natural}', people=[])
        )
    _, found = analyse(runs, draws=50)
    (agreement,) = found.agreement
    assert (agreement.paint, agreement.severity) == ('black', 0.1)
    assert agreement.models == 3
    assert agreement.tau.value == pytest.approx(tau)
    assert agreement.tau.low <= tau <= agreement.tau.high
    _, pair = analyse(runs[:2], draws=5)
    assert pair.agreement == []


def test_stars_of_differences_hold_for_all_attacks():
    boxes = boxes_of_all(20)
    clean = made_up.noisy(boxes, 3)
    sizes = ('10%', '20%', '30%', '40%')
    first, second = (
        made_up.run(
            boxes,
            clean,
            [
                disc(clean, boxes, size, int(lost * i), whole=True)
                for i, size in enumerate(sizes)
            ],
            model=f'{lost}',
            people=[],
        )
        for lost in (3, 1)
    )
    _, found = analyse([first, second], draws=300)
    clean_one, none, *_, worst = found.differences
    for name in ('score', 'loss'):
        draws = getattr(worst, name)['PCK']
        ends = getattr(worst, f'{name}_together')['PCK']
        assert ends.value == draws.value == pytest.approx(0.3)
        assert ends.high - ends.low > draws.high - draws.low
        assert ends.is_real
    assert not none.score_together['PCK'].is_real
    assert none.equivalence.equal
    assert not worst.equivalence.equal
    assert worst.equivalence.smallest_effect > 0
    assert clean_one.score_together['PCK'].value == 0
