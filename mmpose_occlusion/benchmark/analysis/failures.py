"""What kind of mistake a joint is.

After Ronchi and Perona, Benchmarking and Error Diagnosis in Multi-Instance
Pose Estimation (ICCV 2017). A joint is compared with the true joints by its
own term of OKS, ``ks = exp(-d² / (2 s² (2 sigma)²))`` with the person's area
``s²`` and the sigma of the joint; see docs/benchmark_analysis.md.
"""

import numpy as np

from mmpose_occlusion.benchmark.data import UNMATCHED

from .measures import Judge, Judged, joint_similarity
from .scene import same_image

GOOD, JITTER, SWAP, DRIFT, MISS = 'good', 'jitter', 'swap', 'drift', 'miss'
KINDS = (GOOD, JITTER, SWAP, DRIFT, MISS)
"""In the order of their codes."""

GOOD_KS = 0.85
"""From here on a joint is good: d below 0.57 times 2 sigma s."""

NEAR_KS = 0.5
"""From here on a joint is near: d below 1.18 times 2 sigma s."""


def failure_kinds(judge: Judge, judged: Judged) -> np.ndarray:
    """``(N, K)`` int8, index into :data:`KINDS`; -1 without a label."""
    run = judge.run
    found = np.asarray(judged.predictions.keypoints, np.float64)
    own = judged.similar
    swap = _to_twin(judge, found)
    drift = _to_others(judge, found)
    codes = np.full(own.shape, KINDS.index(MISS), np.int8)
    codes[(drift >= NEAR_KS) & (drift > swap)] = KINDS.index(DRIFT)
    codes[(swap >= NEAR_KS) & (swap >= drift)] = KINDS.index(SWAP)
    codes[own >= NEAR_KS] = KINDS.index(JITTER)
    codes[own >= GOOD_KS] = KINDS.index(GOOD)
    return np.where(judge.labelled, codes, -1).reshape(
        len(run.boxes), len(run.joints.names)
    )


def count_kinds(codes: np.ndarray, mask: np.ndarray) -> dict[str, int]:
    """How many joints of a mask are of each kind."""
    return {
        kind: int((codes[mask] == code).sum())
        for code, kind in enumerate(KINDS)
    }


def _to_twin(judge: Judge, found: np.ndarray) -> np.ndarray:
    """Similarity with the own joint of the other side."""
    run = judge.run
    flip = np.asarray(run.joints.flip)
    known = judge.labelled[:, flip] & (flip != np.arange(len(flip)))
    distance = np.linalg.norm(found - run.boxes.truth[:, flip], axis=-1)
    similar = joint_similarity(
        np.where(known, distance, 0), run.boxes.areas, run.joints.sigmas
    )
    return np.where(known, similar, 0)


def _to_others(judge: Judge, found: np.ndarray) -> np.ndarray:
    """Best similarity with the same joint, or that of the other side, of
    somebody else in the image."""
    run = judge.run
    people, rows, labelled = _others(judge)
    best = np.zeros(found.shape[:2])
    if not len(rows):
        return best
    areas = run.boxes.areas[rows]
    for joints in (
        np.arange(found.shape[1]),
        np.asarray(run.joints.flip),
    ):
        known = labelled[:, joints]
        distance = np.linalg.norm(found[rows] - people[:, joints], axis=-1)
        similar = joint_similarity(
            np.where(known, distance, 0), areas, run.joints.sigmas
        )
        np.maximum.at(best, rows, np.where(known, similar, 0))
    return best


def _others(judge: Judge) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Joints of somebody else, of whose box, and their labels: ``(M, K, 2)``,
    ``(M,)`` and ``(M, K)``."""
    scene, boxes = judge.scene, judge.run.boxes
    if len(scene.people):
        rows, who = scene.pair_row, scene.pair_person
        other = (scene.owner[rows] != who) & (scene.owner[rows] != UNMATCHED)
        rows, who = rows[other], who[other]
        people = scene.people
        return people.joints[who], rows, people.labelled[who]
    rows, who = same_image(scene.row_image, scene.row_image)
    other = boxes.instance_ids[rows] != boxes.instance_ids[who]
    rows, who = rows[other], who[other]
    return boxes.truth[who], rows, judge.labelled[who]
