"""Real networks on real people; skipped without OCCLUSION_REAL_MODELS."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmpose_occlusion.predictors import load_predictor

MODELS = os.environ.get('OCCLUSION_REAL_MODELS')
DATA = os.environ.get('OCCLUSION_REAL_DATA')
pytestmark = pytest.mark.skipif(
    not (MODELS and DATA),
    reason='OCCLUSION_REAL_MODELS and OCCLUSION_REAL_DATA are not set',
)


@pytest.fixture(scope='module')
def people():
    """Images (RGB), boxes and COCO annotations of coco_mini."""
    folder = Path(DATA) / 'coco_mini'
    found = json.loads((folder / 'person_keypoints.json').read_text())
    names = {i['id']: i['file_name'] for i in found['images']}
    mine: dict[int, list] = {}
    for person in found['annotations']:
        if person['num_keypoints'] and not person['iscrowd']:
            mine.setdefault(person['image_id'], []).append(person)
    images, boxes = [], []
    for key, some in mine.items():
        images.append(cv2.imread(str(folder / names[key]))[..., ::-1])
        xywh = np.array([p['bbox'] for p in some], float)
        height, width = images[-1].shape[:2]
        x1y1 = np.maximum(xywh[:, :2], 0)
        # cut to the image as MMPose's CocoDataset does
        x2y2 = np.minimum(xywh[:, :2] + xywh[:, 2:], [width - 1, height - 1])
        boxes.append(np.c_[x1y1, x2y2])
    return folder / 'person_keypoints.json', mine, images, boxes


def average_precision(ann_file, people, found) -> float:
    """COCO's, by pycocotools."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    results = [
        dict(
            image_id=key,
            category_id=1,
            keypoints=np.c_[xy, np.ones(17)].ravel().tolist(),
            # MMPose's rescoring: the mean over what is above 0.2
            score=float(score[score > 0.2].mean())
            if (score > 0.2).any()
            else 0.0,
        )
        for key, one in zip(people, found, strict=True)
        for xy, score in zip(one.keypoints, one.scores, strict=True)
    ]
    truth = COCO(str(ann_file))
    judge = COCOeval(truth, truth.loadRes(results), 'keypoints')
    judge.params.imgIds = list(people)
    judge.evaluate()
    judge.accumulate()
    judge.summarize()
    return judge.stats[0]


def test_the_onnx_network(people):
    """The same network under MMPose has .427 (CocoMetric, no flip test)."""
    pytest.importorskip('onnxruntime')
    ann_file, mine, images, boxes = people
    predict = load_predictor(
        f'{MODELS}/ultralight_simplepose_256x192.onnx', dict(threads=1)
    )
    found = predict(images, boxes)
    assert average_precision(ann_file, mine, found) == pytest.approx(
        0.4273, abs=0.005
    )


def test_movenet(people):
    pytest.importorskip('ai_edge_litert')
    ann_file, mine, images, boxes = people
    predict = load_predictor(f'{MODELS}/movenet_lightning_int8_192.tflite')
    found = predict(images[:12], boxes[:12])
    some = {key: mine[key] for key in list(mine)[:12]}
    assert average_precision(ann_file, some, found) > 0.25
