"""Which joints a patch hides: those whose nearest pixel is painted."""

import numpy as np
import pytest

from mmpose_occlusion.occlusion import Patch


@pytest.mark.parametrize('masked', [False, True])
def test_covered_joints_by_search_for_the_nearest_pixel(masked):
    """A painted pixel of the image is nearer than any other."""
    rng = np.random.default_rng(3)
    height, width = 9, 7
    box = (2, 3, 7, 9)  # reaches the right and the lower border
    mask = rng.random((6, 5)) < (0.5 if masked else 1)
    painted = np.zeros((height, width), bool)
    painted[3:9, 2:7] = mask
    points = rng.uniform(-1.3, 10.3, (600, 2))
    cols, rows = np.meshgrid(np.arange(width), np.arange(height))
    expected = np.zeros(len(points), bool)
    for joint, (x, y) in enumerate(points):
        nearest = ((cols - x) ** 2 + (rows - y) ** 2).argmin()
        is_inside = 0 <= x < width and 0 <= y < height
        if is_inside and painted.flat[nearest]:
            expected[joint] = True
    patch = Patch(box, np.zeros(3, np.uint8), mask)
    assert 20 < expected.sum() < 500
    named = {str(i): xy for i, xy in enumerate(points.tolist())}
    under = patch.joints_under(named, (height, width, 3))
    assert under == [str(i) for i in np.flatnonzero(expected)]


@pytest.mark.parametrize(
    ('x', 'y', 'hidden'),
    [
        (1.5, 1.0, True),  # halfway: to the right
        (1.49, 1.0, False),
        (3.49, 1.0, True),
        (3.5, 1.0, False),
        (float('nan'), 1.0, False),
        (float('inf'), 1.0, False),
    ],
)
def test_covered_joints_at_the_edges(x, y, hidden):
    """The box is columns 2 and 3, rows 1 and 2."""
    patch = Patch((2, 1, 4, 3), np.zeros(3, np.uint8), np.ones((2, 2), bool))
    assert patch.joints_under({'nose': (x, y)}, (8, 8)) == ['nose'] * hidden
