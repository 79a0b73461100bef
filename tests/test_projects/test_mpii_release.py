"""MPII's release becomes the annotations that MMPose reads."""

import json
from pathlib import Path

import numpy as np
import pytest
from mmpose.datasets.datasets import MpiiDataset
from mpii_release import read_release, write_annotations
from scipy.io import loadmat, savemat

from mmpose_occlusion.errors import UsageError

EMPTY = np.empty((0, 0))


def structs(*entries: dict) -> np.ndarray:
    """A Matlab struct array, 1 × N."""
    array = np.empty((1, len(entries)), [(k, object) for k in entries[0]])
    for index, entry in enumerate(entries):
        array[0, index] = tuple(entry.values())
    return array


def person(x: float, points=None, head=True, place=True) -> dict:
    """A person as in a training image; fields may be empty there."""
    corners = (x, 10.0, x + 3, 14.0) if head else [EMPTY] * 4
    return {
        **dict(zip(('x1', 'y1', 'x2', 'y2'), corners, strict=True)),
        'annopoints': EMPTY if points is None else {'point': points},
        'scale': 2.5 if place else EMPTY,
        'objpos': {'x': x, 'y': 40.0} if place else EMPTY,
    }


def point(joint: int, visible) -> dict:
    return dict(x=100.0 + joint, y=200.5 + joint, id=joint, is_visible=visible)


def image(name: str, annorect: np.ndarray) -> dict:
    return dict(
        image={'name': name}, annorect=annorect, frame_sec=EMPTY, vididx=EMPTY
    )


def write_release(path: Path) -> Path:
    """Five images: two to train on with people, one without, two to test."""
    everything = structs(*(point(k, '1') for k in range(16)))
    some = structs(point(9, EMPTY), point(0, '0'), point(15, 1), point(8, ''))
    one = structs(point(3, 0))
    images = structs(
        image(
            '0001.jpg',
            structs(
                person(7.0, everything),
                person(20.0, some),
                person(30.0),  # no joints
                person(40.0, everything, place=False),
            ),
        ),
        image('0002.jpg', EMPTY),
        image('0003.jpg', structs(dict(scale=1.5, objpos=dict(x=5, y=6)))),
        image(
            '0004.jpg', structs(person(50.0, one), person(60.0, one, False))
        ),
        image('0005.jpg', structs(dict(scale=EMPTY, objpos=EMPTY))),
    )
    release = dict(
        annolist=images,
        img_train=np.array([[1, 1, 0, 1, 0]], np.uint8),
        version='12',
    )
    savemat(path, {'RELEASE': release})
    return path


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return write_release(tmp_path / 'mpii_human_pose_v1_u12_1.mat')


def test_people(release):
    people = list(read_release(release))
    assert [(p['image'], p['train'], p['center']) for p in people] == [
        ('0001.jpg', True, [7.0, 40.0]),
        ('0001.jpg', True, [20.0, 40.0]),
        ('0003.jpg', False, [5.0, 6.0]),
        ('0004.jpg', True, [50.0, 40.0]),
        ('0004.jpg', True, [60.0, 40.0]),
    ]
    assert [p['head_box'] is None for p in people] == [0, 0, 1, 0, 1]
    assert people[0]['head_box'] == [[7, 10], [10, 14]]


def test_joints_keep_their_numbers(release):
    """Occluded joints (is_visible 0) are labelled; the rest is missing."""
    some = list(read_release(release))[1]
    expected = [[-1.0, -1.0]] * 16
    for joint in (0, 8, 9, 15):
        expected[joint] = [100.0 + joint, 200.5 + joint]
    assert some == {
        'joints_vis': [1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 1],
        'joints': expected,
        'image': '0001.jpg',
        'scale': 2.5,
        'center': [20.0, 40.0],
        'train': True,
        'head_box': [[20.0, 10.0], [23.0, 14.0]],
    }


def test_without_a_split(release, tmp_path):
    out = tmp_path / 'deep' / 'annotations'
    written = write_annotations(list(read_release(release)), out)
    assert written == {'mpii_trainval.json': 4, 'mpii_test.json': 1}
    assert sorted(p.name for p in out.iterdir()) == sorted(written)
    (test,) = json.loads((out / 'mpii_test.json').read_text())
    assert test['joints_vis'] == [0] * 16
    assert test['joints'] == [[-1.0, -1.0]] * 16


def test_split(release, tmp_path):
    people = list(read_release(release))
    out = tmp_path / 'annotations'
    written = write_annotations(people, out, {'0004.jpg'})
    assert written == {
        'mpii_trainval.json': 4,
        'mpii_test.json': 1,
        'mpii_train.json': 2,
        'mpii_val.json': 1,  # the other has no head box
        'mpii_gt_val.mat': 1,
    }
    truth = loadmat(out / 'mpii_gt_val.mat')
    assert truth['headboxes_src'][..., 0].tolist() == [[50, 10], [53, 14]]
    missing = np.ones(16)
    missing[3] = 0
    assert truth['jnt_missing'][:, 0].tolist() == missing.tolist()
    assert truth['pos_gt_src'][3, :, 0].tolist() == [103, 203.5]
    names = truth['dataset_joints']
    # the look-up of HRNet's evaluation
    assert [np.where(names == name)[1][0] for name in ('head', 'lsho')] == [
        9,
        13,
    ]


def test_mmpose_reads_it(release, tmp_path):
    write_annotations(list(read_release(release)), tmp_path, {'0004.jpg'})
    train = MpiiDataset(str(tmp_path / 'mpii_train.json'))
    assert len(train) == 2
    val = MpiiDataset(
        str(tmp_path / 'mpii_val.json'),
        headbox_file=str(tmp_path / 'mpii_gt_val.mat'),
        test_mode=True,
    )
    info = val[0]
    # 0.6 × the diagonal of a head of 3 × 4 px
    assert info['head_size'] == pytest.approx(3.0)
    assert info['keypoints_visible'].sum() == 1
    assert info['keypoints'][0, 3].tolist() == [103, 203.5]


def test_nothing_is_overwritten(release, tmp_path):
    kept = tmp_path / 'mpii_test.json'
    kept.write_text('mine')
    with pytest.raises(UsageError, match=r'mpii_test\.json" exists'):
        write_annotations(list(read_release(release)), tmp_path)
    assert kept.read_text() == 'mine'
    assert not (tmp_path / 'mpii_trainval.json').exists()


def test_a_file_that_differs_in_its_first_bytes_is_kept(release, tmp_path):
    people = list(read_release(release))
    for _ in range(2):
        write_annotations(people, tmp_path)  # the same files
    kept = tmp_path / 'mpii_trainval.json'
    text = kept.read_text().replace('[1, 1,', '[0, 1,', 1)
    kept.write_text(text)
    with pytest.raises(UsageError, match=r'mpii_trainval\.json" exists'):
        write_annotations(people, tmp_path)
    assert kept.read_text() == text


@pytest.mark.parametrize(
    ('names', 'message'),
    [
        ({'0001.jpg', '9.jpg'}, r'1 of 2 names .* the first of them "9\.jpg"'),
        ({'0003.jpg'}, 'not training images'),
        ({'0002.jpg'}, 'not training images with people'),
    ],
)
def test_split_that_does_not_fit(release, tmp_path, names, message):
    with pytest.raises(UsageError, match=message):
        write_annotations(list(read_release(release)), tmp_path / 'o', names)
    assert not (tmp_path / 'o').exists()


def test_other_files(tmp_path):
    other = tmp_path / 'gt_valid.mat'
    savemat(other, {'headboxes_src': np.zeros((2, 2, 3))})
    with pytest.raises(UsageError, match='a struct RELEASE of annolist and'):
        list(read_release(other))
    other.write_text('a page of a web site')
    with pytest.raises(UsageError, match="is not MPII's release"):
        list(read_release(other))
