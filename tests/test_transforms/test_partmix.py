"""Parts of other people pasted over a part, corrected and as the reference.

Expected numbers are worked out in the comments, or come from the naive
implementation in ``tests/golden/naive_reference.py``. Boxes are
``(x1, y1, x2, y2)`` with exclusive ends.
"""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.datasets.transforms import LoadImage
from scipy.stats import binomtest, chisquare

from mmpose_occlusion.datasets.donors import DonorIndex
from mmpose_occlusion.transforms import PartMix, PartOcclusion
from tests.golden import naive_reference as reference
from tests.golden.donors import data_list, give
from tests.golden.samples import (
    box_of,
    covered,
    crop,
    labelled,
    mask,
    naive_joints,
    names,
    photo,
    random_person,
    white,
)
from tests.records import named, under

ARM = dict(left_shoulder=(50, 60), left_elbow=(40, 90), left_wrist=(45, 120))
LEG = dict(right_hip=(20, 10), right_knee=(40, 70), right_ankle=(25, 130))
BOTH = pytest.mark.parametrize('paper_exact', [False, True])


def flat(*color, height=150, width=60):
    """An image of one colour, B, G, R."""
    return np.full((height, width, 3), color, np.uint8)


def whole_person(width=56, height=140, layout='coco'):
    """All joints, on points of their own inside an image."""
    rng = np.random.default_rng(7)
    spots = rng.uniform(4, (width - 4, height - 4), (17, 2)).tolist()
    return dict(zip(names(layout), map(tuple, spots), strict=False))


@pytest.fixture
def index(tmp_path):
    """Makes the donors of some images; see ``data_list``."""

    def make(*pictures, layout='coco', **kwargs):
        return DonorIndex(data_list(tmp_path, pictures, layout, **kwargs))

    return make


def until(wanted, transform, donors, joints, image, tries=200, **kwargs):
    """The results of the first annotation with a record that is wanted."""
    for ann_id in range(tries):
        results = give(
            crop(joints, image.copy(), ann_id=ann_id, **kwargs), donors
        )
        results = transform(results)
        (record,) = results['occlusions']
        if wanted(record):
            return results, record
    raise AssertionError('no annotation draws that')


def mix(**kwargs):
    """A PartMix of all people."""
    return PartMix(prob=1.0, **kwargs)


def pasted(record):
    return record['pixels'] > 0


def draws(transform, donors, joints, count=400, layout='coco', **kwargs):
    """The records of as many annotations."""
    results = give(crop(joints, photo(64, 48), layout, **kwargs), donors)
    records = []
    for ann_id in range(count):
        out = transform({**results, 'id': ann_id})
        records += out['occlusions']
    assert len(records) == count
    return records


def is_even(found, expected):
    tally = [found.count(name) for name in expected]
    return set(found) == set(expected) and (
        len(tally) == 1 or chisquare(tally).pvalue > 1e-3
    )


# --- what is pasted ---------------------------------------------------------


@pytest.mark.parametrize(('paper_exact', 'color'), [
    (False, (10, 20, 200)),
    (True, (200, 20, 10)),  # read as BGR into what the reference holds as RGB
])  # fmt: skip
def test_colours(index, paper_exact, color):
    donors = index((flat(10, 20, 200), [whole_person()]))
    clean = white(256, 192)
    transform = mix(seed=0, paper_exact=paper_exact)
    results, record = until(pasted, transform, donors, ARM, clean)
    painted = mask(results, clean)
    assert record['pixels'] == painted.sum()
    assert (results['img'][painted] == color).all()
    assert record['paint']['swap_channels'] == paper_exact


def test_the_reference_shrinks_by_area(index):
    """The donor's leg is 20..40 x 10..130, the arm 40..50 x 60..120: each of
    its pixels is the mean of 2 x 2 pixels of the donor."""
    picture = photo(150, 60)
    donors = index((picture, [LEG]))
    clean = white(256, 192)
    results, record = until(
        lambda r: pasted(r) and named(r) == 'part:left_arm',
        mix(seed=0, paper_exact=True), donors, ARM, clean,
    )  # fmt: skip
    assert record['paint']['part'] == 'right_leg'
    assert record['paint']['box'] == [20, 10, 40, 130]
    assert record['box'] == [40, 60, 50, 120]
    assert box_of(mask(results, clean)) == (40, 60, 50, 120)
    cut = picture[10:130, 20:40].astype(float)
    means = cut.reshape(60, 2, 10, 2, 3).mean(axis=(1, 3))[..., ::-1]
    assert np.abs(results['img'][60:120, 40:50] - means).max() <= 0.5


def test_the_corrected_boxes_are_those_of_part_occlusion(index):
    """On the person and, in whole-image pixels, on the donor, whose image
    scales the margins."""
    picture = photo(150, 60)
    donors = index((picture, [LEG]))
    clean = photo(256, 192)
    results, record = until(pasted, mix(seed=0), donors, ARM, clean)
    part = named(record).split(':')[1]
    assert part in ('left_arm', 'corpus')  # a shoulder is of the corpus
    plain = PartOcclusion(part, fill='black')(crop(ARM, clean.copy()))
    x1, y1, x2, y2 = record['box']
    assert record['box'] == plain['occlusions'][0]['box']
    left, top, right, bottom = record['paint']['box']
    assert record['paint']['part'] == 'right_leg'
    # 20..40 x 10..130, over the last joints' pixels: 120 / 4 = 30 wide at
    # least, from the middle
    assert (top, bottom) == (10, 131)
    assert left <= 20
    assert right >= 41
    assert 4 * (right - left) >= bottom - top
    expected = cv2.resize(
        picture[top:bottom, left:right], (x2 - x1, y2 - y1),
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    np.testing.assert_array_equal(results['img'][y1:y2, x1:x2], expected)
    results['img'][y1:y2, x1:x2] = clean[y1:y2, x1:x2]
    np.testing.assert_array_equal(results['img'], clean)


@pytest.mark.parametrize('seed', range(8))
def test_equal_to_the_last_pixel(index, seed):
    """Whatever was drawn, the naive reference does the same with it."""
    rng = np.random.default_rng(seed)
    layout = ('coco', 'mpii')[seed % 2]
    flipped = seed % 4 > 1
    pictures, held = {}, {}
    made = []
    for number in range(3):
        picture = photo(50 + number, 60, seed=number)
        people = [
            random_person(rng, layout, 50, 60, missing=0.05 * number)
            for _ in range(2)
        ]
        made.append((picture, people))
    donors = index(*made, layout=layout)
    for row in range(0, 6, 2):  # the first of each image
        picture, people = made[row // 2]
        number = donors[row].annotation
        pictures[number] = picture
        held[number] = naive_joints(people[0], layout, False)
    transform = PartMix(
        prob=1.0, remove_keypoints=True, seed=seed, paper_exact=True
    )
    outcomes = set()
    for ann_id in range(60):
        clean = photo(64, 48, ann_id)
        joints = random_person(rng, layout, 64, 48, missing=0.05)
        own = naive_joints(joints, layout, flipped)
        results = give(
            crop(joints, clean.copy(), layout, flipped, ann_id=ann_id), donors
        )
        results = transform(results)
        (record,) = results['occlusions']
        part = named(record).split(':')[1]
        paint = record['paint']
        if paint is None:
            # no donor, or nothing to paint over; see the tests below
            expected, gone = clean, set()
        else:
            who = paint['annotation']
            assert paint['part'] != part
            expected, gone = reference.mix_part(
                clean, own, part, pictures[who], held[who], paint['part'],
                layout,
            )  # fmt: skip
            assert (expected != clean).any()
        np.testing.assert_array_equal(results['img'], expected)
        assert labelled(results, layout=layout) == joints.keys() - gone
        outcomes.add((paint is not None, bool(gone)))
    assert (True, True) in outcomes


# --- whom nothing happens to ------------------------------------------------


@pytest.mark.parametrize('missing', list(ARM))
def test_the_reference_wants_all_joints_of_the_part(index, missing):
    """And where nothing is pasted, no label is removed either."""
    donors = index((flat(1, 2, 3), [whole_person()]))
    joints = {name: ARM[name] for name in ARM if name != missing}
    transform = PartMix(
        prob=1.0, remove_keypoints=True, seed=0, paper_exact=True
    )
    clean = photo(256, 192)
    drawn = set()
    for ann_id in range(40):
        results = give(crop(joints, clean.copy(), ann_id=ann_id), donors)
        results = transform(results)
        (record,) = results['occlusions']
        drawn.add(named(record).split(':')[1])
        assert record['reason'].startswith('not all joints of the ')
        assert (results['img'] == clean).all()
        assert labelled(results) == set(joints)
    assert drawn == set(reference.MIXED_PARTS)
    # one joint is enough for the corrected rules
    until(pasted, mix(seed=0), donors, joints, clean, tries=1)


@pytest.mark.parametrize('side', ['person', 'donor'])
def test_nothing_happens_where_a_box_is_empty(index, side):
    """A straight standing leg is 0 wide to the reference."""
    straight = {name: (30, y) for name, (_, y) in LEG.items()}
    person, donor = (
        (straight, whole_person())
        if side == 'person'
        else (dict(ARM, **LEG), straight)
    )
    donors = index((flat(1, 2, 3), [donor]))
    transform = PartMix(
        prob=1.0, remove_keypoints=True, seed=0, paper_exact=True
    )
    clean = photo(256, 192)
    for ann_id in range(40):
        results = give(crop(person, clean.copy(), ann_id=ann_id), donors)
        results = transform(results)
        assert (results['img'] == clean).all()
        assert labelled(results) == set(person)
        assert results['occlusions'][0]['reason']
    results, record = until(
        lambda r: pasted(r) and 'leg' in named(r) + r['paint']['part'],
        mix(seed=0), donors, person, clean,
    )  # fmt: skip
    assert record['reason'] is None


def test_person_without_joints_is_unchanged(index):
    donors = index((flat(1, 2, 3), [whole_person()]))
    for paper_exact in (False, True):
        transform = mix(paper_exact=paper_exact)
        for record in draws(transform, donors, {}, 5):
            assert record['reason'] == 'this person has no available part'


# --- who is drawn -----------------------------------------------------------


@BOTH
@pytest.mark.parametrize('prob', [0.2, 0.5])
def test_the_probability_is_the_stated_one(index, prob, paper_exact):
    donors = index((photo(150, 60), [whole_person()]))
    joints = whole_person(46, 60)
    transform = PartMix(prob=prob, seed=5, paper_exact=paper_exact)
    hits = sum(map(pasted, draws(transform, donors, joints)))
    assert binomtest(hits, 400, prob).pvalue > 1e-3


@BOTH
def test_parts_are_drawn_evenly_and_the_donors_differs(index, paper_exact):
    donors = index((photo(150, 60), [whole_person()]))
    joints = whole_person(46, 60)
    records = draws(mix(seed=5, paper_exact=paper_exact), donors, joints)
    assert all(map(pasted, records))
    own = [named(record).split(':')[1] for record in records]
    others = [record['paint']['part'] for record in records]
    assert is_even(own, reference.MIXED_PARTS)
    assert is_even(others, reference.MIXED_PARTS)
    pairs = set(zip(own, others, strict=True))
    assert len(pairs) == 6 * 5
    assert not any(a == b for a, b in pairs)


def test_corrected_draws_from_the_parts_that_there_are(index):
    donors = index((photo(150, 60), [LEG]))
    records = draws(
        mix(seed=5), donors,
        dict(left_hip=(20, 30), nose=(30, 90)),  # the nose is outside
    )  # fmt: skip
    own = [named(record).split(':')[1] for record in records]
    assert is_even(own, ['left_leg', 'corpus'])
    # no donor has another complete part, so that none is drawn in vain
    assert all(map(pasted, records))
    assert {record['paint']['part'] for record in records} == {'right_leg'}


def test_never_the_same_person(index):
    """Unless under paper_exact, where chance decides."""
    person = whole_person(46, 60)
    donors = index((photo(64, 48), [person]), (photo(70, 48), [person]))
    path = donors[0].image_path
    for paper_exact, expected in ((False, {902}), (True, {901, 902})):
        transform = mix(paper_exact=paper_exact)
        found = set()
        for _ in range(60):
            results = give(crop(person, photo(64, 48), ann_id=901), donors)
            results['img_path'] = path
            (record,) = transform(results)['occlusions']
            if pasted(record):  # but for eight draws of itself
                found.add(record['paint']['annotation'])
        assert found == expected
    alone = index((photo(64, 48), [person]))
    for paper_exact in (False, True):
        results = give(crop(person, photo(64, 48), ann_id=901), alone)
        results['img_path'] = alone[0].image_path
        results = mix(paper_exact=paper_exact)(results)
        (record,) = results['occlusions']
        assert pasted(record) == paper_exact
    # a person of another image may have the same number
    results = give(crop(person, photo(64, 48), ann_id=901), alone)
    results['img_path'] = 'elsewhere.png'
    assert pasted(mix()(results)['occlusions'][0])


def test_any_labelled_person_of_an_image_can_be_donor(index):
    """To the reference the first one alone, or none."""
    person = whole_person()
    donors = index((photo(150, 60), [person, person, person]),
                   (photo(150, 60), [{}, person]))  # fmt: skip
    joints = whole_person(46, 60)
    corrected = {901, 902, 903, 905}
    for paper_exact, expected in ((False, corrected), (True, {901})):
        records = draws(mix(seed=5, paper_exact=paper_exact), donors, joints)
        found = [record['paint']['annotation'] for record in records]
        assert is_even(found, expected)


def test_the_donor_has_all_joints_of_the_part(index):
    """Labels decide; a joint outside of its image has one."""
    half = {n: p for n, p in whole_person().items() if 'ankle' not in n}
    half['left_wrist'] = (-5, 30)
    donors = index((photo(150, 60), [half]))
    joints = whole_person(46, 60)
    records = draws(mix(seed=5), donors, joints)
    assert {record['paint']['part'] for record in records} == {
        'head', 'left_arm', 'right_arm', 'corpus',
    }  # fmt: skip
    records = draws(mix(seed=5, paper_exact=True), donors, joints)
    for record in records:
        if record['paint']:
            assert 'leg' not in record['paint']['part']
        else:
            assert 'leg found' in record['reason']


def test_mpii_missing_joints_count_in_the_reference(index):
    """A donor with an elbow alone has an arm, from there to the corner."""
    donors = index((photo(50, 60), [dict(left_elbow=(30, 20))]),
                   layout='mpii')  # fmt: skip
    joints = dict(right_hip=(20, 40))
    records = draws(
        mix(seed=5, paper_exact=True),
        donors,
        joints,
        200,
        'mpii',
    )
    # -2..20 x -2..40 over -2..30 x -2..20
    (box,) = {
        tuple(record['paint']['box'])
        for record in records
        if pasted(record) and record['paint']['part'] == 'left_arm'
    }
    assert box == (0, 0, 30, 20)
    assert {named(r) for r in records if pasted(r)} == {
        'part:right_leg', 'part:corpus',
    }  # fmt: skip
    assert (0, 0, 20, 40) in {
        tuple(record['box']) for record in records if pasted(record)
    }
    records = draws(mix(seed=5), donors, joints, 20, 'mpii')
    assert {record['reason'] for record in records} == {
        'there is no person with all joints of another part'
    }


# --- retries and files ------------------------------------------------------


def test_retries_are_bounded(index, monkeypatch):
    """All parts of all donors lie outside of their images."""
    outside = {name: (x + 500, y) for name, (x, y) in whole_person().items()}
    donors = index((photo(150, 60), [outside]))
    read = []
    clean = photo(256, 192)
    results = give(crop(ARM, clean.copy()), donors)
    monkeypatch.setattr(
        LoadImage,
        'transform',
        lambda _, results: read.append(results) or dict(img=white(150, 60)),
    )
    results = mix(remove_keypoints=True)(results)
    (record,) = results['occlusions']
    assert len(read) == 8
    assert record['reason'].endswith('found in 8 tries')
    assert (results['img'] == clean).all()
    assert labelled(results) == set(ARM)


def test_a_second_donor_serves_where_the_first_has_no_pixels(index):
    person = whole_person()
    outside = {name: (x + 500, y) for name, (x, y) in person.items()}
    donors = index((photo(150, 60), [outside]), (photo(150, 60), [person]))
    records = draws(mix(seed=5), donors, whole_person(46, 60), 200)
    # 1 of 2^8 has eight unlucky draws
    assert sum(map(pasted, records)) >= 195
    assert {r['paint']['annotation'] for r in records if pasted(r)} == {902}


@BOTH
@pytest.mark.parametrize('content', [None, b'', b'not an image'])
def test_a_file_that_cannot_be_read_is_named(index, content, paper_exact):
    donors = index((photo(150, 60), [whole_person()]))
    path = Path(donors[0].image_path)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    results = give(crop(whole_person(46, 60), photo(64, 48)), donors)
    with pytest.raises(OSError, match='cannot read the donor') as info:
        mix(seed=0, paper_exact=paper_exact)(results)
    assert str(path) in str(info.value)
    assert str(info.value).startswith('PartMix')


@BOTH
def test_without_donors_the_wrapper_is_named(paper_exact):
    results = crop(whole_person(46, 60), photo(64, 48))
    with pytest.raises(ValueError, match='DonorDataset'):
        mix(paper_exact=paper_exact)(results)


# --- removal ----------------------------------------------------------------


OTHERS = dict(
    nose=(35, 90),  # on the open end: stays
    left_eye=(55, 90),  # on the closed ends: goes
    right_eye=(45, 30),
    left_knee=(45, 150.5),  # outside: stays
)


@pytest.mark.parametrize('two_channels', [False, True])
def test_the_reference_removes_in_twice_the_box(index, two_channels):
    """c = (45, 90), w = (10, 60): 35 < x <= 55 and 30 <= y <= 150."""
    donors = index((photo(150, 60), [whole_person()]))
    results, record = until(
        lambda r: pasted(r) and named(r) == 'part:left_arm',
        mix(remove_keypoints=True, seed=0, paper_exact=True), donors,
        {**ARM, **OTHERS}, white(256, 192), two_channels=two_channels,
    )  # fmt: skip
    assert labelled(results) == {'nose', 'left_knee'}
    removed = {name for _, name in record['removed']}
    assert removed == {*ARM, 'left_eye', 'right_eye'}


@pytest.mark.parametrize('two_channels', [False, True])
def test_corrected_removes_what_is_under_the_paint(index, two_channels):
    donors = index((flat(0, 0, 0), [whole_person()]))
    joints = {**ARM, **OTHERS}
    clean = white(256, 192)
    results, record = until(
        lambda r: named(r) == 'part:left_arm',
        mix(remove_keypoints=True, seed=0),
        donors, joints, clean, two_channels=two_channels,
    )  # fmt: skip
    gone = covered(mask(results, clean), joints)
    assert gone >= set(ARM)
    assert labelled(results) == joints.keys() - gone
    assert {name for _, name in record['removed']} == gone


@BOTH
def test_no_label_is_removed_unless_asked(index, paper_exact):
    donors = index((photo(150, 60), [whole_person()]))
    joints = whole_person(46, 60)
    transform = mix(seed=0, paper_exact=paper_exact)
    results = transform(give(crop(joints, photo(64, 48)), donors))
    (record,) = results['occlusions']
    assert pasted(record)
    assert under(record)
    assert record['removed'] == []
    assert labelled(results) == set(joints)


# --- arguments --------------------------------------------------------------


@pytest.mark.parametrize(('kwargs', 'words'), [
    (dict(prob=1.5), 'prob=1.5'),
    (dict(seed=-1), 'seed=-1'),
])  # fmt: skip
def test_bad_arguments_are_refused(kwargs, words):
    with pytest.raises(ValueError, match=words) as info:
        PartMix(**kwargs)
    assert str(info.value).startswith('PartMix')


def test_the_defaults_are_the_references():
    assert (PartMix().prob, PartMix().remove_keypoints) == (0.5, False)
