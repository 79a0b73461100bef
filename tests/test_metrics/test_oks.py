"""OKS against values by hand, and the one place of its formula."""

import re
from pathlib import Path

import numpy as np
import pytest

import mmpose_occlusion
from mmpose_occlusion.metrics.oks import keypoint_oks, mean_oks


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
    assert places == ['metrics/oks.py']
