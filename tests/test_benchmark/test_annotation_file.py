"""A good file, and one for every kind of fault."""

import copy
import json

import cv2
import numpy as np
import pytest

from mmpose_occlusion.benchmark.annotation_file import read_annotations
from mmpose_occlusion.benchmark.checked_files import (
    check_images,
    read_detections,
)
from mmpose_occlusion.errors import DataError, UsageError

GOOD = dict(
    images=[
        dict(id=1, file_name='a.png', width=40, height=30),
        dict(id=2, file_name='b.png', width=40, height=30),
    ],
    categories=[
        dict(
            id=1,
            name='person',
            keypoints=['nose', 'hand'],
            skeleton=[[1, 2]],
        )
    ],
    annotations=[
        dict(
            id=7 + i,
            image_id=1 + i,
            category_id=1,
            bbox=[5, 5, 20, 20],
            area=200.0,
            iscrowd=0,
            num_keypoints=2,
            keypoints=[6, 7, 2, 20, 21, 1],
            segmentation=[[5, 5, 25, 5, 25, 25]],
        )
        for i in range(2)
    ],
)


def write(folder, value):
    path = folder / 'people.json'
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def changed(key, value, part='annotations'):
    """The good file with another value in its first person or image."""
    out = copy.deepcopy(GOOD)
    if value is ...:
        del out[part][0][key]
    else:
        out[part][0][key] = value
    return out


def test_a_good_file_has_no_fault(tmp_path):
    found = read_annotations(write(tmp_path, GOOD))
    assert found.joints == ('nose', 'hand')
    assert found.links == [(0, 1)]
    assert not list(found.faults)
    assert found.people == GOOD['annotations']


REPAIRS = [
    ('area', ..., 'area', 0.53 * 400),
    ('area', -3, 'area', 0.53 * 400),
    ('num_keypoints', ..., 'num_keypoints', 2),
    ('num_keypoints', 17, 'num_keypoints', 2),
    ('bbox', None, 'bbox', [6, 7, 14, 14]),
    ('bbox', 'left', 'bbox', [6, 7, 14, 14]),
    ('bbox', [0, 0, 0, 0], 'bbox', [6, 7, 14, 14]),
    ('bbox', [1, 2, 3, 4, 5], 'bbox', [6, 7, 14, 14]),
    ('bbox', [1, 2, -3, 4], 'bbox', [6, 7, 14, 14]),
    ('bbox', [1, 2, float('nan'), 4], 'bbox', [6, 7, 14, 14]),
    ('id', '7', 'id', 7),
    ('id', '²', 'id', 2**53 + 1),
    ('id', '9' * 5000, 'id', 2**53 + 1),
    ('keypoints', [[6, 7, 2], [20, 21, 1]], 'keypoints', [6, 7, 2, 20, 21, 1]),
    ('keypoints', [6, 7, 3, 20, 21, 1], 'keypoints', [6, 7, 2, 20, 21, 1]),
    ('keypoints', [6, 7, 2, 9, 9, -1], 'keypoints', [6, 7, 2, 9, 9, 0]),
    ('keypoints', [6, 7, 2, 9, 9, 0.7], 'keypoints', [6, 7, 2, 9, 9, 1]),
    ('keypoints', [6, 7, 2, 9, 9, True], 'keypoints', [6, 7, 2, 9, 9, 1]),
    (
        'keypoints',
        [6, 7, 2, float('nan'), 9, 2],
        'keypoints',
        [6, 7, 2, 0, 0, 0],
    ),
    ('segmentation', [5, 5, 9, 5, 9, 9], 'segmentation', [[5, 5, 9, 5, 9, 9]]),
]


@pytest.mark.parametrize(('key', 'value', 'where', 'wanted'), REPAIRS)
def test_what_has_a_harmless_meaning_is_repaired(
    tmp_path, key, value, where, wanted
):
    found = read_annotations(write(tmp_path, changed(key, value)))
    assert (
        found.people[0][where] == pytest.approx(wanted)
        if isinstance(wanted, float)
        else found.people[0][where] == wanted
    )
    effects = {fault.effect for fault in found.faults}
    assert effects == {'repaired'}
    assert found.people[1] == GOOD['annotations'][1]


LEFT_OUT = [
    ('image_id', 99),
    ('image_id', None),
    ('keypoints', [1, 2, 3]),
    ('keypoints', [1, 2, 3, 4]),
    ('keypoints', 'none'),
    ('keypoints', [6, 7, 2, 'x', 21, 1]),
    ('keypoints', {}),
]


@pytest.mark.parametrize(('key', 'value'), LEFT_OUT)
def test_what_has_no_meaning_is_left_out_and_counted(tmp_path, key, value):
    found = read_annotations(write(tmp_path, changed(key, value)))
    assert [p['id'] for p in found.people] == [8]
    (fault,) = found.faults
    assert fault.effect == 'left out'
    assert fault.count == 1
    assert '$.annotations[0]' in fault.sentence()


PARTS = dict(foot_kpts=6, face_kpts=68, lefthand_kpts=21, righthand_kpts=21)


@pytest.mark.parametrize(
    ('key', 'value', 'wanted', 'words'),
    [
        ('foot_kpts', [1, 2, 2] * 6, [1, 2, 2] * 6, None),
        ('foot_kpts', ..., [0] * 18, None),
        ('face_kpts', [1, 2, 0.7] * 68, [1, 2, 1] * 68, 'repaired: 68 x a fl'),
        ('lefthand_kpts', [1, 2] * 21, None, 'but pairs (x, y without v)'),
        ('righthand_kpts', [1, 2, 2] * 20, None, 'are not 21 triples'),
        (
            'righthand_kpts',
            ['x', 2, 2] * 21,
            None,
            'are not 21 triples of numbers',
        ),
    ],
)
def test_whole_bodies(tmp_path, key, value, wanted, words):
    """Foot, face and hands have the rules of the body's keypoints."""
    given = copy.deepcopy(GOOD)
    for person in given['annotations']:
        person |= {part: [5, 6, 1] * n for part, n in PARTS.items()}
    first = given['annotations'][0]
    first[key] = value
    if value is ...:
        del first[key]
    found = read_annotations(write(tmp_path, given))
    said = [fault.sentence() for fault in found.faults]
    assert len(said) == bool(words)
    for sentence in said:
        assert words in sentence
        assert f'$.annotations[0].{key}' in sentence
    if wanted is None:
        assert [p['id'] for p in found.people] == [8]
    else:
        assert found.people[0][key] == wanted
    assert found.people[-1] == given['annotations'][1]


def test_tracked_skeletons_of_cvat(tmp_path):
    """``keypoints []`` and ``bbox [0,0,0,0]``: nothing to see in them."""
    value = changed('keypoints', [])
    value['annotations'][0].update(bbox=[0, 0, 0, 0], num_keypoints=0)
    found = read_annotations(write(tmp_path, value))
    assert [p['id'] for p in found.people] == [8]


@pytest.mark.parametrize('category', [0, 3])
def test_people_of_any_category(tmp_path, category):
    value = copy.deepcopy(GOOD)
    value['categories'][0]['id'] = category
    value['categories'].append(dict(id=9, name='dog'))
    for person in value['annotations']:
        person['category_id'] = category
    value['annotations'].append(dict(id=50, image_id=1, category_id=9))
    found = read_annotations(write(tmp_path, value))
    assert found.category == category
    assert len(found.people) == 2
    (fault,) = found.faults
    assert fault.effect == 'noted'


REFUSED = [
    ('{"images": [', 'is not JSON'),
    ('', 'is not JSON'),
    ('[]', 'holds a list'),
    ('"x"', 'holds a str'),
    ('{}', 'has no "images"'),
    (dict(GOOD, annotations=[]), 'has no "annotations"'),
    (dict(GOOD, annotations=[dict()]), 'no person'),
    (
        dict(GOOD, annotations=[GOOD['annotations'][0]] * 2),
        'two annotations of the id 7',
    ),
    (dict(GOOD, images=[GOOD['images'][0]] * 2), 'two images of the id 1'),
]


@pytest.mark.parametrize(('value', 'words'), REFUSED)
def test_what_cannot_be_used_at_all(tmp_path, value, words):
    path = write(tmp_path, value)
    with pytest.raises(UsageError, match=words) as caught:
        read_annotations(path)
    assert str(path) in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_file_that_does_not_exist(tmp_path):
    with pytest.raises(UsageError, match='cannot be read'):
        read_annotations(tmp_path / 'none.json')


def test_detections(tmp_path):
    people = read_annotations(write(tmp_path, GOOD))
    path = tmp_path / 'boxes.json'
    good = dict(image_id=1, category_id=1, bbox=[1, 2, 3, 4], score=0.5)
    bad = [
        dict(good, image_id=77),
        dict(good, score=None),
        dict(good, bbox=[1, 2, float('nan'), 4]),
        dict(good, bbox=[1, 2, 0, 4]),
        dict(good, category_id=5),
        'text',
    ]
    path.write_text(json.dumps([good, *bad]))
    found, faults = read_detections(path, people)
    assert found == [good]
    assert sum(f.count for f in faults) == len(bad)
    for value, words in (({}, 'holds a dict'), ([], 'it is empty')):
        path.write_text(json.dumps(value))
        with pytest.raises(UsageError, match=words):
            read_detections(path, people)
    x, y, w, h = people.people[0]['bbox'] = [20, 15, 10, 12]
    right = dict(good, image_id=people.people[0]['image_id'])
    right['bbox'] = [x, y, w, h]
    corners = dict(right, bbox=[x, y, x + w, y + h])
    path.write_text(json.dumps([right, *[corners] * 3]))
    _, (fault,) = read_detections(path, people)
    assert '1 of 4 boxes match an annotated person' in fault.sentence()
    assert 'read as corners x1, y1, x2, y2, 3 do' in fault.sentence()
    path.write_text(json.dumps([right, corners]))
    assert not read_detections(path, people)[1]


def test_pictures(tmp_path):
    picture = np.zeros((30, 40, 3), np.uint8)
    good = copy.deepcopy(GOOD)
    names = ['a.png', 'sub\\b.png', 'empty.png', 'text.png', 'link.png', 'no']
    good['images'] = [
        dict(id=i + 1, file_name=name, width=40, height=30)
        for i, name in enumerate(names)
    ]
    (tmp_path / 'sub').mkdir()
    cv2.imwrite(str(tmp_path / 'a.png'), picture)
    cv2.imwrite(str(tmp_path / 'sub' / 'b.png'), picture)
    (tmp_path / 'empty.png').touch()
    (tmp_path / 'text.png').write_text('no picture')
    (tmp_path / 'link.png').symlink_to(tmp_path / 'gone')
    found = read_annotations(write(tmp_path, good))
    assert set(check_images(found, tmp_path)) == {1, 2, 4}
    assert set(check_images(found, tmp_path, decode=True)) == {1, 2}
    with pytest.raises(DataError, match='none of the images'):
        check_images(found, tmp_path / 'sub' / 'none')
    with pytest.raises(DataError, match='--skip-unreadable'):
        check_images(found, tmp_path, skip=False)
