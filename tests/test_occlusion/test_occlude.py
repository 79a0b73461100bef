"""The public function, judged by its pixels."""

import numpy as np
import pytest

from mmpose_occlusion.occlusion import (
    occlude,
    replay_all,
)
from mmpose_occlusion.skeleton import joint_names

COCO = joint_names('coco')
POINTS = {
    'nose': (60, 20),
    'left_shoulder': (80, 50),
    'right_shoulder': (40, 50),
    'left_elbow': (90, 80),
    'left_wrist': (95, 110),
    'left_hip': (75, 120),
    'right_hip': (45, 120),
    'left_ankle': (75, 220),
}


def person(columns=3):
    out = np.zeros((17, columns))
    for name, xy in POINTS.items():
        out[COCO.index(name), :2] = xy
        out[COCO.index(name), 2:] = 2
    if columns == 2:
        out[(out == 0).all(axis=1)] = np.nan
    return out


def image(shape=(240, 120, 3)):
    return np.random.default_rng(0).integers(1, 256, shape, np.uint8)


def names_of(mask):
    return {COCO[k] for k in np.flatnonzero(mask)}


@pytest.mark.parametrize('columns', [2, 3])
@pytest.mark.parametrize('shape', [(240, 120), (240, 120, 1), (240, 120, 3)])
def test_a_disc_of_a_tenth_of_the_box(columns, shape):
    clean = image(shape)
    kept = clean.copy()
    found = occlude(
        clean, person(columns), target='left_wrist', fill='black', size='10%'
    )
    assert (clean == kept).all()
    # the box around the joints is 200 high: a diameter of 20 pixels
    rows, cols = np.mgrid[:240, :120]
    disc = (cols - 95) ** 2 + (rows - 110) ** 2 <= 10**2
    expected = clean.copy()
    expected[disc] = 0
    assert (found.image == expected).all()
    assert found.hidden.shape == (17,)
    assert names_of(found.hidden) == {'left_wrist'}
    assert names_of(found.targets) == {'left_wrist'}


def test_the_bbox_sets_the_size():
    bbox = [0, 0, 100, 120]
    found = occlude(
        image(), person(), target='nose', fill='black', size='50%', bbox=bbox
    )
    (record,) = found.records
    assert record['region'] == dict(
        shape='disc', center=[60.0, 20.0], radius=30.0
    )
    same = occlude(
        image(), person(), target='nose', fill='black', size=64, bbox=bbox
    )
    assert same.records[0]['region']['radius'] == 30


@pytest.mark.parametrize('box', [None, [0, 9, 90, 9], [np.nan] * 4])
def test_the_default_is_a_fifth_of_the_box_around_the_joints(box):
    joints = person()
    joints[COCO.index('left_knee')] = 75, 900, 2  # outside the image
    # 20 to 220; of the nose alone the image, 240 high
    for given, radius in ((joints, 20), (joints * (joints[:, 1:2] == 20), 24)):
        found = occlude(image(), given, target='nose', bbox=box)
        assert found.records[0]['region']['radius'] == radius


def test_joints_and_parts_together_with_bystanders():
    found = occlude(
        image(),
        person(),
        target=['nose', 'left_arm'],
        fill='mean',
        parts={'left_arm': ['left_shoulder', 'left_wrist']},
    )
    assert names_of(found.targets) == {'nose', 'left_shoulder', 'left_wrist'}
    # the elbow lies in the box of the part but was not asked for
    assert names_of(found.hidden & ~found.targets) == {'left_elbow'}
    assert (replay_all(image(), found.records) == found.image).all()


def test_many_people_and_nobody():
    two = np.stack([person(), person() * [1, 0, 1]])
    found = occlude(image(), two, target='left_hip', fill='black', size=12)
    assert found.hidden.shape == (2, 17)
    none = occlude(image(), np.zeros((0, 17, 3)), target='nose')
    assert none.hidden.shape == (0, 17)
    assert (none.image == image()).all()


def test_missing_joints_are_told():
    found = occlude(image(), person(), target='left_knee', fill='black')
    assert (found.image == image()).all()
    assert found.records[0]['reason'] == 'left_knee is not labelled'


def test_a_seed_repeats_and_no_seed_varies():
    one, again = (occlude(image(), person(), seed=3) for _ in range(2))
    assert (one.image == again.image).all()
    drawn = {
        occlude(image(), person()).records[0]['target'] for _ in range(40)
    }
    assert len(drawn) > 2


def test_controls_hide_nothing_that_was_asked_for():
    found = occlude(
        image(), person(), target='left_wrist', place='off_person', seed=1
    )
    assert not found.targets.any()
    assert found.records[0]['pixels'] > 0


def test_an_offset_is_in_the_record_and_replays():
    centred = occlude(image(), person(), target='nose', fill='black')
    for seed in range(20):
        found = occlude(
            image(),
            person(),
            target='nose',
            fill='black',
            size='10%',
            offset=0.8,
            seed=seed,
        )
        (record,) = found.records
        (dx, dy), (x, y) = record['offset'], record['region']['center']
        assert (x, y) == pytest.approx((60 + dx, 20 + dy))
        assert 0 < np.hypot(dx, dy) <= 8  # of a radius of 10
        assert names_of(found.targets) == {'nose'}
        assert (replay_all(image(), found.records) == found.image).all()
    assert 'offset' not in centred.records[0]


def test_an_uncovered_joint_is_no_target():
    covered = [
        occlude(
            image(),
            person(),
            target='left_hip',
            fill='black',
            offset=3,
            stay_covered=False,
            seed=seed,
        ).targets.any()
        for seed in range(60)
    ]
    # a ninth of the offsets are shorter than the radius
    assert 0 < sum(covered) < 20


def test_a_decoy_is_beside_the_joint_over_no_joint():
    for seed in range(20):
        found = occlude(
            image(),
            person(),
            target='left_wrist',
            size='10%',
            place='decoy',
            seed=seed,
        )
        (record,) = found.records
        assert not found.hidden.any()
        far = np.hypot(*np.subtract(record['region']['center'], (95, 110)))
        assert 10 <= far <= 30


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (dict(target='tail'), 'neither a joint nor a part'),
        (dict(target=[]), 'must be the name of a joint'),
        (dict(fill='purple'), "fill='purple' is unknown"),
        (dict(fill='donor'), "fill='donor' needs donors"),
        (dict(size='huge'), "size='huge' must"),
        (dict(place='away'), "place='away' is unknown"),
        (dict(offset=1.5), 'above 1 with stay_covered=False'),
        (dict(offset='far'), "offset='far' must be"),
        (dict(names='kinect'), "'kinect' are unknown"),
        (dict(names=['nose']), '17 keypoints and 1 joint names'),
        (dict(bbox=np.zeros((3, 4))), 'bbox'),
        (dict(parts={'hand': ['thumb']}), 'joint name of this data set'),
    ],
)
def test_wrong_arguments(arguments, words):
    with pytest.raises(ValueError, match=words):
        occlude(image(), person(), **arguments)


def test_wrong_arrays():
    with pytest.raises(ValueError, match='image is float64'):
        occlude(np.zeros((9, 9)), person())
    with pytest.raises(ValueError, match=r'of shape \(17,\)'):
        occlude(image(), np.zeros(17))
