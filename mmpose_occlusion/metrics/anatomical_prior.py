"""Where a hidden joint is expected from the joints that are seen.

The judge of whether a network infers a hidden joint or guesses: a network with
positive skill places it better than a linear model of anatomy does.
"""

import numpy as np

SHRINKAGE = 0.1
"""Share of the diagonal in the covariance, against too few people."""

FOLDS = 5
MIN_JOINTS = 3
"""Labelled joints that a person needs to be predicted from."""


class PosePrior:
    """A Gaussian over poses in the frame of their boxes.

    A pose is centred at its box's centre and divided by the box's longer
    side; left-right mirrored poses count, too. Mean and covariance are of the
    labelled joints (pairwise), the covariance shrunk towards its diagonal.

    Args:
        keypoints: (N, K, 2) true joints in image pixels, NaN without label.
        boxes: (N, 4) xyxy.
        flip: (K,) index of each joint's left-right twin, or itself.
    """

    def __init__(
        self, keypoints: np.ndarray, boxes: np.ndarray, flip: np.ndarray
    ) -> None:
        poses = _normalised(keypoints, boxes)
        mirrored = poses[:, flip] * [-1, 1]
        x = np.concatenate([poses, mirrored]).reshape(len(poses) * 2, -1)
        known = np.isfinite(x)
        number = known.sum(axis=0)
        self.mean = np.where(known, x, 0).sum(axis=0) / np.maximum(number, 1)
        centred = np.where(known, x - self.mean, 0)
        pairs = known.T.astype(float) @ known
        covariance = centred.T @ centred / np.maximum(pairs, 1)
        diagonal = np.diag(np.diag(covariance))
        covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * diagonal
        values, vectors = np.linalg.eigh(covariance)
        floor = 1e-6 * max(float(values[-1]), 1e-12)
        self.covariance = (vectors * np.maximum(values, floor)) @ vectors.T

    def expected(
        self, keypoints: np.ndarray, boxes: np.ndarray, hidden: np.ndarray
    ) -> np.ndarray:
        """Conditional mean of hidden joints given the other labelled ones.

        Args:
            keypoints: (N, K, 2) true joints in image pixels, NaN without
                label.
            boxes: (N, 4) xyxy.
            hidden: (N, K) bool, joints that are to be predicted, each person's
                all at once.

        Returns:
            (N, K, 2) image pixels; NaN for other joints and for people with
            fewer than :data:`MIN_JOINTS` visible joints.
        """
        poses = _normalised(keypoints, boxes)
        out = np.full(poses.shape, np.nan)
        for i, pose in enumerate(poses):
            given = np.isfinite(pose).all(axis=1) & ~hidden[i]
            if given.sum() < MIN_JOINTS or not hidden[i].any():
                continue
            seen, asked = np.repeat(given, 2), np.repeat(hidden[i], 2)
            gain = np.linalg.solve(
                self.covariance[np.ix_(seen, seen)],
                pose.reshape(-1)[seen] - self.mean[seen],
            )
            moved = self.covariance[np.ix_(asked, seen)] @ gain
            out[i, hidden[i]] = (self.mean[asked] + moved).reshape(-1, 2)
        centre, size = _frame(boxes)
        return out * size + centre


def expected_by_fold(
    keypoints: np.ndarray,
    boxes: np.ndarray,
    flip: np.ndarray,
    hidden: np.ndarray,
    image: np.ndarray,
    folds: int = FOLDS,
) -> np.ndarray:
    """Hidden joints as expected by a prior that was fitted on other images.

    Args:
        keypoints: (N, K, 2), see :class:`PosePrior`.
        boxes: (N, 4) xyxy.
        flip: (K,).
        hidden: (N, K) bool.
        image: (N,) index of each person's image; folds go by it.
        folds: Number of folds.

    Returns:
        (N, K, 2) as :meth:`PosePrior.expected`.
    """
    out = np.full(keypoints.shape, np.nan)
    for fold in range(folds):
        mine = image % folds == fold
        if mine.any() and not mine.all():
            prior = PosePrior(keypoints[~mine], boxes[~mine], flip)
            out[mine] = prior.expected(
                keypoints[mine], boxes[mine], hidden[mine]
            )
    return out


def _frame(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Centres (N, 1, 2) and longer sides (N, 1, 1)."""
    boxes = np.asarray(boxes, float)
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    size = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    return centre[:, None], np.maximum(size, 1e-9)[:, None, None]


def _normalised(keypoints: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    centre, size = _frame(boxes)
    return (np.asarray(keypoints, float) - centre) / size
