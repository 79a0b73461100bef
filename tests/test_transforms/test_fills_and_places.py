"""Fills of our own, discs that scale with the person, and controls."""

import json
from itertools import pairwise

import numpy as np
import pytest

from mmpose_occlusion.occlusion import FILLS, REFERENCE_FILLS
from mmpose_occlusion.transforms import (
    KeypointOcclusion,
    MultiKeypointOcclusion,
    PartOcclusion,
    RandomOcclusion,
)
from tests.golden.person import PERSON, painted_by
from tests.golden.samples import (
    crop,
    crowd,
    mask,
    names,
    photo,
    replayed,
    white,
)
from tests.records import named, under

OURS = [fill for fill in FILLS if fill not in REFERENCE_FILLS]
DRAWN = [fill for fill in OURS if fill != 'donor']  # has tests of its own
CASES = [
    (KeypointOcclusion, dict(target='left_hip', size=24)),
    (PartOcclusion, dict(target='left_arm')),
]
SEGMENT = [(60, 20), (135, 20), (135, 230), (60, 230)]
"""Around the person, in crop pixels."""


def segmented(image, ring=SEGMENT, **kwargs):
    """The person with a segmentation, as COCO has them."""
    results = crop(PERSON, image, **kwargs)
    center, scale = results['input_center'], results['input_scale']
    points = (np.array(ring) / (192, 256) - 0.5) * scale + center
    results['segmentation'] = [points.ravel().tolist()]
    return results


# --- fills ------------------------------------------------------------------


@pytest.mark.parametrize('fill', DRAWN)
@pytest.mark.parametrize(('cls', 'kwargs'), CASES)
def test_fills_paint_the_same_pixels(cls, kwargs, fill):
    """Every paint at the same area: what differs is the paint alone."""
    clean = white(256, 192)
    clean[:] = (3, 99, 201)
    clean[::2] = (9, 200, 90)
    painted = {}
    for each in ('black', fill):
        results = cls(fill=each, seed=0, **kwargs)(crop(PERSON, clean.copy()))
        (record,) = results['occlusions']
        painted[each] = mask(results, clean), record
        assert (replayed(clean, [record]) == results['img']).all()
    (black, first), (other, record) = painted['black'], painted[fill]
    assert (record['box'], record['pixels'], record['region']) == (
        first['box'],
        first['pixels'],
        first['region'],
    )
    assert record['pixels'] == black.sum()
    assert not (other & ~black).any()
    assert other.sum() > 0.95 * black.sum()  # by chance a pixel stays
    assert under(record) == under(first)
    assert json.loads(json.dumps(record)) == record


def test_grey_is_half_of_the_range():
    clean = photo(256, 192)
    results = PartOcclusion('head', fill='grey')(crop(PERSON, clean.copy()))
    assert (results['img'][mask(results, clean)] == 128).all()


@pytest.mark.parametrize(
    ('cls', 'kwargs', 'block'),
    [
        (KeypointOcclusion, dict(target='nose', size=6), 6),  # 11 taps
        (KeypointOcclusion, dict(target='nose', size=24), 24),
        (PartOcclusion, dict(target='head'), 16),  # its blur has 31
    ],
)
def test_squares_are_as_coarse_as_the_blur(cls, kwargs, block):
    results = cls(fill='pixelate', **kwargs)(crop(PERSON, photo(256, 192)))
    paint = results['occlusions'][0]['paint']
    assert paint == dict(kind='pixelate', block=block)


@pytest.mark.parametrize('fill', ['noise', 'texture', 'object'])
def test_what_is_drawn_depends_on_the_person_alone(fill):
    """Not on the order, nor on what NumPy's own generator gave before."""
    people = [dict(nose=(20 + 40 * i, 30), id=i + 3) for i in range(4)]

    def paints(order, seed=0, img_id=1):
        transform = KeypointOcclusion('nose', fill=fill, seed=seed)
        crowded = [people[i] for i in order]
        results = transform(crowd(crowded, photo(64, 192), img_id=img_id))
        records = results['occlusions']
        return {i: r['paint'] for i, r in zip(order, records, strict=True)}

    first = paints([0, 1, 2, 3])
    assert paints([2, 0, 3, 1]) == first
    assert paints([1]) == {1: first[1]}
    assert len({paint['seed'] for paint in first.values()}) == 4
    for other in (paints([0], seed=1), paints([0], img_id=2)):
        assert other[0]['seed'] != first[0]['seed']


def test_targets_of_one_call_are_painted_differently():
    joints = ['left_wrist', 'right_ankle']
    transform = KeypointOcclusion(joints, fill='noise', seed=0)
    one, two = transform(crop(PERSON, photo(256, 192)))['occlusions']
    assert one['paint']['seed'] != two['paint']['seed']


def test_every_thing_has_its_turn():
    transform = KeypointOcclusion('nose', fill='object', seed=0)
    people = [dict(nose=(5, 5), id=i) for i in range(80)]
    records = transform(crowd(people, photo(16, 16)))['occlusions']
    found = {record['paint']['thing'] for record in records}
    assert len(found) == 8


def test_many_joints_in_fills_of_our_own():
    transform = MultiKeypointOcclusion(
        keypoint_prob=1.0, fills=['noise', 'grey'], seed=1
    )
    clean = photo(256, 192)
    results = transform(crop(PERSON, clean.copy()))
    records = results['occlusions']
    assert len(records) == 5
    assert {record['fill'] for record in records} == {'noise', 'grey'}
    assert (replayed(clean, records) == results['img']).all()


def test_older_draws_stay_what_they_were():
    """A fill that needs a number more leaves those before it alone."""

    def drawn(fill):
        transforms = [KeypointOcclusion(fill=fill, seed=i) for i in range(9)]
        results = [t(crop(PERSON, photo(256, 192))) for t in transforms]
        return [named(r['occlusions'][0]) for r in results]

    assert len(set(drawn('black'))) > 3
    assert drawn('noise') == drawn('object') == drawn('black')


# --- discs that scale with the person's box ---------------------------------


@pytest.mark.parametrize('diameter', [0.05, 0.25, 0.4])
@pytest.mark.parametrize('size', [(192, 256), (96, 128), (288, 384)])
@pytest.mark.parametrize('padding', [1.0, 1.25, 2.0])
def test_a_disc_is_a_part_of_the_persons_box(padding, size, diameter):
    """Whatever the crop's padding and size."""
    from mmpose.registry import TRANSFORMS

    results = crop(PERSON, photo(256, 192))
    results['img'] = np.full((4, 4, 3), 255, np.uint8)
    for key in ('bbox_center', 'bbox_scale', 'transformed_keypoints'):
        del results[key]
    for step in (
        dict(type='GetBBoxCenterScale', padding=padding),
        dict(type='TopdownAffine', input_size=size),
    ):
        results = TRANSFORMS.build(step)(results)
    transform = KeypointOcclusion(
        'nose', fill='black', size=f'{100 * diameter}%'
    )
    (record,) = transform(results)['occlusions']
    # the box is as high as the crop would be without padding
    expected = diameter * size[1] / padding
    assert 2 * record['region']['radius'] == pytest.approx(expected, rel=1e-5)


def test_a_disc_on_a_whole_image():
    people = [
        dict(nose=(50, 40), bbox=(0, 0, 90, 100)),
        dict(nose=(150, 40), bbox=(100, 0, 190, 40)),
        dict(nose=(220, 40), bbox=(210, 30, 220, 32)),
    ]
    results = crowd(people, photo(120, 240), warped=False)
    results = KeypointOcclusion('nose', size='20%')(results)
    radii = [r['region']['radius'] for r in results['occlusions']]
    # never less than the joint's own pixel
    assert radii == pytest.approx([10, 4, 0.5**0.5])
    assert all(record['pixels'] for record in results['occlusions'])
    # and a blur of so few pixels still blurs
    assert [r['paint']['ksize'] for r in results['occlusions']] == [19, 7, 3]


def test_growing_discs_of_a_drawn_joint_are_nested():
    discs = []
    for percent in range(5, 45, 5):
        clean = white(256, 192)
        transform = KeypointOcclusion(fill='black', size=f'{percent}%', seed=3)
        results = transform(crop(PERSON, clean.copy()))
        discs.append((named(results['occlusions'][0]), mask(results, clean)))
    assert len({name for name, _ in discs}) == 1
    areas = [disc.sum() for _, disc in discs]
    for (_, smaller), (_, larger) in pairwise(discs):
        assert not (smaller & ~larger).any()
    assert areas == sorted(set(areas))


@pytest.mark.parametrize('transform', [
    KeypointOcclusion('nose', fill='black'),
    MultiKeypointOcclusion(fills=['black'], keypoint_prob=1),
])  # fmt: skip
def test_the_default_size_is_a_fifth_of_the_box(transform):
    """Of the box, 256 / 1.25 = 204.8 high, a fifth is 40.96."""
    painted, results = painted_by(transform, dict(nose=(96, 100)))
    (record,) = results['occlusions']
    assert record['region']['radius'] == pytest.approx(20.48, rel=1e-5)
    rows, cols = np.mgrid[:256, :192]
    disc = (cols - 96) ** 2 + (rows - 100) ** 2 <= 20.48**2
    assert (painted == disc).all()


def test_the_default_size_of_the_reference_is_its_own():
    for cls in (KeypointOcclusion, RandomOcclusion, MultiKeypointOcclusion):
        assert cls(paper_exact=True).occlusion.size.plain == 6
        assert cls().occlusion.size.plain == '20%'
        assert cls(size=9, paper_exact=True).occlusion.size.plain == 9


@pytest.mark.parametrize('missing', ['input_scale', 'bbox'])
def test_without_the_persons_box_that_of_the_joints_counts(missing):
    """From the eyes at 36 to the ankle at 222; a joint outside the crop has
    no part in it, and one joint alone has the crop's height."""
    outside = dict(PERSON, right_ear=(86, 900))
    for joints, height in ((outside, 186), (dict(nose=(9, 9)), 256)):
        results = crop(joints, photo(256, 192))
        del results[missing]
        results = KeypointOcclusion('nose', size='10%')(results)
        (record,) = results['occlusions']
        assert record['region']['radius'] == pytest.approx(height / 20)


# --- controls ---------------------------------------------------------------


@pytest.mark.parametrize(('cls', 'kwargs'), CASES)
def test_controls_of_a_segmented_person(cls, kwargs):
    clean = photo(256, 192)
    target = cls(fill='black', **kwargs)(segmented(clean.copy()))
    (record,) = target['occlusions']
    own = mask(target, clean)
    inside = np.zeros((256, 192), bool)
    inside[20:231, 60:136] = True
    centers = set()
    for seed in range(20):
        for place in ('on_person', 'off_person'):
            transform = cls(fill='black', place=place, seed=seed, **kwargs)
            results = transform(segmented(clean.copy()))
            (control,) = results['occlusions']
            painted = mask(results, clean)
            assert painted.sum() == own.sum() == control['pixels']
            assert not (painted & own).any()
            assert named(record) == named(control)
            assert control['place'] == place
            assert (replayed(clean, [control]) == results['img']).all()
            rows, cols = np.nonzero(painted)
            y, x = rows.mean(), cols.mean()
            centers.add((x, y))
            if place == 'off_person':
                assert not (painted & inside).any()
                assert under(control) == []
            else:
                assert 59 <= x <= 136
                assert 19 <= y <= 231
            hidden = {name for _, name in under(control)}
            assert not hidden & {name for _, name in under(record)}
    assert len(centers) > 30


def test_a_control_without_a_segmentation_keeps_off_the_limbs():
    clean = photo(256, 192)
    for seed in range(12):
        transform = KeypointOcclusion(
            'left_wrist', fill='black', size=9, place='off_person', seed=seed
        )
        results = transform(crop(PERSON, clean.copy()))
        (record,) = results['occlusions']
        assert under(record) == []
        painted = mask(results, clean)
        # half way down each thigh and arm, and in the middle of the torso
        for x, y in ((110, 153), (83, 153), (122, 81), (69, 81), (96, 98)):
            assert not painted[y, x]


def test_a_control_that_fits_nowhere_is_excluded():
    clean = photo(256, 192)
    whole = [(-5, -5), (200, -5), (200, 260), (-5, 260)]
    transform = KeypointOcclusion('nose', fill='black', place='off_person')
    results = transform(segmented(clean.copy(), whole))
    (record,) = results['occlusions']
    assert record['excluded']
    assert record['reason'] == 'the same region fits nowhere off the person'
    assert record['pixels'] == 0
    assert (results['img'] == clean).all()
    # not of a person without the joint
    lacking = crop(dict(left_hip=(90, 90)), clean.copy())
    (record,) = transform(lacking)['occlusions']
    assert not record['excluded']
    assert record['reason'] == 'nose is not labelled'


def test_a_control_stays_in_the_photograph():
    """The crop is padded: only its left half shows the photograph."""
    clean = photo(256, 192)
    for seed in range(10):
        results = segmented(clean.copy(), [(60, 20), (80, 20), (70, 90)])
        # of the image, 40 pixels are left of the crop, 2 are one in it
        results['ori_shape'] = (5000, 40 + 2 * 96)
        results['input_scale'] = np.array([384, 512], np.float32)
        results['input_center'] = results['input_scale'] / 2 + 40
        transform = KeypointOcclusion(
            'right_wrist', fill='black', place='off_person', seed=seed
        )
        results = transform(results)
        (cols,) = np.nonzero(mask(results, clean).any(axis=0))
        assert cols.max() <= 96


def test_a_flipped_person_is_known_by_the_joints():
    """The segmentation was not flipped with the image."""
    clean = photo(256, 192)
    everything = [(-5, -5), (200, -5), (200, 260), (-5, 260)]
    transform = KeypointOcclusion('nose', place='off_person', seed=0)
    (record,) = transform(segmented(clean, everything, flipped=True))[
        'occlusions'
    ]
    assert record['pixels']


def test_controls_of_everybody_on_a_whole_image():
    people = [
        {name: (x / 2 + shift, y / 2) for name, (x, y) in PERSON.items()}
        for shift in (0, 100)
    ]
    clean = photo(128, 200)
    ring = [[100, 0, 199, 0, 199, 127, 100, 127]]
    results = crowd(people, clean.copy(), warped=False)
    results['segmentation'] = [None, ring]
    transform = KeypointOcclusion(
        'nose', fill='black', place='off_person', seed=1
    )
    one, two = transform(results)['occlusions']
    assert one['pixels'] == two['pixels'] > 0
    assert two['box'][2] <= 100  # the second is all of the right half


@pytest.mark.parametrize('layout', ['mpii', 'aic', 'ap10k', 'crowdpose'])
def test_other_skeletons(layout):
    joints = {
        name: (30 + 9 * i, 40 + (i % 5) * 30)
        for i, name in enumerate(names(layout)[:14])
    }
    clean = photo(256, 192)
    for place in ('target', 'on_person', 'off_person'):
        transform = KeypointOcclusion(
            fill='texture', size='8%', place=place, seed=1
        )
        results = transform(crop(joints, clean.copy(), layout))
        (record,) = results['occlusions']
        assert record['pixels'] > 100
        assert (replayed(clean, [record]) == results['img']).all()


# --- errors -----------------------------------------------------------------


@pytest.mark.parametrize(
    ('cls', 'kwargs', 'words'),
    [
        *[
            (cls, dict(fill=fill, paper_exact=True), f"fill='{fill}' is not")
            for cls in (KeypointOcclusion, PartOcclusion)
            for fill in OURS
        ],
        (
            MultiKeypointOcclusion,
            dict(fills=['blur', 'noise'], paper_exact=True),
            "fill='noise' is not the reference's",
        ),
        (MultiKeypointOcclusion, dict(fills=['pink']), "fill='pink'"),
        (
            PartOcclusion,
            dict(place='on_person', paper_exact=True),
            "place='on_person' is not the reference's",
        ),
        (
            KeypointOcclusion,
            dict(size='10%', paper_exact=True),
            "size='10%' must be a whole number",
        ),
        (KeypointOcclusion, dict(place='away'), "place='away' is unknown"),
        (KeypointOcclusion, dict(size='0%'), "size='0%' must"),
        (KeypointOcclusion, dict(size='2000%'), "size='2000%' must"),
        (KeypointOcclusion, dict(size='big'), "size='big' must"),
    ],
)
def test_refused_at_construction(cls, kwargs, words):
    with pytest.raises(ValueError, match=words) as info:
        cls(**kwargs)
    assert '\n' not in str(info.value)
