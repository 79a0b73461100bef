"""Paints beyond the reference's, against loops over pixels."""

import numpy as np
import pytest

from mmpose_occlusion.occlusion import PAINTS, Box, Disc, make_patch
from mmpose_occlusion.occlusion.procedural import THINGS, frame
from tests.golden.samples import photo

DISC = Disc((20.25, 17.5), 9)
BOX = Box((8, 5, 31, 29))
DRAWN = [
    dict(kind='noise', seed=5),
    *[dict(kind='texture', seed=seed) for seed in range(12)],
    *[dict(kind='object', thing=thing, seed=5) for thing in THINGS],
]


def patch_of(image, region, record):
    paint = PAINTS[record['kind']].from_record(record)
    return make_patch(image, region, paint)


def painted(image, region, record):
    out = image.copy()
    patch_of(image, region, record).apply(out)
    return out


@pytest.mark.parametrize('dtype', ['uint8', 'float32'])
@pytest.mark.parametrize('channels', [None, 1, 3])
@pytest.mark.parametrize('block', [1, 4, 7, 40])
def test_squares_have_their_mean_colour(block, channels, dtype):
    height, width = 33, 30
    image = photo(height, width)
    image = image[..., 0] if channels is None else image[..., :channels]
    image = image.astype(dtype)
    out = painted(
        image, Box((3, 6, 30, 33)), dict(kind='pixelate', block=block)
    )
    expected = image.copy()
    for row in range(6, 33):
        for col in range(3, 30):
            top, left = row // block * block, col // block * block
            square = image[top : top + block, left : left + block]
            expected[row, col] = (
                np.rint(square.mean(axis=(0, 1), dtype=float))
                if dtype == 'uint8'
                else square.mean(axis=(0, 1), dtype=float)
            )
    assert out.dtype == image.dtype
    np.testing.assert_allclose(out, expected, rtol=1e-6)


def test_noise_is_uniform():
    image = photo(128, 128)
    noise = painted(image, Box((0, 0, 128, 128)), dict(kind='noise', seed=1))
    counts = np.bincount(noise.ravel(), minlength=256)
    # 49,152 values in 256 bins: 192 each, give or take 5 deviations
    assert np.abs(counts - 192).max() < 5 * 192**0.5
    # neighbours and channels know nothing of each other
    values = noise - noise.mean()
    for other in (np.roll(values, 1, axis) for axis in (0, 1, 2)):
        assert abs((values * other).mean()) < 0.03 * values.var()


@pytest.mark.parametrize('region', [DISC, BOX], ids=['disc', 'box'])
@pytest.mark.parametrize('paint', DRAWN, ids=str)
def test_drawn_paints(paint, region):
    image = photo(40, 50)
    out = painted(image, region, paint)
    again = painted(image, region, paint)
    other = painted(image, region, dict(paint, seed=paint['seed'] + 1))
    assert (out == again).all()
    assert (out != other).any()
    # floats are painted the same; grey pictures too, but for the colour
    floats = painted(image.astype(np.float32), region, paint)
    assert (floats == out).all()
    for grey in (image[..., 0], image[..., :1]):
        assert painted(grey, region, paint).shape == grey.shape
    inside = out[patch_of(image, region, paint).box[1] + 3 :, 18:22]
    assert inside.std() > 2  # not one colour


@pytest.mark.parametrize('paint', DRAWN[1:], ids=str)
def test_a_picture_cuts_a_thing_and_does_not_squeeze_it(paint):
    """What is seen of it at the border is what is seen of the whole."""
    whole = painted(photo(60, 60), Disc((30, 30), 11), paint)
    cut = painted(photo(60, 60)[25:, 25:].copy(), Disc((5, 5), 11), paint)
    disc = Disc((5, 5), 11).mask((0, 0, 35, 35))
    assert (whole[25:, 25:][disc] == cut[disc]).all()


def test_things_lie_over_regions_of_one_pixel():
    image = photo(9, 9)
    for thing in THINGS:
        for region in (Disc((4, 4), 0.8), Box((4, 4, 5, 5))):
            out = painted(
                image, region, dict(kind='object', thing=thing, seed=0)
            )
            assert (out != image).any(-1).sum() <= 1


def test_positions_in_a_disc_and_a_box():
    u, v, depth = frame(Disc((10, 20), 5), (10, 20, 16, 21))
    np.testing.assert_allclose(u, [[0, 0.2, 0.4, 0.6, 0.8, 1]])
    np.testing.assert_allclose(v, np.zeros((1, 6)))
    np.testing.assert_allclose(depth, 1 - u)
    # four pixels fill a box of width 4: their centres are at 1/8, 3/8, ...
    u, v, depth = frame(Box((2, 0, 6, 1)), (2, 0, 6, 1))
    np.testing.assert_allclose(u, [[-0.75, -0.25, 0.25, 0.75]])
    np.testing.assert_allclose(depth, 1 - np.abs(u))
