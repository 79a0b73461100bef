"""Which pixels of a sample's picture are the person's, which the photo's."""

from collections.abc import Mapping

import cv2
import numpy as np
from mmpose.structures.bbox import get_warp_matrix
from pycocotools import mask as coco_mask

from mmpose_occlusion.occlusion import Person
from mmpose_occlusion.occlusion.controls import (
    HEAD_THICKNESS,
    THICKNESS,
    body_shape,
    with_joints,
)

from .results_reader import MATCHED_KEY, Scene


def person_pixels(results: Mapping, scene: Scene, index: int) -> np.ndarray:
    """The pixels of a person.

    Those of the annotation's segmentation where it has one, otherwise the
    shape around the joints, see :func:`.occluders.elsewhere.body_shape`; in
    either case with the pixels under the person's available joints.

    Args:
        results: MMPose's dict of the sample.
        scene: What was read from it.
        index: Which person.

    Returns:
        ``(H, W)`` bool.
    """
    person = scene.people[index]
    pixels = _segment(results, scene.shape, index)
    if pixels is None or not pixels.any():
        pixels = _shape(results, person, scene.shape)
    return with_joints(pixels, np.array(person.xy), person.available)


def photo_pixels(results: Mapping, shape: tuple[int, ...]) -> np.ndarray:
    """The pixels of a crop that show the photograph, not its padding.

    Returns:
        ``(H, W)`` bool; all of them where the sample does not say.
    """
    out = np.ones(shape[:2], np.uint8)
    warp, size = _warp(results), results.get('ori_shape')
    if warp is None or size is None:
        return out > 0
    height, width = size[:2]
    corners = [
        [0, 0],
        [width - 1, 0],
        [width - 1, height - 1],
        [0, height - 1],
    ]
    return _filled([_warped(np.array(corners, float), warp)], shape)


def _segment(
    results: Mapping, shape: tuple[int, ...], index: int
) -> np.ndarray | None:
    """The annotated segment in the picture; None where there is none."""
    source = results.get(MATCHED_KEY) or results
    segment = source.get('segmentation')
    if _many(results):
        segment = segment[index] if segment else None
    if not segment or results.get('flip'):
        return None
    cropped = results.get('transformed_keypoints') is not None
    warp = _warp(results) if cropped else np.eye(3)[:2]
    if warp is None:
        return None
    if isinstance(segment, Mapping):
        pixels = _decoded(segment)
        size = (shape[1], shape[0])
        return cv2.warpAffine(pixels, warp, size, flags=cv2.INTER_NEAREST) > 0
    rings = [np.reshape(ring, (-1, 2)) for ring in segment if len(ring) >= 6]
    return _filled([_warped(ring, warp) for ring in rings], shape)


def _many(results: Mapping) -> bool:
    """Whether the sample is a picture of several people, not of one."""
    return isinstance(results.get('id'), list)


def _shape(
    results: Mapping, person: Person, shape: tuple[int, ...]
) -> np.ndarray:
    skeleton = person.skeleton
    hulls = [
        (skeleton.part_indices(part), thick)
        for part, thick in (('corpus', THICKNESS), ('head', HEAD_THICKNESS))
        if part in skeleton.parts
    ]
    height = person.box_height
    if not np.isfinite(height):
        height = person.height
    links = results.get('skeleton_links', ())
    xy, labelled = np.array(person.xy), np.array(person.labelled)
    return body_shape(xy, labelled, links, hulls, height, shape)


def _warp(results: Mapping) -> np.ndarray | None:
    """Image to crop, (2, 3), as ``TopdownAffine`` did it.

    (Within half a pixel: UDP's differs by so much.)
    """
    if results.get('input_center') is None:
        return None
    rotation = results.get('bbox_rotation')
    return get_warp_matrix(
        np.asarray(results['input_center'], np.float32),
        np.asarray(results['input_scale'], np.float32),
        0.0 if rotation is None else float(rotation[0]),
        output_size=results['input_size'],
    )


def _warped(points: np.ndarray, warp: np.ndarray) -> np.ndarray:
    return points @ warp[:, :2].T + warp[:, 2]


def _filled(rings: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    """The pixels inside any of some rings of points."""
    out = np.zeros(shape[:2], np.uint8)
    for ring in rings:
        # sixteenths of a pixel
        cv2.fillPoly(out, [np.rint(16 * ring).astype(np.int32)], 1, shift=4)
    return out > 0


def _decoded(segment: Mapping) -> np.ndarray:
    """``(H, W)`` uint8 of COCO's run lengths, plain or compressed."""
    if not isinstance(segment['counts'], bytes | str):
        segment = coco_mask.frPyObjects(dict(segment), *segment['size'])
    return coco_mask.decode(segment)
