"""Top-down models in files: ONNX, run by ONNX Runtime, and TFLite, by LiteRT.

The geometry of their crops is that of MMPose's GetBBoxCenterScale,
TopdownAffine without UDP and TopdownPoseEstimator; decoding is that of its
MSRAHeatmap and SimCCLabel.
"""

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.special import expit

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.files import digest_of_file
from mmpose_occlusion.skeleton import COCO_JOINTS

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

Array = np.ndarray
Size = tuple[int, int]
Network = Callable[[Array], tuple[Array, ...]]
"""Crops (M, height, width, 3) uint8 RGB -> keypoints (M, K, 2) in crop pixels,
scores (M, K) and, of networks with such an output, visibility (M, K)."""

PADDING = 1.25
"""Of MMPose's top-down recipes: the crop's box by the person's."""

_DEFAULTS: dict[str, Any] = dict(
    mean=(123.675, 116.28, 103.53),
    std=(58.395, 57.12, 57.375),
    channel_order='rgb',
    padding=PADDING,
    keypoint_names='coco',
)
"""What MMPose's recipes, MMDeploy and rtmlib take; RGB in 0..255."""

_DTYPES = {'tensor(float16)': np.float16, 'tensor(uint8)': np.uint8}

TFLITE = {(1, 1, 17, 3): COCO_JOINTS, (1, 195): BLAZEPOSE}
"""Shape of a TFLite network's output -> joints."""


def onnx_model(
    path: str,
    *,
    names: str | Sequence[str] | None = None,
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    channel_order: str | None = None,
    padding: float | None = None,
    input_size: tuple[int, int] | None = None,
    fractions: bool = False,
    threads: int | None = None,
) -> Predictor:
    """A top-down network with heatmaps, SimCC or coordinates as its output.

    The shapes of the outputs say what they are: (N, K, h, w) is heatmaps, two
    of (N, K, bins) are SimCC's x and y, (N, K, 2 or 3) is coordinates and a
    score. Options go before the keys of the file's metadata (``mean``,
    ``std``, ``channel_order``, ``keypoint_names``, ``padding``).

    Args:
        path: The file.
        names: See :mod:`.library_models`; COCO's by default.
        mean, std: RGB in 0..255; ImageNet's by default.
        channel_order: 'rgb' (the default) or 'bgr', of the network's input.
        padding: The crop's box by the person's.
        input_size: (width, height), where the file leaves them open.
        fractions: Whether coordinates are fractions of the crop, as MMPose's
            regression heads have them, instead of its pixels.
        threads: Of ONNX Runtime; its own choice by default.
    """
    runtime = library('onnxruntime', path, 'onnxruntime')
    sha, options = digest_of_file(path), runtime.SessionOptions()
    if threads is not None:
        options.intra_op_num_threads = threads
    with reading(path, 'ONNX'):
        session = runtime.InferenceSession(
            path, options, providers=runtime.get_available_providers()
        )
    given = dict(mean=mean, std=std, padding=padding)
    given |= dict(channel_order=channel_order, keypoint_names=names)
    metadata = session.get_modelmeta().custom_metadata_map
    said = dict(_DEFAULTS)
    said |= {k: literal(metadata[k]) for k in said if k in metadata}
    said |= {k: value for k, value in given.items() if value is not None}
    center, scale = np.float32(said['mean']), np.float32(said['std'])
    order, padding = said['channel_order'], float(said['padding'])
    entry = session.get_inputs()[0]
    channels_last, size = _layout(path, list(entry.shape), input_size)
    fixed = entry.shape[0]  # number of crops, unless the file leaves it open
    batch = fixed if isinstance(fixed, int) and fixed > 0 else 0

    def network(crops: Array) -> tuple[Array, ...]:
        number = len(crops)
        if batch:  # such a network wants full batches
            crops = np.resize(crops, (batch, *crops.shape[1:]))
        x = (crops.astype(np.float32) - center) / scale
        if order == 'bgr':
            x = x[..., ::-1]
        if not channels_last:
            x = x.transpose(0, 3, 1, 2)
        x = np.ascontiguousarray(x, _DTYPES.get(entry.type, np.float32))
        with reading(path, f'a network for crops of {size[0]}x{size[1]}'):
            found = session.run(None, {entry.name: x})
        outputs = [np.asarray(output, np.float32) for output in found]
        keypoints, scores = _decode(path, outputs, size, fractions)
        return keypoints[:number], scores[:number]

    # outputs tell the number of joints, which a file may leave open
    black = np.zeros((1, size[1], size[0], 3), np.uint8)
    joints = network(black)[0].shape[1]
    names = named_joints(said['keypoint_names'])
    if joints != len(names):
        raise UsageError(
            f'model "{path}" has {joints} keypoints, and {len(names)} names: '
            'give its names, for example names=blazepose'
        )
    identity = (
        f'onnx {sha} {runtime.__version__} {center} {scale} {order} {padding} '
        f'{size} {fractions}'
    )
    return _on_crops(
        path, names, identity, network, size, padding, batch or 32
    )


def _layout(
    path: str, shape: list, input_size: tuple[int, int] | None
) -> tuple[bool, Size]:
    """Whether channels come last, and (width, height) of the input."""
    if len(shape) != 4 or 3 not in (shape[1], shape[3]):
        raise UsageError(
            f'model "{path}" has an input of shape {shape}, and a top-down '
            'pose network has (N, 3, H, W) or (N, H, W, 3)'
        )
    last = shape[1] != 3
    height, width = shape[1:3] if last else shape[2:]
    width, height = input_size or (width, height)
    if not isinstance(height, int) or not isinstance(width, int):
        raise UsageError(
            f'model "{path}" leaves the size of its input open: give '
            'input_size, for example input_size=192,256'
        )
    return last, (width, height)


def _decode(
    path: str, outputs: Sequence[Array], size: Size, fractions: bool
) -> tuple[Array, Array]:
    """Keypoints in crop pixels, and scores, from a network's outputs."""
    four, three = ([o for o in outputs if o.ndim == n] for n in (4, 3))
    if four:
        return decode_heatmaps(four[0], size)
    if len(three) >= 2:
        return decode_simcc(three[0], three[1], size)
    if not three or three[0].shape[2] not in (2, 3):
        raise UsageError(
            f'model "{path}" has outputs of shapes '
            f'{[output.shape for output in outputs]}: known are heatmaps '
            '(N, K, h, w), two SimCC outputs (N, K, bins) and coordinates '
            '(N, K, 2 or 3); wrap others in a Python function'
        )
    xy = three[0][..., :2]
    if fractions:
        xy = xy * np.array(size, np.float32)
    ones = np.ones(xy.shape[:2], np.float32)
    return xy, three[0][..., 2] if three[0].shape[2] == 3 else ones


def tflite_model(
    path: str, *, padding: float = PADDING, threads: int = 1
) -> Predictor:
    """A single-person network, given the square around each person's box.

    Its output says which: (1, 1, 17, 3) is MoveNet's y, x and score as
    fractions of the crop; (1, 195) is BlazePose's 39 landmarks of x, y, z,
    visibility and presence, of which the first 33 are joints and x, y are in
    crop pixels. (MediaPipe turns its crops upright; here they stay.)

    Args:
        path: The file.
        padding: The crop's side by the longer side of the person's box.
        threads: Of LiteRT.
    """
    litert = library('ai_edge_litert.interpreter', path, 'ai-edge-litert')
    identity = f'tflite {digest_of_file(path)} {padding}'
    with reading(path, 'TFLite'):
        net = litert.Interpreter(path, num_threads=threads)
        net.allocate_tensors()
    entry = net.get_input_details()[0]
    _, height, width, _ = entry['shape'].tolist()
    shapes = {
        tuple(output['shape'].tolist()): output['index']
        for output in net.get_output_details()
    }
    shape = next((s for s in shapes if s in TFLITE), None)
    if shape is None:
        raise UsageError(
            f'model "{path}" has outputs of shapes {list(shapes)}: known are '
            "MoveNet's (1, 1, 17, 3) and BlazePose's (1, 195); wrap others in "
            'a Python function'
        )

    def network(crop: Array) -> tuple[Array, ...]:
        if entry['dtype'] == np.float32:
            crop = crop.astype(np.float32) / 255
        net.set_tensor(entry['index'], crop.astype(entry['dtype']))
        net.invoke()
        found = net.get_tensor(shapes[shape])
        if len(shape) == 4:
            y, x, score = np.moveaxis(found[0], 2, 0)
            return np.stack([x, y], axis=2) * np.array([width, height]), score
        found = found.reshape(1, 39, 5)[:, :33]
        return found[..., :2], expit(found[..., 4]), expit(found[..., 3])

    size = width, height
    return _on_crops(path, TFLITE[shape], identity, network, size, padding, 1)


def _on_crops(
    path: str,
    names: tuple[str, ...],
    identity: str,
    network: Network,
    size: Size,
    padding: float,
    batch: int,
) -> Predictor:
    """A predictor that runs a network on batches of people's crops."""

    def predict(
        images: Sequence[Array], boxes: Sequence[Array | None]
    ) -> list[Prediction]:
        counts = [0 if each is None else len(each) for each in boxes]
        if not any(counts):
            return [Prediction.empty(len(names))] * len(images)
        joined = np.concatenate([b for b in boxes if b is not None and len(b)])
        centers, scales = crop_frames(joined, size, padding)
        owners = np.repeat(range(len(images)), counts)
        people = zip(owners, centers, scales, strict=True)
        crops = (crop_image(images[i], *frame, size) for i, *frame in people)
        found = []
        while some := list(islice(crops, batch)):
            found.append(network(np.stack(some)))
        xy, scores, *seen = map(np.concatenate, zip(*found, strict=True))
        xy = to_image(xy, centers, scales, size)
        return [
            Prediction(xy[mine], scores[mine], None, *(v[mine] for v in seen))
            for mine in (owners == i for i in range(len(images)))
        ]

    return as_predictor(predict, Path(path).stem, names, True, identity)


def crop_frames(
    boxes: Array, size: Size, padding: float = PADDING
) -> tuple[Array, Array]:
    """Centres (N, 2), and widths and heights (N, 2) in image pixels, of boxes
    (N, 4) xyxy that are padded and widened to the aspect ratio of ``size``."""
    low, high = np.split(np.asarray(boxes, np.float32), 2, axis=1)
    width, height = ((high - low) * padding).T
    aspect = size[0] / size[1]
    wide = width > height * aspect
    scales = [
        np.where(wide, width, height * aspect),
        np.where(wide, width / aspect, height),
    ]
    return (low + high) / 2, np.stack(scales, axis=1)


def crop_image(image: Array, center: Array, scale: Array, size: Size) -> Array:
    """(height, width, C) bilinear, black beyond the image."""
    zoom = size[0] / max(float(scale[0]), 1e-6)
    warp = np.zeros((2, 3))
    warp[0, 0] = warp[1, 1] = zoom
    warp[:, 2] = np.array(size) / 2 - zoom * center
    return cv2.warpAffine(image, warp, size, flags=cv2.INTER_LINEAR)


def to_image(
    keypoints: Array, centers: Array, scales: Array, size: Size
) -> Array:
    """(N, K, 2) from crop pixels to image pixels."""
    moved = keypoints / np.array(size) * scales[:, None]
    return moved + centers[:, None] - 0.5 * scales[:, None]


def decode_heatmaps(heatmaps: Array, size: Size) -> tuple[Array, Array]:
    """The maxima of heatmaps (N, K, h, w), moved a quarter of a pixel:
    keypoints (N, K, 2) in pixels of a crop of (width, height), and values
    (N, K)."""
    n, k, h, w = heatmaps.shape
    flat = heatmaps.reshape(n, k, -1)
    values = flat.max(axis=2)
    y, x = np.divmod(flat.argmax(axis=2), w)
    xy = np.stack([x, y], axis=2).astype(np.float32)
    xy[values <= 0] = -1
    padded = np.pad(heatmaps, [(0, 0), (0, 0), (1, 1), (1, 1)])
    people, joints = np.indices((n, k))

    def slope(dx: int, dy: int) -> Array:
        after = padded[people, joints, y + 1 + dy, x + 1 + dx]
        return np.sign(after - padded[people, joints, y + 1 - dy, x + 1 - dx])

    inner_x = (values > 0) & (x > 1) & (x < w - 1) & (y > 0)
    inner_y = (values > 0) & (y > 1) & (y < h - 1) & (x > 0)
    xy[..., 0] += 0.25 * np.where(inner_x, slope(1, 0), 0)
    xy[..., 1] += 0.25 * np.where(inner_y, slope(0, 1), 0)
    return xy * (np.array(size, np.float32) / (w, h)), values


def decode_simcc(x: Array, y: Array, size: Size) -> tuple[Array, Array]:
    """Keypoints from SimCC's two classifications (N, K, bins) along width and
    height (Li et al., ECCV 2022), as :func:`decode_heatmaps`; a score is the
    smaller of the two maxima."""
    values = np.minimum(x.max(axis=2), y.max(axis=2))
    xy = np.stack([x.argmax(axis=2), y.argmax(axis=2)], axis=2)
    xy = np.where(values[..., None] > 0, xy, -1).astype(np.float32)
    ratio = np.array([x.shape[2] / size[0], y.shape[2] / size[1]])
    return xy / ratio, values
