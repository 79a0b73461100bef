"""Annotation files, read by MMPose and pycocotools."""

import contextlib
import io
import json

import cv2
import numpy as np
import pytest
from mmengine.structures import InstanceData
from mmpose.datasets import CocoDataset
from mmpose.evaluation import CocoMetric
from mmpose.structures import PoseDataSample
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from synthetic_people.dataset import COCO_CATEGORY, coco_annotation
from synthetic_people.scene import COCO_JOINTS, make_scene


def coco_set(root, split='val', **kwargs):
    return CocoDataset(
        data_root=str(root),
        ann_file=f'annotations/person_keypoints_{split}.json',
        data_prefix=dict(img=f'{split}/'),
        test_mode=split == 'val',
        **kwargs,
    )


def read(root, name):
    return json.loads((root / name).read_text())


def test_names_and_order_are_mmposes():
    meta = CocoDataset(lazy_init=True).metainfo
    names = [meta['keypoint_id2name'][i] for i in range(17)]
    assert tuple(names) == COCO_JOINTS
    links = {tuple(sorted(link)) for link in meta['skeleton_links']}
    ours = {
        tuple(sorted((a - 1, b - 1))) for a, b in COCO_CATEGORY['skeleton']
    }
    assert ours == links


@pytest.mark.parametrize('split', ['train', 'val'])
def test_coco_dataset_reads_every_person(synthetic_people, split):
    data = read(synthetic_people, f'annotations/person_keypoints_{split}.json')
    dataset = coco_set(synthetic_people, split)
    assert len(dataset) == len(data['annotations'])
    assert len(data['images']) == {'train': 16, 'val': 8}[split]
    for image in data['images']:
        pixels = cv2.imread(str(synthetic_people / split / image['file_name']))
        assert pixels.shape == (image['height'], image['width'], 3)


def test_coco_annotations_keep_cocos_rules(synthetic_people):
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(
            str(synthetic_people / 'annotations/person_keypoints_val.json')
        )
    assert coco.loadCats([1])[0]['keypoints'] == list(COCO_JOINTS)
    ids = coco.getAnnIds()
    assert len(set(ids)) == len(ids)
    for ann in coco.loadAnns(ids):
        x, y, flag = np.array(ann['keypoints']).reshape(17, 3).T
        assert set(flag) <= {0, 1, 2}
        assert (x[flag == 0] == 0).all()
        assert (y[flag == 0] == 0).all()
        assert ann['num_keypoints'] == (flag > 0).sum()
        assert ann['iscrowd'] == 0
        # The polygons surround the visible pixels, approximately.
        drawn = coco.annToMask(ann).sum()
        assert drawn == pytest.approx(ann['visible_area'], rel=0.25, abs=60)


def test_train_and_val_share_no_ids(synthetic_people):
    ids = [
        {
            entry['id']
            for entry in read(
                synthetic_people, f'annotations/person_keypoints_{split}.json'
            )[key]
        }
        for key in ('images', 'annotations')
        for split in ('train', 'val')
    ]
    assert not ids[0] & ids[1]
    assert not ids[2] & ids[3]


def answer(metric, dataset, joints):
    """Feed (N, K, 2) joints per person of ``dataset`` to a metric."""
    metric.dataset_meta = dataset.metainfo
    for index, points in enumerate(joints):
        info = dataset.get_data_info(index)
        truth = InstanceData(
            keypoints=info['keypoints'],
            keypoints_visible=info['keypoints_visible'],
            bboxes=info['bbox'],
            bbox_scores=info['bbox_score'],
        )
        guess = InstanceData(
            keypoints=points[None],
            keypoint_scores=np.ones((1, len(points))),
            bboxes=info['bbox'],
            bbox_scores=info['bbox_score'],
        )
        sample = PoseDataSample(
            gt_instances=truth,
            pred_instances=guess,
            metainfo=dict(
                id=info['id'],
                img_id=info['img_id'],
                category_id=info['category_id'],
                raw_ann_info=info['raw_ann_info'],
            ),
        )
        metric.process([], [sample.to_dict()])
    return metric.evaluate(len(joints))


def test_perfect_answers_have_ap_one(synthetic_people):
    dataset = coco_set(synthetic_people)
    joints = [
        dataset.get_data_info(i)['keypoints'][0] for i in range(len(dataset))
    ]
    ann_file = synthetic_people / 'annotations/person_keypoints_val.json'
    result = answer(CocoMetric(ann_file=str(ann_file)), dataset, joints)
    assert result['coco/AP'] == 1.0
    assert result['coco/AR'] == 1.0


def people_of(seed):
    """COCO images and annotations of 40 scenes."""
    images, anns = [], []
    for number in range(40):
        scene = make_scene(np.random.default_rng([seed, number]))
        height, width = scene.image.shape[:2]
        images.append(dict(id=number, width=width, height=height))
        anns += [
            dict(coco_annotation(person, number), id=1000 * number + i + 1)
            for i, person in enumerate(scene.people)
        ]
    return images, anns


def mean_pose(anns):
    """(17, 2) mean joints, as fractions of the bbox."""
    boxes = np.array([ann['bbox'] for ann in anns])
    points = np.array([ann['keypoints'] for ann in anns]).reshape(-1, 17, 3)
    seen = points[..., 2] > 0
    relative = (points[..., :2] - boxes[:, None, :2]) / boxes[:, None, 2:]
    total = np.where(seen[..., None], relative, 0).sum(axis=0)
    return total / seen.sum(axis=0)[:, None]


def test_the_mean_pose_has_no_ap():
    """AP is below 0.05 for the mean pose, of other images, in each bbox."""
    mean = mean_pose(people_of(12)[1])
    images, anns = people_of(11)

    def answer_all(points_of):
        return [
            dict(
                image_id=ann['image_id'],
                category_id=1,
                score=1.0,
                keypoints=points_of(ann),
            )
            for ann in anns
        ]

    def average(ann):
        box = np.array(ann['bbox'])
        points = box[:2] + mean * box[2:]
        return np.column_stack([points, np.ones(17)]).ravel().tolist()

    truth = COCO()
    truth.dataset = dict(
        info={}, images=images, annotations=anns, categories=[COCO_CATEGORY]
    )
    with contextlib.redirect_stdout(io.StringIO()):
        truth.createIndex()
        perfect = answer_all(lambda ann: ann['keypoints'])
        assert average_precision(truth, perfect) == pytest.approx(1)
        assert average_precision(truth, answer_all(average)) < 0.05


def average_precision(truth, guesses):
    result = COCOeval(truth, truth.loadRes(guesses), 'keypoints')
    result.evaluate()
    result.accumulate()
    result.summarize()
    return result.stats[0]
