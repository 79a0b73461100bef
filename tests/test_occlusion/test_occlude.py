"""``occlude()`` on plain arrays."""

import numpy as np
import pytest

from mmpose_occlusion import occlude
from mmpose_occlusion.occlusion import replay_all
from mmpose_occlusion.skeleton import COCO_JOINTS, MPII_ORDER
from tests.golden.samples import photo

HEIGHT, WIDTH = 200, 150
WRIST, HIP = COCO_JOINTS.index('left_wrist'), COCO_JOINTS.index('left_hip')
FILLS = ['object', 'black', 'grey', 'mean', 'blur', 'pixelate', 'noise',
         'texture']  # fmt: skip


def person(shift=0):
    """All 17 joints, (17, 3); the box around them is 160 pixels high."""
    joints = np.full((17, 3), 2.0)
    joints[:, 0] = shift + 10 + 3 * np.arange(17)
    joints[:, 1] = 20 + 10 * np.arange(17)
    return joints


def disc(center, radius, shape=(HEIGHT, WIDTH)):
    """(H, W) bool, the pixels of a disc."""
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    x, y = center
    return (cols - x) ** 2 + (rows - y) ** 2 <= radius**2


def changed(found, image):
    """(H, W) bool, the pixels that are not as they were."""
    return (found.image != image).reshape(*image.shape[:2], -1).any(-1)


def named(flags, names=COCO_JOINTS):
    return {names[i] for i in np.flatnonzero(flags)}


# --- what is hidden ---------------------------------------------------------


def test_a_disc_of_a_tenth_of_the_box():
    image, joints = photo(HEIGHT, WIDTH), person()
    found = occlude(image, joints, target='left_wrist', fill='black')
    expected = disc(joints[WRIST, :2], 8)
    assert (found.image[expected] == 0).all()
    assert (found.image[~expected] == image[~expected]).all()
    assert named(found.hidden) == named(found.targets) == {'left_wrist'}
    (record,) = found.records
    assert record['pixels'] == expected.sum()


def test_a_given_box_sets_the_size():
    image, joints = photo(HEIGHT, WIDTH), person()
    # of 100 pixels: 20 % are a radius of 10; 24 pixels at 256 are 9.4
    for size, radius in (('20%', 10), (24, 9)):
        found = occlude(
            image,
            joints,
            target='left_wrist',
            fill='black',
            size=size,
            bbox=[0, 40, 90, 140],
        )
        expected = disc(joints[WRIST, :2], radius)
        assert (changed(found, image) == expected).all()


def test_targets_and_bystanders():
    joints = person()
    joints[HIP, :2] = joints[WRIST, :2] + (2, 0)
    found = occlude(
        photo(HEIGHT, WIDTH), joints, target='left_wrist', fill='mean'
    )
    assert named(found.targets) == {'left_wrist'}
    assert named(found.hidden) == {'left_wrist', 'left_hip'}
    assert found.records[0]['bystanders'] == [[0, 'left_hip']]


def test_joints_and_parts_in_one_list():
    image = photo(HEIGHT, WIDTH)
    targets = ['left_ankle', 'left_arm', 'part:head', 'keypoint:right_ankle']
    found = occlude(image, person(), target=targets, fill='black', size=4)
    arm = {'left_shoulder', 'left_elbow', 'left_wrist'}
    wanted = {'left_ankle', 'right_ankle', *arm, *COCO_JOINTS[:5]}
    assert named(found.targets) == wanted
    assert named(found.hidden) >= wanted
    assert [(r['kind'], r['target']) for r in found.records] == [
        ('keypoint', 'left_ankle'), ('keypoint', 'right_ankle'),
        ('part', 'left_arm'), ('part', 'head'),
    ]  # fmt: skip
    assert (replay_all(image, found.records) == found.image).all()


def test_a_name_that_is_a_joint_and_a_part():
    names = ('head', 'hip', 'left_hip', 'right_hip')
    joints = np.array([[20, 20], [40, 90], [60, 90], [20, 95.0]])
    image = photo(HEIGHT, WIDTH)
    for target, kind in (('hip', 'keypoint'), ('part:hip', 'part')):
        found = occlude(image, joints, target=target, names=names)
        assert found.records[0]['kind'] == kind


def test_own_parts():
    found = occlude(
        photo(HEIGHT, WIDTH),
        person(),
        target='hand',
        fill='black',
        parts=dict(hand=['left_wrist', 'left_elbow']),
    )
    assert named(found.targets) == {'left_wrist', 'left_elbow'}


def test_a_control_hides_no_target():
    image = photo(HEIGHT, WIDTH)
    found = occlude(
        image, person(), target='nose', fill='black', place='off_person',
        seed=1,
    )  # fmt: skip
    assert changed(found, image).sum() == disc((75, 75), 8).sum()
    assert not found.hidden.any()


# --- shapes -----------------------------------------------------------------


@pytest.mark.parametrize('columns', [2, 3])
@pytest.mark.parametrize('channels', [None, 1, 3, 4])
@pytest.mark.parametrize('fill', FILLS)
def test_shapes(fill, channels, columns):
    """Images of any number of channels; one person, and two."""
    image = photo(HEIGHT, WIDTH)
    image = np.concatenate([image, image[..., :1]], axis=-1)
    image = image[..., 0] if channels is None else image[..., :channels]
    given = image.copy()
    one = person()[:, :columns]
    both = np.stack([one, person(shift=70)[:, :columns]])
    target = ['left_wrist', 'left_leg']
    alone = occlude(image, one, target=target, fill=fill, seed=0)
    together = occlude(image, both, target=target, fill=fill, seed=0)
    assert (image == given).all()
    for found, shape in ((alone, (17,)), (together, (2, 17))):
        assert found.image.shape == image.shape
        assert found.image.dtype == np.uint8
        assert found.hidden.shape == found.targets.shape == shape
        assert not (found.targets & ~found.hidden).any()
        assert changed(found, image).any()
        assert (replay_all(image, found.records) == found.image).all()
    assert named(together.targets[0]) == named(alone.targets)
    assert named(together.targets[1]) == named(alone.targets)


def test_lists_are_arrays():
    image, joints = photo(HEIGHT, WIDTH), person()
    kwargs = dict(target='nose', fill='mean', bbox=(0, 0, 90, 180))
    found = occlude(image, joints.tolist(), **kwargs)
    expected = occlude(image, joints, **kwargs)
    assert (found.image == expected.image).all()


def test_missing_joints():
    """NaN, a visibility of 0, and joints outside the image."""
    joints = person()
    joints[0, 0] = np.nan
    joints[WRIST, 2] = 0
    joints[HIP, 1] = HEIGHT
    image = photo(HEIGHT, WIDTH)
    targets = ['nose', 'left_wrist', 'left_hip']
    found = occlude(image, joints, target=targets, fill='black')
    assert (found.image == image).all()
    assert found.image is not image
    assert not found.hidden.any()
    assert [record['reason'] for record in found.records] == [
        'nose is not labelled', 'left_wrist is not labelled',
        'left_hip is outside the image',
    ]  # fmt: skip
    # a patch over a joint without label does not count it
    joints[WRIST, :2] = joints[5, :2]
    found = occlude(image, joints, target='left_shoulder', fill='black')
    assert named(found.hidden) == {'left_shoulder'}


@pytest.mark.parametrize('target', ['random', 'random_part', 'nose', 'head'])
def test_people_without_joints(target):
    image = photo(HEIGHT, WIDTH)
    for joints in (np.full((1, 17, 2), np.nan), np.zeros((0, 17, 3))):
        found = occlude(image, joints, target=target)
        assert (found.image == image).all()
        assert found.hidden.shape == joints.shape[:2]
        assert all(record['reason'] for record in found.records)


def test_other_conventions():
    image = photo(HEIGHT, WIDTH)
    joints = person()[:16]
    found = occlude(image, joints, target='thorax', names='mpii')
    assert named(found.targets, MPII_ORDER) == {'thorax'}
    three = occlude(
        image, joints[:3], target='b', names=['a', 'b', 'c'], fill='black'
    )
    assert three.targets.tolist() == [False, True, False]


# --- draws ------------------------------------------------------------------


@pytest.mark.parametrize('fill', ['object', 'black'])
@pytest.mark.parametrize('target', ['random', 'random_part'])
def test_seeds(target, fill):
    image = photo(HEIGHT, WIDTH)
    people = np.stack([person(), person(70)])

    def row(seed):
        found = occlude(image, people, target=target, fill=fill, seed=seed)
        return [record['target'] for record in found.records], found.image

    (names, first), (again, second) = row(3), row(3)
    assert names == again
    assert (first == second).all()
    seen = [tuple(row(seed)[0]) for seed in range(20)]
    assert len(set(seen)) > 5
    assert any(one != other for one, other in seen)
    assert len({tuple(row(None)[0]) for _ in range(20)}) > 5


def test_two_random_targets_are_two_attacks():
    found = occlude(
        photo(HEIGHT, WIDTH), person(), target=['random', 'random_part'],
        seed=0,
    )  # fmt: skip
    kinds = [record['kind'] for record in found.records]
    assert kinds == ['keypoint', 'part']
    assert all(record['pixels'] for record in found.records)


# --- wrong arguments --------------------------------------------------------


@pytest.mark.parametrize(
    ('wrong', 'words'),
    [
        (dict(image=np.zeros((9, 9), np.float32)), 'image is float32 of'),
        (dict(image=np.zeros(9, np.uint8)), r'image is .* of shape \(9,\)'),
        (dict(keypoints=np.zeros(17)), r'keypoints are of shape \(17,\)'),
        (dict(keypoints=np.zeros((17, 4))), r'of shape \(17, 4\)'),
        (dict(keypoints='nose'), 'keypoints must be an array of numbers'),
        (dict(keypoints=[[1, 2], [3]]), 'keypoints must be an array'),
        (dict(keypoints=np.zeros((5, 2))), 'are 5 keypoints and 17 joint'),
        (dict(target='tail'), "target 'tail' is neither .* nose, left_eye"),
        (dict(target='part:nose'), "no part 'nose'"),
        (dict(target='keypoint:head'), "no joint 'head'"),
        (dict(target='joint:nose'), "target 'joint:nose' is neither"),
        (dict(target=[]), r'target=\[\] must be the name'),
        (dict(target=3), 'target=3 must be the name'),
        (dict(target=['nose', 3]), 'must be the name'),
        (dict(target='*'), r"target '\*' is neither"),
        (dict(fill='pink'), "fill='pink' is unknown: it is one of blur"),
        (dict(fill='donor'), "fill='donor' is unknown: it is one of blur"),
        (dict(size='big'), "size='big' must be"),
        (dict(size=0), 'size=0 must be'),
        (dict(place='away'), "place='away' is unknown"),
        (dict(names='cocoa'), "joint names 'cocoa' are unknown"),
        (dict(bbox=[1, 2, 3]), r'bbox is of shape \(1, 3\)'),
        (dict(bbox=np.zeros((2, 4))), r'bbox is of shape \(2, 4\)'),
        (dict(bbox='all'), 'bbox must be an array of numbers'),
        (dict(seed=-1), 'seed=-1 must be None or'),
        (dict(seed='one'), "seed='one' must be None or"),
        (dict(parts=dict(face=['noze'])), "names the joint 'noze'"),
        (dict(parts=dict(face=[])), 'must be a list of at least one joint'),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_one_sentence_for_a_wrong_argument(wrong, words):
    given = dict(image=photo(30, 30), keypoints=np.zeros((17, 2)))
    with pytest.raises(ValueError, match=words) as info:
        occlude(**{**given, **wrong})
    assert '\n' not in str(info.value)


def test_arguments_are_named():
    with pytest.raises(TypeError, match='positional'):
        occlude(photo(30, 30), np.zeros((17, 2)), 'nose')
