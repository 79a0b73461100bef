"""COCO's AP and AR by OKS: the decisions of COCOeval, for all images at once.

Poses are compared with people once; matching and AP are then repeated for
chosen people, joints, poses and resampled images. The results equal those
of ``COCOeval`` (iouType ``keypoints``) to the last digit.
"""

from dataclasses import dataclass, replace

import numpy as np

from .annotations import People
from .oks_pck import keypoint_oks, mean_oks

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""OKS from which on a pose matches a person."""

RECALLS = np.linspace(0, 1, 101)
"""At which the precision is read."""

MAX_POSES = 20
"""Poses of an image and category that count, those of the highest scores."""

_ALMOST = 1 - 1e-10
_BLOCK = 2**17  # numbers that fit into a core's cache


@dataclass(frozen=True)
class Matches:
    """D poses in the order of falling scores: indices ``(D,)`` of image and
    category, and ``(T, D)`` whether they match a person who counts, or count
    neither as right nor as wrong; ``counted`` ``(I, C)`` is the number of
    people who count."""

    image: np.ndarray
    category: np.ndarray
    found: np.ndarray
    ignored: np.ndarray
    counted: np.ndarray


@dataclass(frozen=True)
class ComparedPoses:
    """N poses, all M pairs of one with a person of its image and category, and
    their per-keypoint OKS: with the annotated joints, and with twice the bbox,
    which COCO takes for people without a joint to compare."""

    people: People
    image: np.ndarray  # (N,) index into the images of the people
    category: np.ndarray  # (N,) index into their categories
    pose: np.ndarray  # (M,) index
    person: np.ndarray  # (M,) index
    similar: np.ndarray  # (M, K)
    inside: np.ndarray  # (M, K)

    def of_joint(self, joint: int) -> 'ComparedPoses':
        """Poses and people that consist of one joint."""
        similar, inside = self.similar[:, [joint]], self.inside[:, [joint]]
        return replace(self, similar=similar, inside=inside)

    def match(
        self,
        rows: np.ndarray,
        scores: np.ndarray,
        labelled: np.ndarray,
        counts: np.ndarray,
    ) -> Matches:
        """Match the poses ``rows`` ``(R,)``, by falling scores ``(N,)``, of
        equal ones the first, with people at every OKS threshold by the joints
        ``labelled`` ``(P, K)``; people who do not count ``(P,)`` are ignored.
        """
        people, slot = self.people, rank_in_group(self.people.image)
        group = self.image * len(people.categories) + self.category
        rows = rows[np.lexsort((-scores[rows], self.image[rows]))]
        rank = rank_in_group(group[rows])
        rows, rank = rows[rank < MAX_POSES], rank[rank < MAX_POSES]
        # by image and place of the person in it
        slots = int(slot.max(initial=0)) + 1
        oks = np.full((len(self.image), slots), -1.0)
        oks[self.pose, slot[self.person]] = self._oks(labelled)
        real, ignored, crowd = np.zeros((3, len(people.images), slots), bool)
        real[people.image, slot] = counts
        ignored[people.image, slot] = ~counts
        crowd[people.image, slot] = people.crowd
        limits = np.minimum(THRESHOLDS, _ALMOST)[:, None, None]
        free = np.ones((len(THRESHOLDS), *real.shape), bool)
        found, passed = np.zeros((2, len(THRESHOLDS), len(rank)), bool)
        # greedily, the poses of each image in the order of their rank
        for turn in range(int(rank.max(initial=-1)) + 1):
            now = np.flatnonzero(rank == turn)
            here, near = self.image[rows[now]], oks[rows[now]]
            available = (near >= limits) & free[:, here]
            found[:, now], choice = _best(near, available & real[here])
            other, second = _best(near, available & ignored[here])
            passed[:, now] = other & ~found[:, now]
            choice = np.where(found[:, now], choice, second)
            taken = (found[:, now] | passed[:, now]) & ~crowd[here, choice]
            level, pose = np.nonzero(taken)
            free[level, here[pose], choice[level, pose]] = False
        counted = np.zeros((len(people.images), len(people.categories)), int)
        np.add.at(counted, (people.image[counts], people.category[counts]), 1)
        order = np.argsort(-scores[rows], kind='stable')
        rows = rows[order]
        image, category = self.image[rows], self.category[rows]
        return Matches(
            image, category, found[:, order], passed[:, order], counted
        )

    def _oks(self, labelled: np.ndarray) -> np.ndarray:
        """``(M,)`` OKS of the pairs."""
        mask = labelled[self.person]
        # over the keypoints that were found
        inside = mean_oks(self.inside, np.isfinite(self.inside))
        oks = mean_oks(self.similar, mask)
        return np.where(mask.any(axis=1), oks, np.nan_to_num(inside))

    def precision(
        self,
        rows: np.ndarray,
        scores: np.ndarray,
        labelled: np.ndarray,
        weights: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """``(B,)`` AP and ``(B,)`` AR, see :meth:`match` and
        :func:`average_precision`; the people who count are those with one of
        the joints ``labelled``."""
        counts = self.people.counting(labelled)
        matches = self.match(rows, scores, labelled, counts)
        return average_precision(matches, weights)

    def greatest_oks(self, labelled: np.ndarray) -> np.ndarray:
        """``(N,)`` greatest OKS of each pose with a person who counts; -1
        without one. See :meth:`precision`."""
        out = np.full(len(self.image), -1.0)
        oks = mean_oks(self.similar, labelled[self.person])
        mine = self.people.counting(labelled)[self.person]
        np.maximum.at(out, self.pose[mine], oks[mine])
        return out


def compare_poses(
    people: People,
    image: np.ndarray,
    category: np.ndarray,
    keypoints: np.ndarray,
    sigmas: np.ndarray,
) -> ComparedPoses:
    """Compare poses with people, given the predictions ``(N, K, 2)``, pixels;
    NaN, a keypoint that was not found, is similar to none. The images and
    categories of the poses are indices ``(N,)`` into those of the people."""
    count = len(people.categories)
    pose, person = equal_pairs(
        image * count + category, people.image * count + people.category
    )
    found = np.asarray(keypoints, np.float64)[pose]
    areas = people.areas[person]
    corner, size = np.split(people.boxes[person][:, None], 2, axis=-1)
    low, high = corner - size, corner + 2 * size
    outside = np.maximum(low - found, 0) + np.maximum(found - high, 0)
    offsets = found - people.keypoints[person]
    similar = np.nan_to_num(keypoint_oks(offsets, areas, sigmas))
    inside = keypoint_oks(outside, areas, sigmas)
    return ComparedPoses(
        people, image, category, pose, person, similar, inside
    )


def reference_precision(
    compared: ComparedPoses,
    keypoints: np.ndarray,
    sigmas: np.ndarray,
    rows: np.ndarray,
    scores: np.ndarray,
    joint: int,
) -> tuple[np.ndarray, np.ndarray]:
    """AP and AR of one joint, ``(1,)`` each, as the paper's reference code
    counts them; see :func:`compare_poses`, :meth:`ComparedPoses.match`.

    Its defect 9: all other joints of people and poses become (0, 0, 0) *after*
    COCOeval has decided who is ignored. No pose can match people who have
    other joints but not this one, and theirs are wrong.
    """
    only, people = np.arange(len(sigmas)) == joint, compared.people
    zeroed = compare_poses(
        people,
        compared.image,
        compared.category,
        np.where(only[:, None], keypoints, 0),
        sigmas,
    )
    counts = people.counting(people.labelled)
    return average_precision(
        zeroed.match(rows, scores, people.labelled & only, counts)
    )


def _best(
    near: np.ndarray, allowed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Whether any is allowed, and the nearest; the last of equal ones."""
    values = np.where(allowed, near, -np.inf)[..., ::-1]
    last = near.shape[-1] - 1
    return np.any(allowed, axis=-1), last - values.argmax(axis=-1)


def average_precision(
    matches: Matches, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """``(B,)`` AP and ``(B,)`` AR over OKS thresholds and categories of B
    weightings ``(B, I)`` of the images, each once by default; NaN where no
    person counts.

    An image of weight w counts as w copies of it, exactly if the scores of its
    poses differ: between copies of a pose the precision never exceeds that
    after the last of them."""
    if weights is None:
        weights = np.ones((1, len(matches.counted)))
    weights = np.asarray(weights, np.float64)
    people = weights @ matches.counted
    curves = [
        _precision(matches, category, weights, people[:, category])
        for category in range(people.shape[1])
    ]
    ap, ar = (
        _mean_over(np.stack(values, axis=-1), people > 0)
        for values in zip(*curves, strict=True)
    )
    return ap, ar


def _mean_over(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """``(B,)`` means of ``(B, ..., C)`` over the categories with people."""
    out = values.reshape(len(values), -1).mean(axis=1)
    for b in np.flatnonzero(~known.all(axis=1)):
        out[b] = values[b][..., known[b]].mean() if known[b].any() else np.nan
    return out


def _precision(
    matches: Matches, category: int, weights: np.ndarray, people: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Precision ``(B, T, R)`` and recall ``(B, T)`` of one category."""
    mine = matches.category == category
    image = matches.image[mine]
    found, ignored = matches.found[:, mine], matches.ignored[:, mine]
    number, levels = len(weights), len(found)
    read = np.zeros((number, levels, len(RECALLS)))
    recall = np.zeros((number, levels))
    step = max(1, _BLOCK // max(1, len(image)))
    for start in range(0, number, step):
        block = slice(start, start + step)
        drawn = weights[block][:, image]
        total = np.maximum(people[block], 1)[:, None]
        seen: dict[bytes, np.ndarray] = {}
        for t in range(levels):
            hit = np.flatnonzero(found[t])
            if not len(hit):
                continue
            key = ignored[t].tobytes()
            if key not in seen:
                seen[key] = np.cumsum(drawn * ~ignored[t], axis=1)
            right = np.cumsum(drawn[:, hit], axis=1)
            # with COCOeval's own rounding
            precision = right / (seen[key][:, hit] + np.spacing(1))
            best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            reached = right / total
            recall[block, t] = reached[:, -1]
            # a recall is read at the first pose that reaches it
            count = np.searchsorted(RECALLS, reached, side='right')
            times = np.diff(count, prepend=0)
            inside = np.arange(len(RECALLS)) < count[:, -1:]
            read[block, t][inside] = np.repeat(best.ravel(), times.ravel())
    return read, recall


def pose_scores(
    box_scores: np.ndarray,
    joint_scores: np.ndarray,
    mode: str = 'bbox_keypoint',
    threshold: float = 0.2,
) -> np.ndarray:
    """``(N,)`` scores of poses from those of their bboxes ``(N,)`` and joints
    ``(N, K)``; mode and threshold are the ``score_mode`` and
    ``keypoint_score_thr`` of MMPose's ``CocoMetric``."""
    boxes = np.asarray(box_scores, np.float64)
    joints = np.asarray(joint_scores, np.float32)
    if mode == 'bbox':
        return boxes
    if mode == 'keypoint':
        return joints.mean(axis=1).astype(np.float64)
    if mode == 'bbox_rle':
        return boxes + joints.mean(axis=1) + joints.max(axis=1)
    counts = joints > threshold
    # in float32 and joint by joint, as CocoMetric adds them
    total = np.cumsum(np.where(counts, joints, 0), axis=1, dtype=np.float32)
    number = np.maximum(counts.sum(axis=1), 1).astype(np.float32)
    return boxes * (total[:, -1] / number)


def surviving_poses(
    rows: np.ndarray,
    image: np.ndarray,
    keypoints: np.ndarray,
    scores: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    mode: str = 'oks_nms',
    threshold: float = 0.9,
) -> np.ndarray:
    """Those of the poses ``rows`` ``(R,)`` of N, which are ordered by image,
    that are left after NMS within each image, in an image by falling score
    (for 'none' as given).

    Keypoints ``(N, K, 2)`` are float32 pixels, NaN for those not found;
    ``areas`` ``(N,)`` those of the image that were given to the model, which
    ``CocoMetric`` takes as the poses'; the mode is its ``nms_mode``,
    ``oks_nms`` or ``none``, and the threshold its ``nms_thr``.
    """
    if mode == 'none' or not len(rows):
        return rows
    left = []
    for here in np.split(rows, np.flatnonzero(np.diff(image[rows])) + 1):
        if len(here) == 1:
            left.append(here[0])
            continue
        order = scores[here].argsort()[::-1]
        poses, size = keypoints[here], areas[here]
        # in MMPose's float32, over the keypoints that both have
        similar = keypoint_oks(
            poses - poses[:, None], (size[:, None] + size) / 2, sigmas
        )
        oks = np.nan_to_num(mean_oks(similar, np.isfinite(similar)))
        oks = oks.astype(np.float32)
        while len(order):
            best, order = order[0], order[1:]
            left.append(here[best])
            order = order[oks[best, order] <= threshold]
    return np.array(left)


def rank_in_group(groups: np.ndarray) -> np.ndarray:
    """How many entries of the same group come before each entry.

    >>> rank_in_group(np.array([3, 5, 3, 3])).tolist()
    [0, 0, 1, 2]
    """
    order = np.argsort(groups, kind='stable')
    ordered = groups[order]
    rank = np.empty(len(groups), np.int64)
    rank[order] = np.arange(len(groups)) - np.searchsorted(ordered, ordered)
    return rank


def equal_pairs(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of all pairs of equal entries, in the order of ``a``.

    >>> equal_pairs(np.array([7, 5]), np.array([5, 7, 7]))
    (array([0, 0, 1]), array([1, 2, 0]))
    """
    order = np.argsort(b, kind='stable')
    first, last = (
        np.searchsorted(b[order], a, side=side) for side in ('left', 'right')
    )
    counts = last - first
    index = np.repeat(np.arange(len(a)), counts)
    start = np.repeat(first - np.cumsum(counts) + counts, counts)
    return index, order[start + np.arange(len(index))]
