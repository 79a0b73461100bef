"""Types of localisation errors.

After Ronchi and Perona, Benchmarking and Error Diagnosis in Multi-Instance
Pose Estimation (ICCV 2017): a prediction is compared by per-keypoint OKS
with the person's own joint, with that of the other side, and with the joints
of other people; see docs/benchmark_analysis.md.
"""

import numpy as np

from mmpose_occlusion.benchmark.data import UNMATCHED
from mmpose_occlusion.metrics.average_precision import equal_pairs
from mmpose_occlusion.metrics.oks import keypoint_oks

from .prediction_measures import OKS50, PredictionMeasures

ERROR_TYPES = ('good', 'jitter', 'swap', 'drift', 'miss')
"""In the order of their codes."""

GOOD, JITTER, SWAP, DRIFT, MISS = range(5)

GOOD_OKS = 0.85
"""Least per-keypoint OKS of a good joint: d below 0.57 times 2 sigma s."""


def error_types(measures: PredictionMeasures) -> np.ndarray:
    """``(N, K)`` int8, index into :data:`ERROR_TYPES`; -1 without a label."""
    of_run, own = measures.of_run, measures.similar
    boxes, flip = of_run.run.boxes, np.asarray(of_run.run.joints.flip)
    everyone, same = np.arange(len(own)), np.arange(len(flip))
    paired = of_run.labelled[:, flip] & (flip != same)
    swap = _similar(measures, everyone, boxes.truth[:, flip], paired)
    drift = np.zeros(own.shape)
    truth, rows, labelled = _other_people(measures)
    for joints in (same, flip):
        near = _similar(measures, rows, truth[:, joints], labelled[:, joints])
        np.maximum.at(drift, rows, near)
    codes = np.full(own.shape, MISS, np.int8)
    codes[(drift >= OKS50) & (drift > swap)] = DRIFT
    codes[(swap >= OKS50) & (swap >= drift)] = SWAP
    codes[own >= OKS50] = JITTER
    codes[own >= GOOD_OKS] = GOOD
    return np.where(of_run.labelled, codes, -1)


def count_types(codes: np.ndarray, mask: np.ndarray) -> dict[str, int]:
    """Number of joints of each type in a mask."""
    return {
        name: int((codes[mask] == code).sum())
        for code, name in enumerate(ERROR_TYPES)
    }


def _similar(
    measures: PredictionMeasures,
    rows: np.ndarray,
    truth: np.ndarray,
    known: np.ndarray,
) -> np.ndarray:
    """``(M, K)`` per-keypoint OKS of predictions with some joints, 0 for those
    that are not known."""
    run = measures.of_run.run
    offsets = np.where(known[..., None], measures.keypoints[rows] - truth, 0)
    similar = keypoint_oks(offsets, run.boxes.areas[rows], run.joints.sigmas)
    return np.where(known, similar, 0)


def _other_people(
    measures: PredictionMeasures,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a bbox and another person of its image: joints ``(M, K, 2)``,
    index of the bbox ``(M,)`` and labels ``(M, K)``."""
    of_run = measures.of_run
    people, boxes, owner = of_run.people, of_run.run.boxes, of_run.owner
    if len(people):
        rows, who = of_run.pairs.pose, of_run.pairs.person
        other = (owner[rows] != who) & (owner[rows] != UNMATCHED)
        rows, who = rows[other], who[other]
        return people.keypoints[who], rows, people.labelled[who]
    rows, who = equal_pairs(of_run.image, of_run.image)
    other = boxes.instance_ids[rows] != boxes.instance_ids[who]
    rows, who = rows[other], who[other]
    return boxes.truth[who], rows, of_run.labelled[who]
