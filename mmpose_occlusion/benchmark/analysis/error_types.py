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

from .run_measures import PredictionMeasures, RunMeasures

GOOD, JITTER, SWAP, DRIFT, MISS = 'good', 'jitter', 'swap', 'drift', 'miss'

ERROR_TYPES = (GOOD, JITTER, SWAP, DRIFT, MISS)
"""In the order of their codes."""

GOOD_OKS = 0.85
"""Least per-keypoint OKS of a good joint: d below 0.57 times 2 sigma s."""

NEAR_OKS = 0.5
"""Least per-keypoint OKS of a near joint: d below 1.18 times 2 sigma s."""


def error_types(measures: PredictionMeasures) -> np.ndarray:
    """``(N, K)`` int8, index into :data:`ERROR_TYPES`; -1 without a label."""
    own = measures.similar
    swap = _with_other_side(measures)
    drift = _with_other_people(measures)
    codes = np.full(own.shape, ERROR_TYPES.index(MISS), np.int8)
    codes[(drift >= NEAR_OKS) & (drift > swap)] = ERROR_TYPES.index(DRIFT)
    codes[(swap >= NEAR_OKS) & (swap >= drift)] = ERROR_TYPES.index(SWAP)
    codes[own >= NEAR_OKS] = ERROR_TYPES.index(JITTER)
    codes[own >= GOOD_OKS] = ERROR_TYPES.index(GOOD)
    return np.where(measures.of_run.labelled, codes, -1)


def count_types(codes: np.ndarray, mask: np.ndarray) -> dict[str, int]:
    """Number of joints of each type in a mask."""
    return {
        name: int((codes[mask] == code).sum())
        for code, name in enumerate(ERROR_TYPES)
    }


def _similar(
    offsets: np.ndarray,
    known: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
) -> np.ndarray:
    """Per-keypoint OKS, 0 for joints that are not known."""
    offsets = np.where(known[..., None], offsets, 0)
    return np.where(known, keypoint_oks(offsets, areas, sigmas), 0)


def _with_other_side(measures: PredictionMeasures) -> np.ndarray:
    """With the person's own joint of the other side."""
    run, labelled = measures.of_run.run, measures.of_run.labelled
    flip = np.asarray(run.joints.flip)
    known = labelled[:, flip] & (flip != np.arange(len(flip)))
    offsets = measures.keypoints - run.boxes.truth[:, flip]
    return _similar(offsets, known, run.boxes.areas, run.joints.sigmas)


def _with_other_people(measures: PredictionMeasures) -> np.ndarray:
    """Greatest with the same joint, or that of the other side, of any other
    person in the image."""
    run = measures.of_run.run
    truth, rows, labelled = _other_people(measures.of_run)
    best = np.zeros(measures.keypoints.shape[:2])
    if not len(rows):
        return best
    flip = np.asarray(run.joints.flip)
    for joints in (np.arange(len(flip)), flip):
        similar = _similar(
            measures.keypoints[rows] - truth[:, joints],
            labelled[:, joints],
            run.boxes.areas[rows],
            run.joints.sigmas,
        )
        np.maximum.at(best, rows, similar)
    return best


def _other_people(
    of_run: RunMeasures,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of a bbox and another person: joints ``(M, K, 2)``, index of the
    bbox ``(M,)`` and labels ``(M, K)``."""
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
