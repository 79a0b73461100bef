"""Data sets of photographs, and metrics run on predictions made by hand."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from mmengine.evaluator import Evaluator
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS


def blank(results: dict) -> dict:
    """Stands for LoadImage where the pixels do not matter."""
    image = np.zeros((8, 8, 3), np.uint8)
    return dict(results, img=image, img_shape=(8, 8), ori_shape=(8, 8))


PIPELINE = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=(48, 64)),
    dict(type='PackPoseInputs'),
]

PHOTOGRAPHS = {
    'coco': 'CocoDataset',
    'crowdpose': 'CrowdPoseDataset',
    'ochuman': 'OCHumanDataset',
    'aic': 'AicDataset',
    'mpii': 'MpiiDataset',
    'ap10k': 'AP10KDataset',
}

DETECTIONS = {
    'coco': 'test_coco_det_AP_H_56.json',
    'crowdpose': 'test_crowdpose_det_AP_40.json',
}


def photographs(root: Path, name: str, detected: bool = False) -> dict:
    """Config of a data set of photographs."""
    boxes = str(root / name / DETECTIONS[name]) if detected else None
    return dict(
        type=PHOTOGRAPHS[name],
        data_root=str(root / name),
        ann_file=f'test_{name}.json',
        bbox_file=boxes,
        data_prefix=dict(img=''),
        test_mode=True,
        pipeline=PIPELINE,
    )


def synthetic(root: Path, detected: bool = False, mpii: bool = False) -> dict:
    """Config of the drawn people."""
    notes = 'mpii_val.json' if mpii else 'person_keypoints_val.json'
    boxes = root / 'person_detection_results' / 'detections_val.json'
    head_boxes = str(root / 'annotations' / 'mpii_gt_val.mat')
    heads = dict(headbox_file=head_boxes) if mpii else {}
    return dict(
        type='MpiiDataset' if mpii else 'CocoDataset',
        data_root=str(root),
        ann_file=f'annotations/{notes}',
        bbox_file=str(boxes) if detected else None,
        data_prefix=dict(img='val'),
        test_mode=True,
        pipeline=PIPELINE,
        **heads,
    )


def without_pixels(cfg: dict) -> dict:
    """The same data set, but no image is read."""
    return dict(cfg, pipeline=[blank, *cfg['pipeline'][1:]])


def build(cfg: dict):
    """The data set; MMPose's note of its annotation file is its own."""
    init_default_scope('mmpose')
    MessageHub.get_current_instance().runtime_info.clear()
    return DATASETS.build(cfg)


def samples(dataset, predict: Callable[[dict], np.ndarray]) -> list[dict]:
    """Data samples with predictions, as an evaluator gives them to metrics.

    Args:
        dataset: Its samples.
        predict: Data sample -> (1, K, 2) image pixels.
    """
    out = []
    for i in range(len(dataset)):
        sample = dataset[i]['data_samples'].to_dict()
        joints = np.asarray(predict(sample), np.float32)
        sample['pred_instances'] = dict(
            keypoints=joints,
            keypoint_scores=np.ones(joints.shape[:2], np.float32),
            bboxes=sample['gt_instances']['bboxes'],
            bbox_scores=sample['gt_instances']['bbox_scores'],
        )
        out.append(sample)
    return out


def score(metric: dict, dataset, predict: Callable) -> dict[str, float]:
    """What a metric says of predictions."""
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = dataset.metainfo
    found = samples(dataset, predict)
    evaluator.metrics[0].process(None, found)
    return evaluator.evaluate(len(found))


def truth(sample: dict) -> np.ndarray:
    """A perfect model; where there is no label it says (0, 0)."""
    return sample['gt_instances']['keypoints']
