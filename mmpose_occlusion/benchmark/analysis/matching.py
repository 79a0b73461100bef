"""Which poses find which people, at every OKS threshold.

The same decisions as ``COCOeval`` takes image by image, taken for all images
at once. They are what a bootstrap resamples: no pose is compared again.
"""

from dataclasses import dataclass

import numpy as np

from .scene import Scene, rank_in_group

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""OKS from which on a pose finds a person."""

MOST = 20
"""So many poses of an image count at most, those of the highest scores."""

_ALMOST = 1 - 1e-10


@dataclass(frozen=True)
class Matches:
    """D poses in the order of falling scores, and whom they found.

    Args:
        image: ``(D,)`` index of the image.
        category: ``(D,)`` index of the category.
        found: ``(T, D)`` bool, those that found somebody who counts.
        ignored: ``(T, D)`` bool, those that found somebody who does not.
        counted: ``(I, C)`` people who count, by image and category.
    """

    image: np.ndarray
    category: np.ndarray
    found: np.ndarray
    ignored: np.ndarray
    counted: np.ndarray


@dataclass(frozen=True)
class Similarity:
    """How similar every joint of a box's pose is to that of a person.

    Args:
        joints: ``(M, K)`` terms of OKS for the scene's pairs.
        outside: ``(M, K)`` the same for a person who is ignored: a joint
            within twice the box is wholly similar.
    """

    joints: np.ndarray
    outside: np.ndarray

    def of_joint(self, joint: int) -> 'Similarity':
        """The same of one joint alone."""
        one = slice(joint, joint + 1)
        return Similarity(self.joints[:, one], self.outside[:, one])


def compare(
    scene: Scene, keypoints: np.ndarray, sigmas: np.ndarray
) -> Similarity:
    """Compare all poses with the people of their images.

    Args:
        scene: Its pairs are compared.
        keypoints: ``(N, K, 2)`` in pixels of the image.
        sigmas: ``(K,)``.
    """
    people = scene.people
    found = np.asarray(keypoints, np.float64)[scene.pair_row]
    truth = people.joints[scene.pair_person]
    low, high = np.split(people.boxes[scene.pair_person], 2, axis=1)
    size = high - low
    low, high = (low - size)[:, None], (high + size)[:, None]
    area = people.areas[scene.pair_person][:, None] + np.spacing(1)
    variance = (2 * np.asarray(sigmas)) ** 2
    terms = []
    for delta in (
        found - truth,
        np.maximum(low - found, 0) + np.maximum(found - high, 0),
    ):
        squares = (delta**2).sum(axis=-1)
        terms.append(np.exp(-squares / variance / area / 2))
    return Similarity(*terms)


def match(
    scene: Scene,
    similarity: Similarity,
    rows: np.ndarray,
    scores: np.ndarray,
    labelled: np.ndarray,
    counts: np.ndarray,
) -> Matches:
    """Match poses with people.

    Args:
        scene: Who is where.
        similarity: Of the scene's pairs, of one or all joints.
        rows: ``(S,)`` boxes whose poses take part, by image and there in
            the order in which they come in equal scores.
        scores: ``(N,)`` of the poses.
        labelled: ``(P, K)`` bool, the joints to compare.
        counts: ``(P,)`` bool, who counts; everybody else is ignored, as are
            crowds and people without these joints.
    """
    people = scene.people
    labelled = labelled & counts[:, None]
    counts = labelled.any(axis=1) & ~people.crowd
    oks = _dense(scene, similarity, labelled)
    shape = (len(scene.images), oks.shape[1])
    real, ignored, crowd = (np.zeros(shape, bool) for _ in range(3))
    real[people.image, people.slot] = counts
    ignored[people.image, people.slot] = ~counts
    crowd[people.image, people.slot] = people.crowd

    order = np.lexsort((-scores[rows], scene.row_image[rows]))
    rows = rows[order]
    group = scene.row_image[rows] * len(scene.categories)
    rank = rank_in_group(group + scene.row_category[rows])
    rows, rank = rows[rank < MOST], rank[rank < MOST]
    found, passed = _greedy(
        oks, rows, rank, scene.row_image, real, ignored, crowd
    )
    counted = np.zeros((len(scene.images), len(scene.categories)), np.int64)
    np.add.at(counted, (people.image[counts], people.category[counts]), 1)
    by_score = np.argsort(-scores[rows], kind='stable')
    return Matches(
        image=scene.row_image[rows][by_score],
        category=scene.row_category[rows][by_score],
        found=found[:, by_score],
        ignored=passed[:, by_score],
        counted=counted,
    )


def _dense(
    scene: Scene,
    similarity: Similarity,
    labelled: np.ndarray,
) -> np.ndarray:
    """``(N, G)`` OKS of each box with the people of its image; -1 where
    there is nobody to compare."""
    who = scene.pair_person
    mask = labelled[who]
    number = mask.sum(axis=1)
    with_truth = np.where(mask, similarity.joints, 0).sum(axis=1)
    oks = np.where(
        number > 0,
        with_truth / np.maximum(number, 1),
        similarity.outside.mean(axis=1),
    )
    slots = int(scene.people.slot.max(initial=0)) + 1
    dense = np.full((len(scene.row_image), slots), -1.0)
    dense[scene.pair_row, scene.people.slot[who]] = oks
    return dense


def _greedy(
    oks: np.ndarray,
    rows: np.ndarray,
    rank: np.ndarray,
    row_image: np.ndarray,
    real: np.ndarray,
    ignored: np.ndarray,
    crowd: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """In each image the pose of the highest score chooses first.

    Returns:
        ``(T, S)`` bool: who found a person that counts, and who one that
        does not.
    """
    limits = np.minimum(THRESHOLDS, _ALMOST)[:, None, None]
    free = np.ones((len(THRESHOLDS), *real.shape), bool)
    found, passed = (
        np.zeros((len(THRESHOLDS), len(rows)), bool) for _ in range(2)
    )
    levels = np.arange(len(THRESHOLDS))[:, None]
    for turn in range(int(rank.max(initial=-1)) + 1):
        now = np.flatnonzero(rank == turn)
        image = row_image[rows[now]]
        near = oks[rows[now]]
        open_ = (near >= limits) & free[:, image]
        found[:, now], choice = _best(near, open_ & real[image])
        other, second = _best(near, open_ & ignored[image])
        passed[:, now] = other & ~found[:, now]
        choice = np.where(found[:, now], choice, second)
        taken = found[:, now] | passed[:, now]
        stays = ~taken | crowd[image[None], choice]
        free[levels, image[None], choice] &= stays
    return found, passed


def _best(
    near: np.ndarray, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Whether somebody is allowed, and the nearest; of equals the last."""
    values = np.where(allowed, near, -np.inf)[..., ::-1]
    last = near.shape[-1] - 1
    return np.any(allowed, axis=-1), last - values.argmax(axis=-1)
