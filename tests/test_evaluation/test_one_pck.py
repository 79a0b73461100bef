"""PCK of the per-keypoint metric, of the benchmark and of MMPose agree, also
where annotated bboxes reach beyond the image."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmpose_occlusion.benchmark.analysis.run_measures import RunMeasures
from mmpose_occlusion.benchmark.data import Predictions
from mmpose_occlusion.datasets.detection_matching import match_detections
from mmpose_occlusion.datasets.donors import load_people
from mmpose_occlusion.predictors.mmpose_dataset import make_boxes
from tests.test_benchmark import made_up
from tests.test_evaluation.runs import blank, build, samples, score

WIDTH, HEIGHT = 200, 150


@pytest.fixture
def folder(tmp_path):
    """Forty people; half of their bboxes are cut by the image's border."""
    rng = np.random.default_rng(0)
    people, detections = [], []
    for i in range(40):
        corner = rng.uniform(0, 60, 2) - (60 * (i % 2), 0)
        size = rng.uniform((60, 60), (220, 100))
        joints = np.clip(
            corner + rng.random((17, 2)) * size, 1, (WIDTH - 2, HEIGHT - 2)
        )
        seen = 2 * (rng.random(17) < 0.8)
        people.append(
            dict(
                id=i + 1,
                image_id=i + 1,
                category_id=1,
                iscrowd=0,
                area=float(np.prod(size)),
                num_keypoints=int((seen > 0).sum()),
                bbox=[*corner.tolist(), *size.tolist()],
                keypoints=np.column_stack([joints, seen]).ravel().tolist(),
            )
        )
        low = np.maximum(corner, 0)  # detections lie inside of the image
        sides = np.minimum(corner + size, (WIDTH - 1, HEIGHT - 1)) - low
        detections.append(
            dict(
                image_id=i + 1,
                category_id=1,
                bbox=[*low.tolist(), *sides.tolist()],
                score=0.9,
            )
        )
    images = [
        dict(id=i + 1, file_name='a.jpg', width=WIDTH, height=HEIGHT)
        for i in range(40)
    ]
    categories = [dict(id=1, name='person')]
    (tmp_path / 'people.json').write_text(
        json.dumps(
            dict(images=images, annotations=people, categories=categories)
        )
    )
    (tmp_path / 'boxes.json').write_text(json.dumps(detections))
    return tmp_path


def config(folder, detected):
    return dict(
        type='CocoDataset',
        data_root=str(folder),
        ann_file='people.json',
        bbox_file=str(folder / 'boxes.json') if detected else None,
        data_prefix=dict(img=''),
        test_mode=True,
        pipeline=[
            blank,
            dict(type='GetBBoxCenterScale'),
            dict(type='TopdownAffine', input_size=(48, 64)),
            dict(type='PackPoseInputs'),
        ],
    )


def noisy(people):
    """Predictions of which a third is wrong by about 0.2 of the bbox."""

    def predict(sample):
        rng = np.random.default_rng(sample['img_id'])
        joints = people[sample['img_id']]['keypoints']
        return joints + rng.normal(0, 20, joints.shape)

    return predict


def boxes_of(dataset):
    infos = map(dataset.get_data_info, range(len(dataset)))
    return make_boxes(infos, people_of(dataset).values(), 17)


def people_of(dataset):
    people = load_people(getattr(dataset, 'dataset', dataset))
    return {person['id']: person for person in people}


def of_benchmark(dataset, predict):
    """Mean over joints of the PCK that the benchmark's analysis measures."""
    boxes = boxes_of(dataset)
    found = samples(dataset, predict)
    keypoints = np.concatenate(
        [s['pred_instances']['keypoints'] for s in found]
    )
    clean = Predictions(keypoints, np.ones(keypoints.shape[:2], np.float32))
    measures = RunMeasures(made_up.run(boxes, clean, []), draws=0)
    correct = measures.clean_predictions.joint_values['PCK']
    labels = measures.labelled
    return np.mean([correct[labels[:, k], k].mean() for k in range(17)])


@pytest.mark.parametrize('detected', [False, True])
def test_three_measures_of_pck_agree(folder, detected):
    cfg = config(folder, detected)
    dataset = build(match_detections(cfg))
    predict = noisy(people_of(dataset))
    ours = score(dict(type='PerKeypointMetric'), dataset, predict)['mean/PCK']
    assert 0.3 < ours < 0.8
    assert of_benchmark(dataset, predict) == pytest.approx(ours)

    plain = build(config(folder, detected=False))
    metric = dict(type='PCKAccuracy', thr=0.2, prefix='mmpose')
    assert score(metric, plain, predict)['mmpose/PCK'] == pytest.approx(ours)


def test_whole_boxes_would_give_another_pck(folder):
    """The bboxes of the file, not cut to the image, are larger."""
    cfg = config(folder, detected=False)
    dataset = build(cfg)
    people = json.loads((folder / 'people.json').read_text())['annotations']
    boxes = boxes_of(dataset)
    xywh = np.array([p['bbox'] for p in people])
    whole = np.hstack([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]])
    keypoints = boxes.truth + np.random.default_rng(0).normal(
        0, 20, (40, 17, 2)
    )
    clean = Predictions(keypoints, np.ones((40, 17), np.float32))
    pck = [
        RunMeasures(made_up.run(b, clean, []), draws=0).all_people['PCK'][0]
        for b in (boxes, replace(boxes, person_boxes=whole))
    ]
    assert pck[1] > pck[0] + 0.02
