"""Detector boxes whose people can be occluded, and nothing else changes."""

import json

import cv2
import numpy as np
import pytest
from mmengine.config import ConfigDict
from mmengine.logging import MMLogger
from mmpose.registry import DATASETS

from mmpose_occlusion.datasets.detection_matching import (
    DetectionMatchedDataset,
    match_detections,
)
from mmpose_occlusion.engine.pipelines import insert_attacks
from mmpose_occlusion.transforms import KeypointOcclusion
from mmpose_occlusion.transforms.results_reader import MATCHED_KEY
from tests.records import named, under
from tests.test_evaluation.runs import PIPELINE, build, photographs, synthetic

NOSE = dict(type='KeypointOcclusion', target='nose', fill='black')


def attacked(cfg, attack=NOSE, **options):
    """The data set of a config under an attack."""
    pipeline = insert_attacks(cfg['pipeline'], [attack], seed=0)
    return build(match_detections(dict(cfg, pipeline=pipeline), **options))


def num_matched(dataset):
    return sum(
        'id' in dataset.get_data_info(i)['matched_person']
        for i in range(len(dataset))
    )


def records(dataset):
    return [
        record
        for i in range(len(dataset))
        for record in dataset[i]['data_samples'].metainfo['occlusions']
    ]


# Two people with one joint each in an image of 200 x 100, and four boxes.

PEOPLE = {11: (0, 0, 40, 80), 12: (100, 0, 40, 80)}
BOXES = [
    (0, 0, 40, 60, 0.5),  # IoU .75 with the first
    (100, 0, 40, 80, 0.6),  # the second
    (0, 0, 40, 78, 0.4),  # the first again, nearer, but with a lower score
    (60, 0, 40, 80, 0.9),  # no person
]


@pytest.fixture
def two_people(tmp_path):
    """Config of their data set; each nose is in the middle of its box."""
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((100, 200, 3), 255, np.uint8))
    annotations = []
    for number, (x, y, w, h) in PEOPLE.items():
        joints = np.zeros((17, 3))
        joints[0] = x + w / 2, y + h / 2, 2
        annotations.append(
            dict(
                id=number,
                image_id=5,
                category_id=1,
                iscrowd=0,
                area=w * h / 2,
                num_keypoints=1,
                bbox=[x, y, w, h],
                keypoints=joints.ravel().tolist(),
            )
        )
    coco = dict(
        images=[dict(id=5, file_name='a.png', width=200, height=100)],
        categories=[dict(id=1, name='person')],
        annotations=annotations,
    )
    boxes = [
        dict(image_id=5, category_id=1, bbox=box, score=score)
        for *box, score in BOXES
    ]
    (tmp_path / 'people.json').write_text(json.dumps(coco))
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    return dict(
        type='CocoDataset',
        data_root=str(tmp_path),
        ann_file='people.json',
        bbox_file=str(tmp_path / 'boxes.json'),
        data_prefix=dict(img=''),
        test_mode=True,
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale', padding=1.0),
            dict(type='TopdownAffine', input_size=(40, 80)),
            dict(type='PackPoseInputs'),
        ],
    )


def edit(cfg, name, change):
    """Change a JSON file beside a data set."""
    path = f'{cfg["data_root"]}/{name}'
    with open(path) as file:
        content = json.load(file)
    change(content)
    with open(path, 'w') as file:
        json.dump(content, file)


def test_matching(two_people):
    dataset = build(match_detections(two_people))
    expected = [11, 12, 'better', 'IoU 0.00']
    for i, who in enumerate(expected):
        person = dataset.get_data_info(i)['matched_person']
        if isinstance(who, int):
            x, y, w, h = PEOPLE[who]
            assert person['id'] == who
            assert person['bbox'].tolist() == [[x, y, x + w, y + h]]
            assert person['keypoints'][0, 0].tolist() == [x + w / 2, y + h / 2]
            assert person['keypoints_visible'].tolist() == [[1] + [0] * 16]
        else:
            assert set(person) == {'reason'}
            assert who in person['reason']
    assert num_matched(dataset) == sum(isinstance(w, int) for w in expected)


def test_people_without_joints_keep_their_box(two_people):
    """It is not given to a neighbour, and nothing is painted."""

    def unlabel(coco):
        coco['annotations'][1]['keypoints'] = [0] * 51
        coco['annotations'][1]['num_keypoints'] = 0
        coco['annotations'][0]['bbox'] = [95, 0, 40, 80]

    edit(two_people, 'people.json', unlabel)
    dataset = attacked(two_people)
    assert dataset.get_data_info(1)['matched_person']['id'] == 12
    (record,) = dataset[1]['data_samples'].metainfo['occlusions']
    assert record['reason'] == 'nose is not labelled'


def test_crowds_match_no_box(two_people):
    def crowd(coco):
        coco['annotations'][1]['iscrowd'] = 1

    edit(two_people, 'people.json', crowd)
    dataset = build(match_detections(two_people))
    assert (
        'no annotated person'
        in dataset.get_data_info(1)['matched_person']['reason']
    )


def test_only_boxes_that_are_tested_are_matched(two_people):
    """Those that filter_cfg takes out do not compete."""
    two_people['filter_cfg'] = dict(bbox_score_thr=0.55)
    dataset = build(match_detections(two_people))
    assert len(dataset) == 2
    assert [
        dataset.get_data_info(i)['matched_person'].get('id') for i in (0, 1)
    ] == [12, None]


@pytest.mark.parametrize(
    ('nms_thr', 'left'),
    [(None, [0, 1, 2, 3]), (0.78, [0, 1, 2, 3]), (0.75, [0, 1, 3])],
)
def test_box_nms(two_people, nms_thr, left):
    """The first and third box overlap by 60 / 78 = .77."""
    dataset = build(match_detections(two_people, nms_thr=nms_thr))
    assert [
        info['id'] for info in map(dataset.get_data_info, range(len(dataset)))
    ] == left
    assert [
        dataset.get_data_info(i)['matched_person'].get('id')
        for i in range(len(dataset))
    ] == [{0: 11, 1: 12}.get(i) for i in left]


@pytest.mark.parametrize('udp', [False, True])
def test_the_disc_is_where_the_nose_is(two_people, udp):
    """The second box is as large as the crop, and the nose in its middle."""
    crop = dict(type='TopdownAffine', input_size=(40, 80), use_udp=udp)
    two_people['pipeline'][2] = crop
    dataset = attacked(two_people, dict(NOSE, size=16))
    sample = dataset[1]
    (record,) = sample['data_samples'].metainfo['occlusions']
    # with UDP the 40 columns lie between 0 and 39
    center = [20 * 39 / 40, 40 * 79 / 80] if udp else [20, 40]
    assert record['region']['center'] == pytest.approx(center)
    assert under(record) == [[0, 'nose']]
    black = (sample['inputs'].numpy() == 0).all(axis=0)
    # the pixels of a disc of radius 16 * 80 / 256 = 5
    assert black.sum() == record['pixels'] == (80 if udp else 81)
    x1, y1, x2, y2 = record['box']
    assert black[y1:y2, x1:x2].sum() == black.sum()


def test_before_the_crop(two_people):
    """On the whole image the joint is in image pixels."""
    pipeline = [*two_people['pipeline']]
    pipeline.insert(1, dict(NOSE, seed=0))
    pipeline[-1] = dict(type='PackPoseInputs', meta_keys=('occlusions',))
    dataset = build(match_detections(dict(two_people, pipeline=pipeline)))
    found = records(dataset)
    assert found[0]['region']['center'] == [20, 40]
    assert found[1]['region']['center'] == [120, 40]
    assert found[3]['pixels'] == 0


def test_no_person_no_attack(two_people):
    clean = build(two_people)
    dataset = attacked(two_people)
    for i in (2, 3):
        sample = dataset[i]
        (record,) = sample['data_samples'].metainfo['occlusions']
        assert named(record) == 'keypoint:nose'
        assert record['instance'] is None
        assert record['pixels'] == 0
        assert (
            record['reason']
            == dataset.get_data_info(i)['matched_person']['reason']
        )
        assert (sample['inputs'] == clean[i]['inputs']).all()


def test_unmatched_boxes_are_counted_in_the_log(two_people, caplog):
    logger = MMLogger.get_instance('test_wrappers')
    logger.addHandler(caplog.handler)
    try:
        build(match_detections(two_people))
    finally:
        logger.removeHandler(caplog.handler)
    assert '2 of the 4 boxes of' in caplog.text
    assert 'the other 2 are not attacked' in caplog.text


@pytest.mark.parametrize('paper_exact', [False, True])
def test_removal_does_not_reach_the_dummies(two_people, paper_exact):
    attack = dict(
        type='PartOcclusion',
        target='head',
        remove_keypoints=True,
        paper_exact=paper_exact,
    )

    def add_eye(coco):
        coco['annotations'][1]['keypoints'][3:6] = [130, 50, 2]

    edit(two_people, 'people.json', add_eye)
    dataset = attacked(two_people, attack)
    before = dataset.get_data_info(1)['matched_person'][
        'keypoints_visible'
    ].copy()
    sample = dataset[1]['data_samples']
    assert sample.metainfo['occlusions'][0]['removed']
    assert (sample.gt_instances.keypoints_visible == 1).all()
    assert (
        dataset.get_data_info(1)['matched_person']['keypoints_visible']
        == before
    ).all()


def test_a_flip_is_refused(two_people):
    flip = dict(type='RandomFlip', prob=1.0)
    two_people['pipeline'].insert(2, flip)
    with pytest.raises(ValueError, match='Image 5 was flipped'):
        attacked(two_people)[0]


def test_a_crop_outside_of_the_wrapper_is_refused(two_people):
    inside, outside = two_people['pipeline'][:2], two_people['pipeline'][2:]
    wrapped = match_detections(dict(two_people, pipeline=inside))
    metainfo = dict(from_file='configs/_base_/datasets/coco.py')
    dataset = build(
        dict(
            type='CombinedDataset',
            metainfo=metainfo,
            datasets=[wrapped],
            pipeline=insert_attacks(outside, [NOSE]),
        )
    )
    with pytest.raises(ValueError, match='with TopdownAffine in the data set'):
        dataset[0]


# --- the config -------------------------------------------------------------


def test_match_detections_finds_all_data_sets():
    plain = dict(type='A', bbox_file=None)
    boxed = dict(type='A', bbox_file='b.json', pipeline=[1])
    wrapped = dict(type='DetectionMatchedDataset', dataset=boxed, nms_thr=0.3)
    cfg = ConfigDict(
        type='Combined',
        datasets=[plain, dict(type='Repeat', dataset=boxed)],
    )
    new = match_detections(cfg, nms_thr=0.3)
    assert new['datasets'][0] == plain
    assert new['datasets'][1]['dataset'] == wrapped
    assert cfg['datasets'][1]['dataset'] == boxed
    assert match_detections(new) == new
    assert match_detections(plain) == plain
    again = match_detections(new, nms_thr=0.5)
    assert again['datasets'][1]['dataset'] == dict(wrapped, nms_thr=0.5)


# --- photographs and drawn people -------------------------------------------


def stock_and_wrapped(cfg):
    """Samples as MMPose makes them, and under an attack."""
    return build(cfg), attacked(
        cfg, dict(type='PartOcclusion', target='head', fill='mean')
    )


def check_that_only_pixels_differ(stock, wrapped):
    assert len(stock) == len(wrapped) > 0
    painted = 0
    for i in range(len(stock)):
        a, b = stock[i], wrapped[i]
        before, after = a['data_samples'], b['data_samples']
        rows = dict(after.metainfo)
        (record,) = rows.pop('occlusions')
        assert str(before.metainfo) == str(rows)
        assert MATCHED_KEY not in rows
        assert before.gt_instances.keys() == after.gt_instances.keys()
        for key, value in before.gt_instances.items():
            np.testing.assert_array_equal(value, after.gt_instances[key])
        changed = (a['inputs'] != b['inputs']).any()
        assert bool(changed) == bool(record['pixels'])
        painted += bool(changed)
    assert painted
    return painted


@pytest.mark.parametrize(('name', 'people'), [('coco', 14), ('crowdpose', 5)])
def test_photographs(real_data, name, people):
    stock, wrapped = stock_and_wrapped(photographs(real_data, name, True))
    assert num_matched(wrapped) == people  # all of them have a box
    painted = check_that_only_pixels_differ(stock, wrapped)
    assert painted <= num_matched(wrapped)


def test_drawn_people(synthetic_people):
    stock, wrapped = stock_and_wrapped(synthetic(synthetic_people, True))
    people = len(build(synthetic(synthetic_people)))
    assert 0.5 * people < num_matched(wrapped) <= people
    check_that_only_pixels_differ(stock, wrapped)


def test_draws_are_those_of_annotated_boxes(synthetic_people):
    """Keyed by image and annotation, whatever the box is."""
    attack = dict(type='KeypointOcclusion', target='random', fill='black')
    drawn = {}
    for detected in (False, True):
        cfg = synthetic(synthetic_people, detected)
        dataset = attacked(cfg, attack)
        for i in range(len(dataset)):
            if (
                detected
                and 'id' not in dataset.get_data_info(i)['matched_person']
            ):
                continue
            info = dataset.get_data_info(i)
            number = info[MATCHED_KEY]['id'] if detected else info['id']
            (record,) = dataset[i]['data_samples'].metainfo['occlusions']
            drawn.setdefault(number, []).append(named(record))
    both = [names for names in drawn.values() if len(names) == 2]
    assert len(both) > 5
    # a joint that one of the crops cuts off changes what there is to draw
    assert np.mean([a == b for a, b in both]) > 0.7
    assert len({a for a, _ in both}) > 3


def test_registered():
    assert DATASETS.get('DetectionMatchedDataset') is DetectionMatchedDataset


def test_sizes_and_controls_follow_the_person_not_the_box(synthetic_people):
    """The disc is a part of the annotated person's box, and a control knows
    the annotated segment."""
    cfg = dict(
        synthetic(synthetic_people, detected=True), pipeline=PIPELINE[:-1]
    )
    matched = build(match_detections(cfg))
    people = build(dict(cfg, bbox_file=None))
    annotated = {people[i]['id']: people[i] for i in range(len(people))}
    attack = dict(fill='black', size='10%', seed=0)
    sized = KeypointOcclusion(**attack)
    control = KeypointOcclusion(place='off_person', **attack)
    seen = 0
    for i in range(len(matched)):
        results = matched[i]
        person = results[MATCHED_KEY]
        if 'id' not in person or person['id'] not in annotated:
            continue
        truth = annotated[person['id']]
        assert person['segmentation'] == truth['segmentation']
        (record,) = sized(dict(results))['occlusions']
        if record['reason']:
            continue
        zoom = results['input_size'][1] / results['input_scale'][1]
        height = truth['bbox'][0, 3] - truth['bbox'][0, 1]
        expected = max(0.1 * height * zoom, 2**0.5)
        assert 2 * record['region']['radius'] == pytest.approx(expected)
        (other,) = control(dict(results))['occlusions']
        assert named(other) == named(record)
        if other['pixels']:
            seen += 1
            assert other['pixels'] == record['pixels']
            x, y = other['region']['center']
            point = np.array([x, y]) / zoom + results['input_center']
            point -= results['input_scale'] / 2
            for ring in person['segmentation']:
                contour = np.reshape(ring, (-1, 1, 2)).astype(np.float32)
                inside = cv2.pointPolygonTest(contour, point.tolist(), True)
                assert inside < -0.4 * record['region']['radius'] / zoom
    assert seen > 4
