"""What a benchmark run knows: people, and what a model said about them.

These are plain arrays. The loop makes them, the store keeps them, the
analysis reads them; none of the three knows of the others.

N is the number of boxes that a model was given, K of joints. Pixel frame:
the image's, with the centre of its first pixel at (0, 0).
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

UNMATCHED = -1
"""Instance id of a detector's box that belongs to nobody."""


@dataclass(frozen=True)
class Joints:
    """The joints of a data set.

    Args:
        names: Length K.
        sigmas: ``(K,)`` of OKS.
        flip: ``(K,)`` index of each joint's left-right twin, or itself.
        links: Pairs of indices, the limbs of its stick figure.
        parts: Name of each body part -> indices of its joints.
    """

    names: list[str]
    sigmas: np.ndarray
    flip: np.ndarray
    links: list[tuple[int, int]]
    parts: dict[str, list[int]]


@dataclass(frozen=True)
class Boxes:
    """The N boxes that a model was given, and who is in them.

    Args:
        image_ids: ``(N,)`` int64.
        instance_ids: ``(N,)`` int64, annotation ids, or :data:`UNMATCHED`.
        boxes: ``(N, 4)`` float64 xyxy, the model's input.
        scores: ``(N,)`` float64 of a detector, 1 for annotated boxes.
        truth: ``(N, K, 2)`` float64, NaN for joints without a label and for
            unmatched boxes.
        visible: ``(N, K)`` int8, 0 for no label, 1 for labelled and hidden, 2
            for labelled and seen (a data set that does not tell the two last
            ones apart has 2).
        areas: ``(N,)`` float64, the person's segment in square pixels.
        person_boxes: ``(N, 4)`` float64 xyxy, the annotated box of the
            person, by whose longer side PCK and EPE are normalised. NaN for
            unmatched boxes.
        head_sizes: ``(N,)`` float64 pixels, by which PCKh is normalised;
            NaN where the data set has none.
    """

    image_ids: np.ndarray
    instance_ids: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    truth: np.ndarray
    visible: np.ndarray
    areas: np.ndarray
    person_boxes: np.ndarray
    head_sizes: np.ndarray

    def __len__(self) -> int:
        return len(self.image_ids)


@dataclass(frozen=True)
class Predictions:
    """A model's answer for N boxes.

    Args:
        keypoints: ``(N, K, 2)`` float32.
        scores: ``(N, K)`` float32.
    """

    keypoints: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Attacked:
    """One attack on N boxes, and the model's answer.

    Where the attack did not change a crop, the clean prediction stands in
    its place.

    Args:
        name: Its short form, such as ``keypoint:nose:black``; unique.
        suite: Name of the suite that it came from.
        config: The transform's config, or configs.
        details: What a suite says of its attacks, such as ``severity``, the
            diameter as a part of the box's height.
        predictions: Under attack.
        changed: ``(N,)`` bool, the crops that really changed.
        excluded: ``(N,)`` bool, the crops in which the attack found no
            place, although the person has what it names.
        targets: ``(N, K)`` bool, joints that the attack asks for and that lie
            under painted pixels.
        bystanders: ``(N, K)`` bool, other joints under painted pixels.
        pixels: ``(N,)`` int64, painted pixels of the crop.
    """

    name: str
    suite: str
    config: Any
    details: dict[str, Any]
    predictions: Predictions
    changed: np.ndarray
    excluded: np.ndarray
    targets: np.ndarray
    bystanders: np.ndarray
    pixels: np.ndarray

    @property
    def hidden(self) -> np.ndarray:
        """``(N, K)`` bool, targets and bystanders."""
        return self.targets | self.bystanders


@dataclass(frozen=True)
class BenchmarkRun:
    """One model on one data set under attacks.

    Args:
        model: Name to show.
        data: Name of the data set and split.
        joints: See :class:`Joints`.
        boxes: See :class:`Boxes`.
        people: Everybody annotated in the data set's images (also those
            whom no box stands for), as COCO annotations: ``id``,
            ``image_id``, ``category_id``, ``bbox`` (xywh), ``area``,
            ``iscrowd``, ``num_keypoints``, ``keypoints``. Empty for data
            without COCO's evaluation, such as MPII.
        evaluation: How the config's own metric counts: ``metric``
            ('CocoMetric', 'MpiiPCKh', ...) and its arguments that analysis
            needs (``score_mode``, ``keypoint_score_thr``, ``nms_mode``,
            ``nms_thr``).
        crop_size: (width, height) of the model's input in pixels.
        clean: Without any attack.
        attacks: In the order of the suites.
        seed: Of what attacks leave to chance.
        run: What is not the result's: command, versions, hashes, times.
    """

    model: str
    data: str
    joints: Joints
    boxes: Boxes
    people: list[dict[str, Any]]
    evaluation: dict[str, Any]
    crop_size: tuple[int, int]
    clean: Predictions
    attacks: list[Attacked]
    seed: int = 0
    run: dict[str, Any] = field(default_factory=dict)
