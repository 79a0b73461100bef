"""Summary numbers by hand."""

import numpy as np
import pytest

from mmpose_occlusion.metrics import robustness

CLEAN = np.array([0.8, 0.6])
CURVES = {
    'black': np.array([[0.6, 0.6], [0.2, 0.4]]),
    'blur': np.array([[0.8, 0.5], [0.7, 0.5]]),
}


def test_mean_and_relative_performance():
    mean = robustness.mean_performance(CURVES)
    assert mean == pytest.approx([(0.4 + 0.75) / 2, (0.5 + 0.5) / 2])
    relative = robustness.relative_performance(CURVES, CLEAN)
    assert relative == pytest.approx([0.575 / 0.8, 0.5 / 0.6])


def test_error_against_a_reference_is_one_for_itself():
    assert robustness.mean_occlusion_error(CURVES, CURVES) == pytest.approx(1)
    better = {name: 1 - (1 - c) / 2 for name, c in CURVES.items()}
    found = robustness.mean_occlusion_error(better, CURVES)
    assert found == pytest.approx(0.5)


def test_another_suite_is_refused():
    with pytest.raises(ValueError, match='only one has blur'):
        robustness.mean_occlusion_error(CURVES, {'black': CURVES['black']})


def test_half_severity():
    at = np.array([0.1, 0.2])
    found = robustness.half_severity(at, CURVES['black'], CLEAN)
    # .6 -> .2 crosses .4 half way; .6 -> .6 -> .4 never reaches .3
    assert found == pytest.approx([0.15, np.inf])


def test_crossing_takes_the_first_of_several():
    curve = np.array([[0.3], [0.9], [0.1]])
    found = robustness.crossing(
        np.array([1.0, 2.0, 3.0]), curve, np.array([1.0]), np.array([0.5])
    )
    assert found == pytest.approx((1 - 0.5) / (1 - 0.3))


def test_undefined_stays_undefined():
    found = robustness.half_severity(
        np.array([1.0]), np.array([[np.nan]]), np.array([1.0])
    )
    assert np.isnan(found).all()
    assert np.isnan(robustness.relative_performance(CURVES, np.zeros(2))).all()
