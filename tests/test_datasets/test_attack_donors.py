"""Patches of other people in test sets, with either kind of boxes."""

import cv2
import numpy as np
import pytest

from mmpose_occlusion.datasets.detection_matching import (
    match_detections,
    offer_donors,
)
from mmpose_occlusion.engine.pipelines import needs_donors
from mmpose_occlusion.occlusion import parse_attack, replay_all
from mmpose_occlusion.transforms import KeypointOcclusion
from tests.golden.samples import crop, photo
from tests.records import named
from tests.test_evaluation.runs import PIPELINE, build, synthetic

ATTACKS = ['keypoint:random:donor:24', 'part:left_arm:donor']


@pytest.fixture(scope='module')
def people(synthetic_people):
    """Config of a test set of crops, with annotated boxes."""
    return dict(synthetic(synthetic_people), pipeline=PIPELINE[:-1])


@pytest.fixture(scope='module')
def offered(people):
    return build(offer_donors(people))


def attacked(dataset, spec, seed=0):
    """Clean and attacked crop of everybody, with the record."""
    from mmpose.registry import TRANSFORMS

    transform = TRANSFORMS.build(
        dict(parse_attack(spec).to_config(), seed=seed)
    )
    out = {}
    for i in range(len(dataset)):
        results = dataset[i]
        clean = results['img'].copy()
        done = transform(results)
        person = results.get('matched_person', results)
        if 'id' in person:
            out[person['id']] = clean, done['img'], done['occlusions'][0]
    return out


@pytest.mark.parametrize('spec', ATTACKS)
def test_patch_is_of_another_person(offered, spec):
    found = attacked(offered, spec)
    painted = 0
    for own, (clean, image, record) in found.items():
        if record['reason']:
            continue
        painted += 1
        paint = record['paint']
        assert paint['annotation'] != own
        kind, target = named(record).split(':')
        assert paint['part'] != target
        # the donor's pixels, as they are in the file
        x1, y1, x2, y2 = paint['box']
        source = cv2.imread(paint['image_path'])[y1:y2, x1:x2]
        left, top, right, bottom = record['box']
        size = (right - left, bottom - top)
        resized = cv2.resize(source, size, interpolation=cv2.INTER_AREA)
        y, x = size[1] // 2, size[0] // 2  # in the disc and in the box
        assert (image[top + y, left + x] == resized[y, x]).all()
        assert (replay_all(clean, [record]) == image).all()
        # they hold the donor's joint, which is another one
        donors = offered.dataset.donors
        row = donors.annotation.tolist().index(paint['annotation'])
        names = offered.metainfo['keypoint_name2id']
        if kind == 'keypoint':
            donor_x, donor_y = donors.xy[row, names[paint['part']]]
            assert x1 <= donor_x <= x2
            assert y1 <= donor_y <= y2
    assert painted > 4


@pytest.mark.parametrize('spec', ATTACKS)
def test_a_patch_depends_on_seed_and_person_alone(offered, spec):
    def paints(seed):
        found = attacked(offered, spec, seed)
        return {own: record['paint'] for own, (*_, record) in found.items()}

    assert paints(0) == paints(0)
    assert paints(0) != paints(1)


def test_a_patch_is_the_same_in_a_detectors_box(
    people, offered, synthetic_people
):
    """Who gives it and where from; the crop is another one."""
    detected = dict(synthetic(synthetic_people, detected=True))
    detected['pipeline'] = PIPELINE[:-1]
    matched = build(offer_donors(match_detections(detected)))
    spec = 'keypoint:left_wrist:donor:20%'
    expected, found = attacked(offered, spec), attacked(matched, spec)
    same = [
        (expected[own][-1]['paint'], found[own][-1]['paint'])
        for own in expected.keys() & found.keys()
        if expected[own][-1]['pixels'] and found[own][-1]['pixels']
    ]
    assert len(same) > 2
    for one, other in same:
        assert one['annotation'] == other['annotation']
        assert one['part'] == other['part']


def test_a_patch_is_as_large_a_part_of_the_donor(offered):
    """A disc of 20 % of the person's box is cut from 20 % of the donor's."""
    donors = offered.dataset.donors
    heights = dict(zip(donors.annotation.tolist(), donors.height, strict=True))
    for spec, share in (
        ('keypoint:left_wrist:donor:20%', 0.2),
        # a crop is 1.25 times as high as its person, or more
        ('keypoint:left_wrist:donor:25.6', 0.25),
    ):
        sizes = []
        for *_, record in attacked(offered, spec).values():
            if record['pixels']:
                x1, y1, x2, y2 = record['paint']['box']
                height = heights[record['paint']['annotation']]
                sizes.append(max(x2 - x1, y2 - y1) / height)
        assert np.median(sizes) == pytest.approx(share, abs=0.05)


def test_mpii_has_donors_too(synthetic_people):
    cfg = dict(synthetic(synthetic_people, mpii=True), pipeline=PIPELINE[:-1])
    found = attacked(build(offer_donors(cfg)), 'keypoint:thorax:donor')
    records = [record for *_, record in found.values()]
    assert sum(record['pixels'] > 0 for record in records) > 2


def test_no_donor_but_the_person(offered):
    """A data set of one: its donor would be the person itself."""
    results = offered[0]
    index = offered.dataset.donors
    only = type(index).__new__(type(index))
    only.__dict__.update(index.__dict__, _rows={})
    keep = index.annotation == results['id']
    for key in ('xy', 'labelled', 'height', 'annotation', 'image', 'first'):
        setattr(only, key, getattr(index, key)[keep])
    results['dataset'] = type(
        'Data', (), dict(donors=only, metainfo=offered.metainfo)
    )()
    record = KeypointOcclusion(fill='donor', seed=0)(results)['occlusions'][0]
    assert record['pixels'] == 0
    assert record['reason'].endswith('found in 8 tries')


def test_no_donors_is_a_sentence():
    results = crop(dict(nose=(90, 90)), photo(256, 192))
    with pytest.raises(ValueError, match="dict\\(type='DonorDataset'"):
        KeypointOcclusion('nose', fill='donor')(results)


def test_which_attacks_need_donors():
    assert needs_donors(parse_attack('part:hip:donor').to_config())
    assert needs_donors(dict(type='PartMix'))
    inside = dict(type='RandomApply', transforms=[dict(type='PartMix')])
    assert needs_donors(inside)
    assert needs_donors(
        dict(type='MultiKeypointOcclusion', fills=['blur', 'donor'])
    )
    assert not needs_donors(parse_attack('part:hip:object').to_config())


def test_every_data_set_of_a_config_offers_its_own():
    plain = dict(type='CocoDataset', ann_file='a.json')
    wrapped = dict(type='DonorDataset', dataset=plain)
    assert offer_donors(plain) == wrapped
    assert offer_donors(wrapped) == wrapped
    assert offer_donors(dict(type='Repeat', dataset=plain)) == dict(
        type='Repeat', dataset=wrapped
    )
    both = dict(type='CombinedDataset', datasets=[plain, wrapped])
    assert offer_donors(both)['datasets'] == [wrapped, wrapped]
    matched = dict(type='DetectionMatchedDataset', dataset=plain)
    assert offer_donors(matched) == dict(matched, donors=True)
    assert 'donors' not in matched
