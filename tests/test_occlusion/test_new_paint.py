"""A paint of the user's own: one class, which every layer then takes."""

import json
from dataclasses import dataclass

import numpy as np
import pytest

from mmpose_occlusion import occlude
from mmpose_occlusion.occlusion import (
    FILLS,
    PAINTS,
    Paint,
    paint,
    parse_attack,
    replay_all,
)
from tests.golden.samples import crop, photo

JOINTS = dict(nose=(40, 30), left_wrist=(60, 90))


@pytest.fixture(autouse=True)
def stripes():
    """Rows of two grey levels, each ``width`` pixels high."""
    paints, fills = dict(PAINTS), dict(FILLS)

    @paint('stripes')
    @dataclass(frozen=True)
    class Stripes(Paint):
        width: int

        @classmethod
        def resolve(cls, fill, request):
            return cls(request.ksize // 5)

        def render(self, image, region, box):
            rows = np.arange(box[1], box[3]) // self.width % 2
            pixels = (200 * rows + 20).astype(image.dtype)
            return pixels.reshape(-1, *[1] * (image.ndim - 1))

    yield Stripes
    for table, before in ((PAINTS, paints), (FILLS, fills)):
        table.clear()
        table.update(before)


def striped(image, width):
    """The image, all of it under stripes."""
    rows = np.arange(len(image)) // width % 2
    return np.where(rows[:, None, None], 220, 20) + 0 * image.astype(int)


def test_occlude():
    image = photo(120, 100)
    keypoints = np.full((17, 2), np.nan)
    keypoints[[0, 9]] = JOINTS['nose'], JOINTS['left_wrist']
    found = occlude(
        image, keypoints, target='nose', fill='stripes', size='20%'
    )
    # the box is 60 pixels high, the radius 6, the kernel 11, the stripes 2
    rows, cols = np.mgrid[:120, :100]
    disc = (cols - 40) ** 2 + (rows - 30) ** 2 <= 36
    assert (found.image[disc] == striped(image, 2)[disc]).all()
    assert (found.image[~disc] == image[~disc]).all()
    (record,) = found.records
    assert record['paint'] == dict(kind='stripes', width=2)
    written = json.loads(json.dumps(found.records))
    assert (replay_all(image, written) == found.image).all()
    grey = occlude(
        image[..., 0], keypoints, target='nose', fill='stripes', size='20%'
    )
    assert (grey.image == found.image[..., 0]).all()


def test_transforms_and_the_short_form():
    from mmpose.registry import TRANSFORMS

    import mmpose_occlusion.transforms  # noqa: F401

    attack = parse_attack('keypoint:nose:stripes:12')
    assert str(attack) == 'keypoint:nose:stripes:12'
    config = attack.to_config()
    assert config['fill'] == 'stripes'
    clean = photo(256, 192)
    results = TRANSFORMS.build(config)(crop(JOINTS, clean.copy()))
    (record,) = results['occlusions']
    # 2 * 12 - 1 = 23 taps
    assert record['paint'] == dict(kind='stripes', width=4)
    x1, y1, x2, y2 = record['box']
    painted = results['img'] != clean
    assert (results['img'][painted] == striped(clean, 4)[painted]).all()
    assert painted[y1:y2, x1:x2].any()
    assert (replay_all(clean, results['occlusions']) == results['img']).all()


def test_it_is_known_by_name(stripes):
    assert FILLS['stripes'] is PAINTS['stripes'] is stripes
    assert (stripes.kind, stripes.random) == ('stripes', False)


def test_a_paint_may_show_the_image_itself():
    """Two patches of one call are made from the image as it came."""

    @paint('left')
    @dataclass(frozen=True)
    class Left(Paint):
        @classmethod
        def resolve(cls, fill, request):
            return cls()

        def render(self, image, region, box):
            return image[box[1] : box[3], box[0] - 8 : box[2] - 8]

    image = photo(120, 100)
    keypoints = np.full((17, 2), np.nan)
    keypoints[[1, 0]] = (40, 60), (47, 60)
    eyes = ['nose', 'left_eye']
    found = occlude(image, keypoints, target=eyes, fill='left', size=64)
    assert found.targets.sum() == 2
    changed = (found.image != image).any(axis=2)
    moved = np.roll(image, 8, axis=1)
    assert (found.image[changed] == moved[changed]).all()
