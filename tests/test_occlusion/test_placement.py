"""Controls, against a search through all places."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest

from mmpose_occlusion.occlusion import Box, Disc, Person
from mmpose_occlusion.occlusion.placement import (
    DECOY,
    OFF_PERSON,
    ON_PERSON,
    body_mask,
    move_aside,
    move_elsewhere,
    with_joints,
)
from mmpose_occlusion.skeleton import Skeleton

HEIGHT, WIDTH = 22, 19
ROWS, COLS = np.mgrid[:HEIGHT, :WIDTH]
PERSON = (abs(COLS - 8) < 3) & (ROWS > 2) & (ROWS < 20)
PHOTO = (ROWS < 21) & (COLS > 0)
JOINTS = np.isin(ROWS * WIDTH + COLS, [6 * WIDTH + 8, 10 * WIDTH + 9])
REGIONS = [Disc((8.25, 6.5), 2.6), Disc((8, 6), 2), Box((7, 5, 10, 9))]


def pixels(region, shape=(HEIGHT, WIDTH)):
    """(H, W) bool, from what a region is."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    if isinstance(region, Disc):
        x, y = region.center
        return (cols - x) ** 2 + (rows - y) ** 2 <= region.radius**2
    x1, y1, x2, y2 = region.box
    return (cols >= x1) & (cols < x2) & (rows >= y1) & (rows < y2)


def radius_of(region):
    """Of a box, half its longer side."""
    if isinstance(region, Disc):
        return region.radius
    x1, y1, x2, y2 = region.box
    return max(x2 - x1, y2 - y1) / 2


def allowed(region, place, person=PERSON, photo=PHOTO):
    """Every place that the definition allows, as sets of pixels."""
    own = pixels(region)
    found = []
    for dy in range(-HEIGHT, HEIGHT):
        for dx in range(-WIDTH, WIDTH):
            moved = region.moved(dx, dy)
            there = pixels(moved)
            if there.sum() != own.sum() or (there & ~photo).any():
                continue
            x, y = (int(np.floor(v + 0.5)) for v in moved.center)
            if place == DECOY:
                far = np.hypot(dx, dy) / radius_of(region)
                fits = 1 <= far <= 3 and not (there & person).any()
            elif place == ON_PERSON:
                fits = person[y, x] and not (there & own).any()
            else:
                fits = not (there & person).any()
            if fits:
                found.append(moved)
    return found


@pytest.mark.parametrize('place', [ON_PERSON, OFF_PERSON, DECOY])
@pytest.mark.parametrize('region', REGIONS, ids=str)
def test_every_place_that_fits_and_no_other(region, place):
    # a decoy must miss joints alone
    person = JOINTS if place == DECOY else PERSON
    expected = allowed(region, place, person)
    count = len(expected)
    assert count > 5
    found = [
        move_elsewhere(region, place, person, PHOTO, (i + 0.5) / count)
        for i in range(count)
    ]
    assert set(found) == set(expected)  # each once: all equally likely
    area = pixels(region).sum()
    assert {pixels(moved).sum() for moved in found} == {area}


@pytest.mark.parametrize('place', [ON_PERSON, OFF_PERSON])
def test_the_masks_stay(place):
    person, photo = PERSON.copy(), PHOTO.copy()
    move_elsewhere(REGIONS[0], place, person, photo, 0.4)
    assert (person == PERSON).all()
    assert (photo == PHOTO).all()


@pytest.mark.parametrize(
    'region',
    [
        Disc((1.5, 6), 2.6),
        Disc((8, 21), 2),
        Box((-1, 0, 3, 3)),
        Disc((50, 5), 3),
    ],
    ids=str,
)
def test_a_region_that_the_border_cuts_has_no_equal(region):
    everything = np.ones((HEIGHT, WIDTH), bool)
    for place in (ON_PERSON, OFF_PERSON):
        assert (
            move_elsewhere(region, place, everything, everything, 0.5) is None
        )


def test_where_nothing_fits():
    everything = np.ones((HEIGHT, WIDTH), bool)
    region = Disc((9, 10), 6)
    # no room for another disc, and no pixel that is not the person's
    assert move_elsewhere(region, ON_PERSON, everything, PHOTO, 0.5) is None
    assert move_elsewhere(region, OFF_PERSON, everything, PHOTO, 0.5) is None
    assert move_elsewhere(region, OFF_PERSON, PERSON, ~everything, 0) is None


def test_a_body_is_limbs_and_hulls():
    xy = np.array([[20, 10], [20, 50], [60, 10], [np.nan, 3], [30, 90.0]])
    known = np.array([True, True, True, True, False])
    skeleton = Skeleton(tuple('abcde'), dict(corpus=('a', 'b', 'c')))
    person = Person(skeleton, xy, known, known, 0, 40)
    shape = body_mask(person, [(0, 1), (0, 4), (2, 3)], (100, 80))
    inside = [(20, 10), (20, 30), (30, 20), (60, 10), (18, 30), (61, 10)]
    outside = [(14, 30), (60, 40), (30, 90), (25, 70), (67, 10)]
    assert all(shape[y, x] for x, y in inside)
    assert not any(shape[y, x] for x, y in outside)
    # a limb alone: 0.1 of 40 pixels wide
    only = Person(Skeleton(('a', 'b')), xy[:2], known[:2], known[:2], 40)
    limb = body_mask(only, [(0, 1)], (100, 80))
    assert 4 <= limb[30].sum() <= 5
    unknown = replace(person, labelled=~known & known)
    assert not body_mask(unknown, [(0, 1)], (100, 80)).any()


def test_available_joints_are_the_persons():
    xy = np.array([[3.6, 2.2], [7, 5], [18.9, 21.9]])
    known, available = np.array([[True, True, True], [True, False, True]])
    person = Person(Skeleton(('a', 'b', 'c')), xy, known, available, 9)
    empty = np.zeros((HEIGHT, WIDTH), bool)
    out = with_joints(empty, person)
    assert np.argwhere(out).tolist() == [[2, 4], [21, 18]]
    assert not empty.any()


@pytest.mark.parametrize('offset', [0.25, 0.9, 1])
@pytest.mark.parametrize('disc', [Disc((8.25, 6.5), 2.6), Disc((8.5, 6.5), 9)])
def test_an_offset_is_uniform_in_a_disc_and_covers_the_joint(disc, offset):
    numbers = np.random.default_rng(0).random((4000, 2))
    moved = [move_aside(disc, offset, True, pair) for pair in numbers]
    x, y = disc.center
    dx, dy = np.array([one.center for one in moved]).T - [[x], [y]]
    pixel = np.floor(np.array(disc.center) + 0.5)
    to_pixel = np.hypot(*(pixel - disc.center))
    most = min(offset * disc.radius, disc.radius - to_pixel)
    assert kstest((dx**2 + dy**2) / most**2, 'uniform').pvalue > 1e-3
    assert kstest(np.arctan2(dy, dx) / np.pi, 'uniform', (-1, 2)).pvalue > 1e-3
    col, row = pixel.astype(int)
    box = col, row, col + 1, row + 1
    assert all(one.mask(box).all() for one in moved)


def test_an_offset_may_uncover_the_joint():
    disc = Disc((50, 50), 10)
    moved = [
        move_aside(disc, 2, False, (i / 100, i / 7)).center for i in range(100)
    ]
    far = np.hypot(*(np.array(moved) - 50).T)
    # the radius of 20 has four times the area of the disc
    np.testing.assert_allclose(far, 20 * np.sqrt(np.arange(100) / 100))
