"""Crops and decoding against MMPose's own."""

import cv2
import numpy as np
import pytest

from mmpose_occlusion.predictors.exported_models import (
    crop_frames,
    crop_image,
    decode_heatmaps,
    decode_simcc,
    to_image,
)

pytest.importorskip('mmpose')

SIZE = (192, 256)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    'box', [(10, 20, 90, 260), (-30, 5, 200, 60), (3.5, 4.25, 6.5, 9)]
)
def test_the_crop_is_mmposes(rng, box):
    from mmengine.dataset import Compose
    from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

    image = rng.integers(0, 256, (200, 300, 3), np.uint8)
    results = Compose([GetBBoxCenterScale(), TopdownAffine(input_size=SIZE)])(
        dict(img=image, bbox=np.array([box], np.float32))
    )
    (center,), (scale,) = crop_frames(np.array([box]), SIZE)
    assert center == pytest.approx(results['input_center'])
    assert scale == pytest.approx(results['input_scale'], rel=1e-6)
    crop = crop_image(image, center, scale, SIZE)
    far = crop.astype(int) - results['img'].astype(int)
    # rounding of the warp in fixed point: OpenCV before 5 rounds positions to
    # 1/32 of a pixel, which is up to 255 / 32
    assert np.abs(far).max() <= (2 if cv2.__version__ >= '5' else 8)
    assert np.mean(far != 0) < 0.05


def test_to_image_is_the_inverse_of_the_warp(rng):
    frames = crop_frames(np.array([[10, 20, 90, 260]]), SIZE)
    (center,), (scale,) = frames
    image = np.zeros((300, 300, 3), np.uint8)
    image[140, 50] = 255
    crop = crop_image(image, center, scale, SIZE)[..., 0]
    y, x = np.unravel_index(crop.argmax(), crop.shape)
    found = to_image(np.array([[[x, y]]]), *frames, SIZE)
    assert found[0, 0] == pytest.approx([50, 140], abs=0.7)


def test_heatmaps_are_decoded_as_by_mmpose(rng):
    from mmpose.codecs import MSRAHeatmap

    codec = MSRAHeatmap(input_size=SIZE, heatmap_size=(48, 64), sigma=2)
    heatmaps = rng.normal(size=(20, 17, 64, 48)).astype(np.float32)
    heatmaps[0] = -1  # nothing found
    heatmaps[1, :, 0] += 9  # at the border
    heatmaps[2, :, :, -1] += 9
    heatmaps[3, :, 1] += 9
    found, values = decode_heatmaps(heatmaps, SIZE)
    for i, one in enumerate(heatmaps):
        xy, scores = codec.decode(one)
        assert found[i] == pytest.approx(xy[0], abs=1e-4)
        assert values[i] == pytest.approx(scores[0])


def test_simcc_is_decoded_as_by_mmpose(rng):
    from mmpose.codecs import SimCCLabel

    codec = SimCCLabel(
        input_size=SIZE, sigma=(4.9, 5.66), simcc_split_ratio=2.0
    )
    x = rng.normal(size=(5, 17, 384)).astype(np.float32)
    y = rng.normal(size=(5, 17, 512)).astype(np.float32)
    x[0] -= 9
    found, values = decode_simcc(x, y, SIZE)
    xy, scores = codec.decode(x.copy(), y.copy())
    assert found == pytest.approx(xy)
    assert values == pytest.approx(scores)
