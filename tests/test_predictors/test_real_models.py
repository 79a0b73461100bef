"""Networks in files: real ones on real people, and an export of RTMPose."""

import json

import cv2
import numpy as np
import pytest

from mmpose_occlusion.predictors import load_predictor
from mmpose_occlusion.predictors.protocol import joint_mapping
from mmpose_occlusion.skeleton import COCO_JOINTS


@pytest.fixture(scope='module')
def people(real_data):
    """Image (RGB), boxes xyxy and keypoints of the first 12 images."""
    folder = real_data / 'coco_mini'
    found = json.loads((folder / 'person_keypoints.json').read_text())
    out = []
    for image in found['images'][:12]:
        mine = [
            p
            for p in found['annotations']
            if p['image_id'] == image['id']
            and p['num_keypoints'] > 8
            and not p['iscrowd']
        ]
        if mine:
            boxes = np.array([p['bbox'] for p in mine], float)
            boxes[:, 2:] += boxes[:, :2]
            joints = np.array([p['keypoints'] for p in mine])
            pixels = cv2.imread(str(folder / image['file_name']))
            out.append((pixels[..., ::-1], boxes, joints.reshape(-1, 17, 3)))
    return out


def test_an_onnx_network(people, onnx_network):
    check_joints(people, onnx_network)


@pytest.mark.parametrize(
    'name',
    [
        'movenet_lightning_int8_192.tflite',
        # of npm's @mediapipe/pose, or of the wheel mediapipe==0.10.21
        'pose_landmark_full.tflite',
    ],
)
def test_a_tflite_network(people, real_models, name):
    pytest.importorskip('ai_edge_litert')
    if not (real_models / name).is_file():
        pytest.skip(f'OCCLUSION_REAL_MODELS has no {name}')
    check_joints(people, real_models / name)


def check_joints(people, path):
    """Half of them within 5 % of the box."""
    predict = load_predictor(str(path))
    order = joint_mapping(predict.keypoint_names, COCO_JOINTS)
    images, boxes, truth = zip(*people, strict=True)
    far, scores = [], []
    found = predict(images, boxes)
    for one, some, joints in zip(found, boxes, truth, strict=True):
        side = (some[:, 2:] - some[:, :2]).max(axis=1)
        miss = np.linalg.norm(
            one.keypoints[:, order] - joints[..., :2], axis=2
        )
        labelled = joints[..., 2] > 0
        far.append((miss / side[:, None])[labelled])
        scores.append(one.scores[:, order][labelled])
    assert np.median(np.concatenate(far)) < 0.05
    assert np.concatenate(scores).std() > 0.05


@pytest.mark.slow
def test_an_export_of_rtmpose(tmp_path, monkeypatch):
    """SimCC in an ONNX file and in MMPose: the same keypoints."""
    pytest.importorskip('onnxruntime')
    pytest.importorskip('mmpose')
    import torch
    from mmpose.apis import init_model

    from mmpose_occlusion.engine.config import load_config

    # needs the package onnx, only to add functions that there are none of
    package, options = 'torch.onnx._internal', {}
    if torch.__version__ >= (2, 9):
        package, options = f'{package}.torchscript_exporter', {'dynamo': False}
    monkeypatch.setattr(
        f'{package}.onnx_proto_utils._add_onnxscript_fn',
        lambda model, custom: model,
    )
    cfg = load_config(
        'mmpose::body_2d_keypoint/rtmpose/coco/'
        'rtmpose-t_8xb256-420e_coco-256x192.py'
    )
    cfg.model.backbone.init_cfg = None
    cfg.model.test_cfg.flip_test = False
    cfg.dump(tmp_path / 'rtmpose.py')
    torch.manual_seed(0)
    model = init_model(cfg, device='cpu')
    torch.save(model.state_dict(), tmp_path / 'rtmpose.pth')
    ours = load_predictor(
        f'mmpose:{tmp_path}/rtmpose.py,{tmp_path}/rtmpose.pth'
    )
    net = torch.nn.Sequential(model.backbone, model.head)
    file = tmp_path / 'rtmpose.onnx'
    names = dict(input_names=['input'], output_names=['simcc_x', 'simcc_y'])
    torch.onnx.export(
        net.eval(),
        (torch.zeros(1, 3, 256, 192),),
        str(file),
        dynamic_axes={
            n: {0: 'n'} for some in names.values() for n in some
        },
        **options,
        **names,
    )  # fmt: skip
    theirs = load_predictor(str(file), dict(threads=1))
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (200, 300, 3), np.uint8)] * 2
    boxes = [np.array([[10, 20, 90, 180], [5, 5, 250, 150.0]]), None]
    (a, none), (b, nothing) = ours(images, boxes), theirs(images, boxes)
    assert a.keypoints.shape == b.keypoints.shape == (2, 17, 2)
    assert len(none.keypoints) == len(nothing.keypoints) == 0
    np.testing.assert_allclose(a.scores, b.scores, rtol=0.05)
    near = np.linalg.norm(a.keypoints - b.keypoints, axis=2) < 1
    assert near.mean() > 0.9  # random weights have maxima that nearly tie
