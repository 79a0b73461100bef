"""Labels removed under the paint."""

import pytest

from mmpose_occlusion.transforms import KeypointOcclusion, PartOcclusion
from tests.golden import naive_reference as reference
from tests.golden.person import PERSON
from tests.golden.samples import (
    covered,
    crop,
    crowd,
    labelled,
    mask,
    names,
    white,
)
from tests.records import under


@pytest.mark.parametrize('two_channels', [False, True])
@pytest.mark.parametrize('part', reference.PARTS)
def test_removal_drops_what_is_under_the_paint(part, two_channels):
    outside = dict(PERSON, right_ankle=(78, 256), nose=(-0.3, 38))
    results = crop(outside, white(256, 192), two_channels=two_channels)
    before = results['keypoints_visible'].copy()
    coordinates = results['transformed_keypoints'].copy()
    results = PartOcclusion(part, fill='black', remove_keypoints=True)(results)
    painted = mask(results, white(256, 192))
    inside = {n: p for n, p in outside.items() if p[0] > 0 and p[1] < 256}
    gone = covered(painted, inside)
    assert labelled(results) == outside.keys() - gone
    (record,) = results['occlusions']
    assert {name for _, name in record['removed']} == gone
    after = results['keypoints_visible']
    assert (after.shape, after.dtype) == (before.shape, before.dtype)
    kept = [name not in gone for name in names('coco')]
    assert (after[0, kept] == before[0, kept]).all()
    assert (results['transformed_keypoints'][0, kept] == coordinates[0, kept]
            ).all()  # fmt: skip


def test_removal_reaches_everybody_in_the_picture():
    """The second person's nose lies under the first one's arm."""
    other = dict(nose=(122, 96), left_ankle=(20, 240))
    clean = white(256, 192)
    results = crowd([PERSON, other], clean.copy())
    arms = PartOcclusion('left_arm', fill='black', remove_keypoints=True)(
        results
    )
    first, second = arms['occlusions']
    assert [1, 'nose'] in under(first)
    assert [1, 'nose'] in first['removed']
    assert second['reason']  # nobody but the first has that arm
    assert labelled(arms, person=1) == {'left_ankle'}
    painted = mask(arms, clean)
    assert labelled(arms) == PERSON.keys() - covered(painted, PERSON)


def test_removed_joints_are_unavailable_to_the_next():
    clean = white(256, 192)
    results = crop(PERSON, clean.copy())
    results = PartOcclusion('left_arm', fill='mean', remove_keypoints=True)(
        results
    )
    results = KeypointOcclusion('left_wrist', fill='black')(results)
    first, second = results['occlusions']
    assert (first['call'], second['call']) == (0, 1)
    assert first['transform'] == 'PartOcclusion'
    assert second['transform'] == 'KeypointOcclusion'
    assert second['reason']
    assert (results['img'] == clean).all()  # the mean of white is white
