"""The naive reference against values computed by hand."""

import cv2
import numpy as np
import pytest

from tests.golden import naive_reference as reference
from tests.golden.samples import names, photo

# Rows of a disc of radius 6 around an integer centre, from the middle out:
# 13, 11, 11, 11, 9, 7, 1 pixels (sqrt(36 - d^2) for d = 0..6 is 6, 5.9, 5.7,
# 5.2, 4.5, 3.3, 0), so 13 + 2 * (11 + 11 + 11 + 9 + 7 + 1) = 113 in all.
DISC_ROWS = [1, 7, 9, 11, 11, 11, 13, 11, 11, 11, 9, 7, 1]


def test_disc_rows():
    pixels = reference.disc_pixels((96, 100), 256, 192)
    rows = [row for row, _ in pixels]
    assert [rows.count(row) for row in range(94, 107)] == DISC_ROWS
    assert len(pixels) == sum(DISC_ROWS) == 113


@pytest.mark.parametrize(
    ('radius', 'count'), [(1, 5), (2, 13), (3, 29), (4, 49)]
)
def test_disc_counts(radius, count):
    # 5; 5 + 2 * (3 + 1); 7 + 2 * (5 + 5 + 1); 9 + 2 * (7 + 7 + 5 + 1)
    assert len(reference.disc_pixels((20, 20), 40, 40, radius)) == count


def test_disc_between_pixels():
    # Distances 0.5, 1.5, ... 5.5: half rows of 6, 6, 5, 5, 4, 2 pixels.
    pixels = reference.disc_pixels((96.5, 100.5), 256, 192)
    assert len(pixels) == 4 * (6 + 6 + 5 + 5 + 4 + 2) == 112


@pytest.mark.parametrize(('a', 'b', 'widths'), [
    ((10, 10), (10, 50), (10, 40)),  # upright: a quarter of 40 wide
    ((10, 10), (50, 10), (40, 10)),  # lying: a quarter of 40 high
    ((10, 10), (22, 26), (12, 16)),  # slanted: as it is
    ((7, 7), (7, 7), (0, 0)),
])  # fmt: skip
def test_gap(a, b, widths):
    assert reference.gap(a, b) == reference.gap(b, a) == widths


@pytest.mark.parametrize('layout', ['coco', 'mpii'])
def test_members_exist(layout):
    for part in reference.PARTS:
        assert set(reference.members(part, layout)) <= set(names(layout))


def test_kernels():
    """Sigma 0 is 2.0 for 11 taps and 5.0 for 31; reflect-101 borders."""
    image = photo(40, 30)
    for kernel, sigma in ((11, 2.0), (31, 5.0)):
        half = kernel // 2
        offsets = np.arange(-half, half + 1)
        taps = np.exp(-(offsets**2) / (2 * sigma**2))
        taps /= taps.sum()
        # reflect-101: ... 2 1 | 0 1 2 ...; twice where the crop is smaller
        # than the kernel's half
        wide = np.pad(
            image.astype(float),
            ((half, half), (half, half), (0, 0)),
            'reflect',
        )
        down = sum(t * wide[i : i + 40] for i, t in enumerate(taps))
        both = sum(t * down[:, i : i + 30] for i, t in enumerate(taps))
        blurred = cv2.GaussianBlur(image, (kernel, kernel), 0)
        assert np.abs(blurred - np.rint(both)).max() <= 1


def test_mean_is_truncated():
    image = np.empty((64, 48, 3), np.uint8)  # 3072 pixels
    image[:32, :, 0], image[32:, :, 0] = 100, 101  # 100.5
    image[..., 1], image[5, 5, 1] = 255, 254  # 254.9997
    image[..., 2], image[5, 5, 2] = 0, 255  # 0.083
    assert reference.mean_colour(image) == [100, 254, 0]
