"""From a text on the command line to a predictor; models in libraries: MMPose,
torchvision, Ultralytics and MediaPipe, and a Python function.

A library is imported when its adapter is called, and a UsageError says how to
install it. Options of several adapters: ``names``, those of the joints or the
name of a convention; ``threshold``, people with a lower score are left out;
``device`` of torch, by default a GPU where there is one.
"""

import inspect
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import (
    digest_of_arrays,
    digest_of_file,
    digests_of_files,
)
from mmpose_occlusion.skeleton import COCO_JOINTS

from .exported_models import onnx_model, tflite_model
from .protocol import (
    BLAZEPOSE,
    Prediction,
    Predictor,
    as_predictor,
    library,
    literal,
    named_joints,
    reading,
)


def load_predictor(
    text: str, options: Mapping[str, Any] | None = None
) -> Predictor:
    """Make a predictor.

    Args:
        text: ``[PREFIX:]WHAT`` with a prefix of :data:`ADAPTERS`; files with
            one of :data:`ENDINGS` need none, and any other
            ``module:function`` is a Python function.
        options: Arguments of the adapter, as values or as texts
            (``dict(padding='1.1')``).

    Raises:
        UsageError: There is no such adapter, it does not take an option, or
            its library is missing.
    """
    kind, _, what = text.partition(':')
    if not what or kind not in ADAPTERS:
        kind, what = ENDINGS.get(Path(text).suffix, 'function'), text
    if kind == 'function' and not re.fullmatch(r'[\w.]+:\w+', what):
        raise UsageError(
            f'predictor "{text}" is not known: write model.onnx, '
            'model.tflite, torchvision:NAME, yolo:FILE, mediapipe:FILE, '
            'mmpose:CONFIG,CHECKPOINT or my_module:function'
        )
    make = ADAPTERS[kind]
    given = {key: literal(value) for key, value in (options or {}).items()}
    known = list(inspect.signature(make).parameters)[1:]
    if unknown := [option for option in given if option not in known]:
        raise UsageError(
            f'predictors of kind "{kind}" have no option "{unknown[0]}": '
            f'they have {", ".join(known) or "none"}'
        )
    return make(what, **given)


def _each_image(predict: Callable[[np.ndarray, Any], Prediction]) -> Any:
    """One image after the other."""
    return lambda images, boxes: [
        predict(*pair) for pair in zip(images, boxes, strict=True)
    ]


@contextmanager
def exact_convolutions() -> Iterator[None]:
    """cuDNN with deterministic algorithms alone, and without TF32, in which a
    network on a GPU puts one joint in a hundred more than a pixel away from
    where it puts it on a CPU."""
    import torch

    cudnn: Any = torch.backends.cudnn
    wanted = [(cudnn, 'benchmark', False), (cudnn, 'deterministic', True)]
    try:
        _ = cudnn.allow_tf32
        wanted.append((cudnn, 'allow_tf32', False))
    except RuntimeError:  # torch 2.9's names are in use, which exclude this
        wanted.append((cudnn.conv, 'fp32_precision', 'ieee'))
    kept = [getattr(where, name) for where, name, _ in wanted]
    for where, name, value in wanted:
        setattr(where, name, value)
    try:
        yield
    finally:
        for (where, name, _), value in zip(wanted, kept, strict=True):
            setattr(where, name, value)


def torchvision_model(
    name: str,
    *,
    weights: str | None = 'DEFAULT',
    threshold: float = 0.05,
    names: str | Sequence[str] = COCO_JOINTS,
    device: str | None = None,
) -> Predictor:
    """Torchvision's Keypoint R-CNN; a keypoint's score is the logistic of its
    heatmap's maximum.

    Args:
        name: A builder of ``torchvision.models.detection``, such as
            ``keypointrcnn_resnet50_fpn``.
        weights: Path of a state dict, or a name such as ``DEFAULT``, which
            torchvision downloads; None leaves them random.
    """
    models = library('torchvision.models.detection', name, 'torch torchvision')
    torch = library('torch', name, 'torch')
    build = getattr(models, name, None)
    if not name.startswith('keypointrcnn') or build is None:
        raise UsageError(
            f'torchvision has no pose model "{name}": write '
            'keypointrcnn_resnet50_fpn'
        )
    joints = named_joints(names)
    file = weights is not None and weights.endswith(('.pt', '.pth'))
    given = None if file else weights
    more = {} if given else dict(num_keypoints=len(joints))
    net = build(weights=given, weights_backbone=None, **more)
    if file:
        net.load_state_dict(torch.load(weights, 'cpu', weights_only=True))
    device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
    net.to(device).eval()
    arrays = {k: v.cpu().numpy() for k, v in net.state_dict().items()}

    def predict(image: np.ndarray, boxes: object) -> Prediction:
        array = np.ascontiguousarray(image.transpose(2, 0, 1))
        tensor = torch.from_numpy(array).to(device).float() / 255
        with torch.no_grad(), exact_convolutions():
            (found,) = net([tensor])
        keep = found['scores'] >= threshold
        found = {key: value[keep].cpu() for key, value in found.items()}
        return Prediction(
            found['keypoints'][..., :2].numpy().astype(np.float64),
            torch.sigmoid(found['keypoints_scores']).numpy(),
            found['boxes'].numpy(),
            person_scores=found['scores'].numpy(),
        )

    identity = f'torchvision {digest_of_arrays(arrays)} {threshold}'
    return as_predictor(_each_image(predict), name, joints, False, identity)


def yolo_model(
    path: str,
    *,
    names: str | Sequence[str] = COCO_JOINTS,
    threshold: float = 0.01,
    image_size: int = 640,
    device: str | None = None,
) -> Predictor:
    """Ultralytics' YOLO-pose. Images are padded to squares, so that a
    prediction does not depend on the other images of its batch.

    Args:
        path: A model's file, ``yolo11n-pose.pt`` or one that ``yolo``
            exported.
        image_size: Side of the network's input in pixels.
    """
    ultralytics = library('ultralytics', path, 'ultralytics')
    sha, net = digest_of_file(path), ultralytics.YOLO(path)
    if net.task != 'pose':
        raise UsageError(
            f'model "{path}" is for the task "{net.task}": give one for "pose"'
        )
    joints = named_joints(names)
    options = dict(conf=threshold, imgsz=image_size, rect=False, device=device)
    options['verbose'] = False

    def person(found: Any) -> Prediction:
        if found.keypoints is None or not len(found.boxes):
            return Prediction.empty(len(joints))
        xy = found.keypoints.xy.cpu().numpy()
        scores = found.keypoints.conf
        return Prediction(
            xy,
            np.ones(xy.shape[:2]) if scores is None else scores.cpu().numpy(),
            found.boxes.xyxy.cpu().numpy(),
            person_scores=found.boxes.conf.cpu().numpy(),
        )

    def predict(images: Sequence[np.ndarray], _: object) -> list[Prediction]:
        bgr = [np.ascontiguousarray(image[..., ::-1]) for image in images]
        return [person(found) for found in net.predict(bgr, **options)]

    identity = f'yolo {sha} {ultralytics.__version__} {options}'
    return as_predictor(predict, Path(path).stem, joints, False, identity)


def mediapipe_model(
    path: str, *, people: int = 20, threshold: float = 0.3
) -> Predictor:
    """MediaPipe's pose landmarker; a keypoint's score is its presence.

    Args:
        path: A bundle, ``pose_landmarker_full.task``.
        people: Most people of an image.
    """
    mediapipe = library('mediapipe', path, 'mediapipe')
    tasks = library('mediapipe.tasks.python', path, 'mediapipe')
    vision = library('mediapipe.tasks.python.vision', path, 'mediapipe')
    options = vision.PoseLandmarkerOptions(
        base_options=tasks.BaseOptions(model_asset_path=path),
        num_poses=people,
        min_pose_detection_confidence=threshold,
        min_pose_presence_confidence=threshold,
    )
    with reading(path, 'a pose landmarker'):
        net = vision.PoseLandmarker.create_from_options(options)

    def predict(image: np.ndarray, boxes: object) -> Prediction:
        height, width = image.shape[:2]
        pixels = np.ascontiguousarray(image)
        found = net.detect(
            mediapipe.Image(mediapipe.ImageFormat.SRGB, pixels)
        ).pose_landmarks
        joints = [
            (j.x * width, j.y * height, j.presence, j.visibility)
            for person in found
            for j in person
        ]
        values = np.reshape(joints, (-1, len(BLAZEPOSE), 4))
        xy, score, seen = values[..., :2], values[..., 2], values[..., 3]
        return Prediction(xy - 0.5, score, visibility=seen)

    versions = f'{digest_of_file(path)} {mediapipe.__version__}'
    identity = f'mediapipe {versions} {people} {threshold}'
    name = Path(path).stem
    return as_predictor(_each_image(predict), name, BLAZEPOSE, False, identity)


def mmpose_model(text: str, *, device: str | None = None) -> Predictor:
    """Top-down, bottom-up and one-stage models of MMPose, by
    ``inference_topdown`` and ``inference_bottomup``.

    A model is top-down if its test pipeline makes a crop (``TopdownAffine``);
    the others find people by themselves. A visibility output
    (``VisPredictHead``) is passed on.

    Args:
        text: ``CONFIG[,CHECKPOINT]``; MMPose's own configs as ``mmpose::...``.
            Without a checkpoint the weights are random.
    """
    library('mmpose', text, 'mmpose, see "Install" in the README')
    from mmengine.device import get_device
    from mmpose.apis import inference, init_model
    from mmpose.utils import register_all_modules

    from mmpose_occlusion.checkpoints import load_into
    from mmpose_occlusion.engine.config import load_config, type_name
    from mmpose_occlusion.engine.pipelines import CROP

    from .mmpose_network import digest_of_weights, predicted

    config, _, checkpoint = text.partition(',')
    register_all_modules()
    cfg: Any = load_config(config)
    pipeline = cfg.test_dataloader.dataset.pipeline
    top_down = any(type_name(step) == CROP for step in pipeline)
    for step in pipeline:
        if type_name(step) == 'PackPoseInputs':
            step.pop('meta_keys', None)
    model = init_model(cfg, device=device or get_device(), cfg_options={})
    if checkpoint:
        load_into(model, checkpoint)
    names = model.dataset_meta['keypoint_id2name']
    joints = tuple(names[i] for i in sorted(names))

    def predict(image: np.ndarray, boxes: Any) -> Prediction:
        bgr, samples = image[..., ::-1].copy(), []
        with exact_convolutions():
            if not top_down:
                samples = inference.inference_bottomup(model, bgr)
            elif boxes is not None and len(boxes):
                boxes = np.asarray(boxes, np.float32)
                samples = inference.inference_topdown(model, bgr, boxes)
        samples = [s for s in samples if len(s.pred_instances)]
        if not samples:
            return Prediction.empty(len(joints))
        keypoints, scores, seen = predicted(samples)
        found = {} if top_down else samples[0].pred_instances
        boxes, persons = (
            np.asarray(found[name]) if name in found else None
            for name in ('bboxes', 'bbox_scores')
        )
        return Prediction(keypoints, scores, boxes, seen, persons)

    name = cfg.get('model_name') or config.rpartition('/')[2]
    files = digests_of_files([cfg.model, list(pipeline)]) or ''
    weights = digest_of_weights(model)
    identity = f'mmpose {weights} {pipeline} {files}'.rstrip()
    return as_predictor(_each_image(predict), name, joints, top_down, identity)


def function_model(text: str) -> Predictor:
    """``my_module:predict``, a function of images and boxes.

    The function takes ``images``, a list of (H, W, 3) uint8 RGB, and
    ``boxes``, a list of (N, 4) xyxy or None, and returns for each image a
    :class:`.protocol.Prediction` or a pair of keypoints (N, K, 2) and scores
    (N, K). Its attributes ``keypoint_names`` (COCO's by default),
    ``needs_boxes`` (True) and ``identity``, a text or a function that returns
    one, may say more. The module is looked for in the current folder, too.
    """
    module, _, name = text.partition(':')
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    loaded = import_module(module)
    function = getattr(loaded, name, None)
    if not callable(function):
        raise UsageError(f'module "{module}" has no function "{name}"')
    names = named_joints(getattr(function, 'keypoint_names', 'coco'))
    boxed = getattr(function, 'needs_boxes', True)
    source = inspect.getsourcefile(loaded)
    sha = digest_of_file(source) if source else ''
    own = getattr(function, 'identity', '')
    own = own() if callable(own) else own

    def predict(images: Sequence, boxes: Sequence) -> Any:
        found = function(list(images), list(boxes))
        if not isinstance(found, list | tuple):
            return found  # refused by check_predictions
        return [
            Prediction(*(np.asarray(part) for part in one))
            if isinstance(one, list | tuple)
            else one
            for one in found
        ]

    identity = f'function {text} {sha} {own}'
    return as_predictor(predict, text, names, boxed, identity)


ADAPTERS: dict[str, Callable[..., Predictor]] = {
    'onnx': onnx_model,
    'tflite': tflite_model,
    'torchvision': torchvision_model,
    'yolo': yolo_model,
    'mediapipe': mediapipe_model,
    'mmpose': mmpose_model,
    'function': function_model,
}
"""Prefix of a predictor's text -> its adapter; keyword arguments of an adapter
are the options."""

ENDINGS = {'.onnx': 'onnx', '.tflite': 'tflite', '.task': 'mediapipe'}
"""Endings of files that say their adapter."""
