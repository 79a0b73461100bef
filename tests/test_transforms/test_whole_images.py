"""Occlusions before the crop: many people in image pixels."""

import cv2
import numpy as np
import pytest
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion
from tests.golden.person import PERSON, members
from tests.golden.samples import (
    crop,
    crowd,
    labelled,
    mask,
    photo,
    replayed,
    white,
)
from tests.records import under


@pytest.mark.parametrize('fill', ['blur', 'black'])
def test_whole_image_radii_scale_with_the_persons_box(fill):
    """Boxes 128 and 384 high: R = 3 and 9, for any image height."""
    people = [
        dict(nose=(50, 60), bbox=(20, 40, 100, 168)),
        dict(nose=(300, 100), bbox=(200, 20, 400, 404)),
    ]
    clean = photo(480, 640)
    results = KeypointOcclusion('nose', fill=fill, size=6)(
        crowd(people, clean.copy(), warped=False)
    )
    small, large = results['occlusions']
    assert small['region'] == dict(shape='disc', center=[50, 60], radius=3)
    assert large['region'] == dict(shape='disc', center=[300, 100], radius=9)
    assert (small['pixels'], large['pixels']) == (29, 253)
    assert (small['instance'], large['instance']) == (0, 1)
    if fill == 'blur':
        assert small['paint']['ksize'] == 5
        assert large['paint']['ksize'] == 17
    else:
        painted = mask(results, clean)
        assert painted.sum() == 29 + 253
    assert (replayed(clean, results['occlusions']) == results['img']).all()


def test_boxes_as_corners():
    """As BottomupRandomAffine leaves them, here turned by 90 degrees."""
    clean = photo(480, 640)
    results = crowd(
        [dict(nose=(50, 60), bbox=(0, 0, 0, 0))], clean.copy(), warped=False
    )
    corners = [[100, 40], [100, 168], [20, 168], [20, 40]]
    results['bbox'] = np.array([corners], np.float32)
    (record,) = KeypointOcclusion('nose', fill='black', size=6)(results)[
        'occlusions'
    ]
    assert record['region']['radius'] == 3


def test_whole_image_part_of_each_person():
    """A part's blur scales with its person: 31 * 128 / 256 = 15.5, 15."""
    small = {n: (x / 2, y / 2) for n, (x, y) in PERSON.items()}
    large = {n: (x + 200, y + 100) for n, (x, y) in PERSON.items()}
    clean = photo(480, 640)
    people = [
        dict(small, bbox=(0, 0, 96, 128)),
        dict(large, bbox=(200, 100, 392, 356)),
        dict(nose=(500, 60), bbox=(450, 20, 550, 200)),
    ]
    results = crowd(people, clean.copy(), warped=False)
    results = PartOcclusion('left_arm', fill='blur', remove_keypoints=True)(
        results
    )
    first, second, third = results['occlusions']
    assert first['paint']['ksize'] == 15
    assert second['paint']['ksize'] == 31
    assert third['reason']
    for number, record in enumerate((first, second)):
        gone = {name for person, name in record['removed']}
        assert gone >= members('left_arm')
        assert {person for person, _ in record['removed']} == {number}
        assert labelled(results, person=number) == PERSON.keys() - gone
        x1, y1, x2, y2 = record['box']
        ksize = record['paint']['ksize']
        exact = cv2.GaussianBlur(clean, (ksize, ksize), 0).astype(int)
        assert (
            np.abs(results['img'][y1:y2, x1:x2] - exact[y1:y2, x1:x2]).max()
            <= 1
        )
    assert labelled(results, person=2) == {'nose'}


def test_availability_of_targets_in_whole_images():
    people = [
        dict(nose=(639.5, 10), bbox=(560, 0, 640, 256)),  # in
        dict(nose=(640, 10), bbox=(560, 0, 640, 256)),  # out
    ]
    clean = white(480, 640)
    results = KeypointOcclusion('nose', fill='black')(
        crowd(people, clean.copy(), warped=False)
    )
    first, second = results['occlusions']
    assert first['pixels'] == mask(results, clean).sum() > 0
    assert second['reason']


def test_hidden_joints_are_everybodys():
    """A disc on one person's nose also hides his neighbour's wrist."""
    people = [dict(nose=(60, 60)), dict(left_wrist=(64, 61), nose=(20, 20))]
    results = KeypointOcclusion('nose', fill='black')(
        crowd(people, photo(256, 192))
    )
    first, second = results['occlusions']
    assert sorted(under(first)) == [[0, 'nose'], [1, 'left_wrist']]
    assert under(second) == [[1, 'nose']]
    assert first['removed'] == second['removed'] == []


def test_a_removed_joint_stays_removed_after_the_warp():
    """On the whole image first, then through MMPose's own TopdownAffine."""
    results = crop(PERSON, white(256, 192))
    del results['transformed_keypoints']
    results['img'] = white(600, 500)
    results = PartOcclusion('left_arm', fill='black', remove_keypoints=True)(
        results
    )
    assert not labelled(results) & members('left_arm')
    affine = dict(type='TopdownAffine', input_size=(192, 256))
    results = TRANSFORMS.build(affine)(results)
    assert not labelled(results) & members('left_arm')
    left = KeypointOcclusion('left_wrist')(results)['occlusions'][-1]
    assert left['reason']
    assert left['call'] == 1
