"""OKS against values by hand, and the one place of its formula."""

import re
from pathlib import Path

import numpy as np
import pytest

import mmpose_occlusion
from mmpose_occlusion.metrics.oks_pck import (
    box_size,
    clip_box,
    is_correct,
    joint_errors,
    keypoint_oks,
    mean_oks,
)


def similar(distance):
    """With a sigma of 0.05 and an area of 10,000."""
    return np.exp(-(distance**2) / 200)


@pytest.mark.parametrize(
    ('errors', 'labelled', 'expected'),
    [
        ([0, 0], [1, 1], 1),
        ([10, 0], [1, 1], (similar(10) + 1) / 2),
        ([10, 0], [1, 0], similar(10)),
        ([np.inf, 0], [1, 1], 0.5),
        ([np.nan, 0], [0, 1], 1),
        ([0, 0], [0, 0], np.nan),
    ],
)
def test_oks_by_hand(errors, labelled, expected):
    offsets = np.array([[(x, 0) for x in errors]], float)
    values = keypoint_oks(offsets, np.array([1e4]), np.full(2, 0.05))
    found = mean_oks(values, np.array([labelled], bool))
    assert found == pytest.approx([expected], nan_ok=True)


def test_each_keypoint_has_its_sigma_and_each_person_its_area():
    offsets = np.full((2, 2, 2), (3.0, 4.0))
    found = keypoint_oks(offsets, np.array([100.0, 400]), np.array([0.1, 0.2]))
    expected = [[-25 / 8, -25 / 32], [-25 / 32, -25 / 128]]
    assert np.log(found) == pytest.approx(np.array(expected))


def test_the_formula_stands_in_one_file():
    root = Path(mmpose_occlusion.__file__).parent
    places = [
        path.relative_to(root).as_posix()
        for path in sorted(root.rglob('*.py'))
        if re.search(r'2 \* [\w.()]*sigmas\)*\)* ?\*\* ?2', path.read_text())
    ]
    assert places == ['metrics/oks_pck.py']


def test_size_is_the_longer_side():
    boxes = np.array([[10, 20, 40, 30], [0, 0, 5, 7.5]])
    assert box_size(boxes).tolist() == [30, 7.5]


def test_a_box_is_cut_to_the_pixels_of_its_image():
    found = clip_box(np.array([-10.0, 20, 200, 30]), width=100, height=40)
    assert found.dtype == np.float32
    assert found.tolist() == [0, 20, 99, 39]


def test_errors_are_distances():
    found = joint_errors(
        np.array([[3.0, 4], [1, 1]]), np.array([[0, 0], [1, 1]])
    )
    assert found.tolist() == [5, 0]


def test_correct_by_the_size_of_each_person():
    errors = np.array([[1.9, 2.0, 0], [9.9, 0, 0]])
    # limits 2 and 10: 1.9 is below, 2.0 is not, 9.9 is
    correct = is_correct(errors, np.array([10.0, 50.0]))
    assert correct.tolist() == [[True, False, True], [True, True, True]]
