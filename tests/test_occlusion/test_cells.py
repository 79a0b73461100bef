"""Squares at places in a person's box."""

import numpy as np
import pytest

from mmpose_occlusion.benchmark.suite import load_suites
from mmpose_occlusion.occlusion import occlude, parse_attack
from mmpose_occlusion.occlusion.targets import cell_position
from mmpose_occlusion.skeleton import COCO_JOINTS, Skeleton

SKELETON = Skeleton(COCO_JOINTS)


def painted(name, bbox, size='10%', shape=(240, 200)):
    """x1, y1, x2, y2 of the pixels that a cell paints, ends exclusive; None
    without any."""
    image = np.full((*shape, 3), 200, np.uint8)
    joints = np.zeros((17, 3))
    joints[9] = 60, 100, 2
    found = occlude(
        image,
        joints,
        target=f'cell:{name}',
        fill='black',
        size=size,
        bbox=bbox,
    )
    rows, columns = np.nonzero((found.image == 0).all(axis=2))
    if not len(rows):
        return None
    box = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    area = (box[2] - box[0]) * (box[3] - box[1])
    assert area == len(rows)
    return tuple(map(int, box))


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        # box 80 x 200 with its middle at x = 60: side 20, centre (60, 20)
        ('x0y0', (50, 10, 70, 30)),
        ('x-10y35', (30, 80, 50, 100)),
        ('x20y100', (90, 210, 110, 230)),
        ('x25y50', None),  # 50 from the middle of a box 80 wide
    ],
)
def test_squares_by_hand(name, expected):
    assert painted(name, (20, 20, 100, 220)) == expected


def test_a_square_has_one_size_wherever_it_is():
    sizes = set()
    for x in np.arange(20, 21, 0.13):
        x1, y1, x2, y2 = painted('x5y50', (x, 20.3, x + 80, 220.3))
        sizes.add((x2 - x1, y2 - y1))
    assert sizes == {(20, 20)}


def test_the_joint_below_is_a_bystander():
    image = np.full((240, 200, 3), 200, np.uint8)
    joints = np.zeros((17, 3))
    joints[9] = 60, 100, 2
    box = (20, 20, 100, 220)
    found = occlude(image, joints, target='cell:x0y40', bbox=box, size='10%')
    assert found.hidden.nonzero()[0].tolist() == [9]
    assert not found.targets.any()


def test_the_grid():
    fine = load_suites(['map'], [], SKELETON)
    coarse = load_suites(['map-coarse'], [], SKELETON)
    assert (len(fine), len(coarse)) == (21 * 41, 11 * 21)
    assert {a.key for a in coarse} < {a.key for a in fine}
    assert len({a.key for a in fine}) == len(fine)
    text = 'cell:x-10y35:black:10%'
    assert str(parse_attack(text)) == text
    assert text in {a.name for a in fine}
    assert text not in {a.name for a in coarse}


def test_names_that_are_no_place():
    with pytest.raises(ValueError, match='must look like x-10y35'):
        cell_position('x0.1y2')
    with pytest.raises(ValueError, match='must look like'):
        parse_attack('cell:nose:black').check(SKELETON)


def test_on_crops_the_square_is_at_the_same_place_of_the_person():
    transforms = pytest.importorskip('mmpose_occlusion.transforms')
    visible = np.zeros((1, 17))
    visible[0, 9] = 1
    results = dict(
        img=np.full((256, 192, 3), 200, np.uint8),
        img_id=1,
        id=2,
        bbox=np.array([[20, 20, 100, 220]], float),
        transformed_keypoints=np.full((1, 17, 2), 90.0),
        keypoints=np.full((1, 17, 2), 60.0),
        keypoints_visible=visible,
        keypoint_id2name=dict(enumerate(COCO_JOINTS)),
        input_center=np.array([60.0, 120.0]),
        input_scale=np.array([192.0, 256.0]),
        input_size=(192, 256),
    )
    cell = transforms.CellOcclusion('x-10y35', fill='black', size='10%')
    out = cell.transform(dict(results))
    # a crop without zoom, whose left top corner is at (-36, -8)
    rows, columns = np.nonzero((out['img'] == 0).all(axis=2))
    found = columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
    assert found == (30 + 36, 80 + 8, 50 + 36, 100 + 8)
