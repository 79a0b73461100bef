"""Models against each other, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis import analyse
from mmpose_occlusion.benchmark.data import Predictions
from tests.test_benchmark import made_up
from tests.test_benchmark.test_analysis.attack_cases import (
    boxes_of_all,
    sized,
)


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
