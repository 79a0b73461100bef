"""Keypoint R-CNN, YOLO-pose and MediaPipe, trained for a few steps where that
can be done; skipped where their libraries are not installed."""

import json
import os

import cv2
import numpy as np
import pytest

from mmpose_occlusion.benchmark.image_run import run_predictor
from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.predictors import load_predictor

ATTACK = 'keypoint:nose:black:20%'
IMAGES = 2


@pytest.fixture(scope='module')
def people(synthetic_people):
    """Annotation file and folder of synthetic people."""
    root = synthetic_people
    return root / 'annotations/person_keypoints_val.json', root / 'val'


def targets(people):
    """Image -> (xyxy boxes, keypoints with flags) of the first images."""
    content = json.loads(people[0].read_text())
    names = {i['id']: i['file_name'] for i in content['images'][:IMAGES]}
    out = {}
    for person in content['annotations']:
        if person['image_id'] in names and person['num_keypoints']:
            x, y, w, h = person['bbox']
            boxes, joints = out.setdefault(names[person['image_id']], ([], []))
            boxes.append([x, y, x + w, y + h])
            joints.append(np.reshape(person['keypoints'], (17, 3)))
    return out


def attacked(predict, people, out):
    """A run; what is found of whom."""
    found = run_predictor(
        predict, *people, out=out, attacks=[ATTACK], max_images=IMAGES
    )
    assert not predict.needs_boxes
    clean, under = found.run['people_found']
    for counts in (clean, under):
        assert counts['found'] + counts['missing'] == found.run['people']
    return found, clean


@pytest.mark.slow
def test_keypoint_rcnn(people, tmp_path, monkeypatch):
    """Torchvision's, on a small backbone, with random weights."""
    torch = pytest.importorskip('torch')
    detection = pytest.importorskip('torchvision.models.detection')
    backbones = pytest.importorskip(
        'torchvision.models.detection.backbone_utils'
    )
    name = 'keypointrcnn_resnet50_fpn'

    def make(weights, weights_backbone=None, **options):
        features = backbones.resnet_fpn_backbone(
            backbone_name='resnet18', weights=weights_backbone
        )
        sizes = dict(min_size=96, max_size=128, box_detections_per_img=3)
        return detection.KeypointRCNN(features, 2, **sizes, **options)

    monkeypatch.setattr(detection, name, make)
    torch.manual_seed(0)
    net = make(None)
    torch.save(net.state_dict(), tmp_path / 'rcnn.pth')
    options = dict(weights=str(tmp_path / 'rcnn.pth'), threshold=0.0)
    predict = load_predictor(f'torchvision:{name}', options)
    other = load_predictor(
        f'torchvision:{name}', dict(weights=None, threshold=0.0)
    )
    assert predict.identity() != other.identity()
    found, clean = attacked(predict, people, tmp_path / 'out')
    assert clean['found'] + clean['extra'] > 0
    scores = found.clean.scores
    assert ((scores >= 0) & (scores <= 1)).all()


def test_another_model_of_torchvision_is_refused():
    pytest.importorskip('torchvision')
    with pytest.raises(UsageError, match='write keypointrcnn_resnet50_fpn'):
        load_predictor('torchvision:fasterrcnn_resnet50_fpn')


@pytest.mark.slow
def test_yolo(people, tmp_path, monkeypatch):
    """A YOLO-pose from its yaml, trained on the images it is run on."""
    monkeypatch.setenv('YOLO_OFFLINE', 'true')
    ultralytics = pytest.importorskip('ultralytics')
    monkeypatch.chdir(tmp_path)
    for file, (boxes, joints) in targets(people).items():
        image = cv2.imread(str(people[1] / file))
        (tmp_path / 'images').mkdir(exist_ok=True)
        (tmp_path / 'labels').mkdir(exist_ok=True)
        cv2.imwrite(str(tmp_path / 'images' / file), image)
        size = np.array([image.shape[1], image.shape[0]])
        lines = []
        for (x1, y1, x2, y2), pose in zip(boxes, joints, strict=True):
            box = np.array([x1 + x2, y1 + y2, 2 * (x2 - x1), 2 * (y2 - y1)])
            pose = np.c_[pose[:, :2] / size, pose[:, 2]]
            values = [*(box / 2 / np.tile(size, 2)), *pose.ravel()]
            lines.append('0 ' + ' '.join(f'{v:.6f}' for v in values))
        label = (tmp_path / 'labels' / file).with_suffix('.txt')
        label.write_text('\n'.join(lines))
    (tmp_path / 'people.yaml').write_text(
        f'path: {tmp_path}\ntrain: images\nval: images\nkpt_shape: [17, 3]\n'
        'names: {0: person}\n'
        'flip_idx: [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]'
    )
    net = ultralytics.YOLO('yolo11n-pose.yaml')
    net.train(
        data='people.yaml', epochs=3, imgsz=128, batch=4, workers=0,
        device='cpu', plots=False, val=False, amp=False, project=str(tmp_path),
    )  # fmt: skip
    weights = net.trainer.last
    predict = load_predictor(
        f'yolo:{weights}', dict(image_size=128, threshold=0.0)
    )
    assert predict.keypoint_names[0] == 'nose'
    _, clean = attacked(predict, people, tmp_path / 'out')
    assert clean['found'] + clean['extra'] > 0
    # an image's poses do not depend on its batch
    image = np.full((90, 160, 3), 99, np.uint8)
    other = np.full((160, 90, 3), 99, np.uint8)
    (alone,) = predict([image], [None])
    (beside, _) = predict([image, other], [None, None])
    np.testing.assert_allclose(alone.scores, beside.scores, atol=1e-4)


def test_mediapipe(real_data):
    """A bundle that OCCLUSION_MEDIAPIPE_TASK names finds the 2 people."""
    pytest.importorskip('mediapipe')
    path = os.environ.get('OCCLUSION_MEDIAPIPE_TASK')
    if not path:
        pytest.skip('OCCLUSION_MEDIAPIPE_TASK names no pose_landmarker.task')
    predict = load_predictor(path)
    image = cv2.imread(str(real_data / 'coco_mini/000000000790.jpg'))
    (found,) = predict([image[..., ::-1]], [None])
    assert found.keypoints.shape == (2, 33, 2)
    nose = found.keypoints[:, 0]
    assert np.sort(nose[:, 0]) == pytest.approx([119, 520], abs=10)
    assert ((found.scores > 0) & (found.scores <= 1)).all()
