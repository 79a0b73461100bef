"""COCO's average precision and recall of resampled images.

An image that is drawn w times weighs w: its poses and people count w times.
This is the AP of the set in which the image literally stands w times, since
between the copies of a pose the precision never exceeds that after the last
of them.
"""

import numpy as np

from .matching import Matches

RECALLS = np.linspace(0, 1, 101)
"""At which COCOeval reads the precision."""

_BLOCK = 2**17  # numbers that stay in a core's cache


def average_precision(
    matches: Matches, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """AP and AR of B weightings of the images.

    Args:
        matches: Of all images.
        weights: ``(B, I)`` how often each image was drawn.

    Returns:
        ``(B,)`` AP and ``(B,)`` AR over OKS thresholds and categories; NaN
        where nobody counts.
    """
    weights = np.asarray(weights, np.float64)
    ap: list[np.ndarray] = []
    ar: list[np.ndarray] = []
    for category in range(matches.counted.shape[1]):
        mine = matches.category == category
        people = weights @ matches.counted[:, category]
        one = _precision(
            matches.image[mine],
            matches.found[:, mine],
            matches.ignored[:, mine],
            weights,
            people,
        )
        for total, values in zip((ap, ar), one, strict=True):
            total.append(np.where(people > 0, values, np.nan))
    return _mean(ap), _mean(ar)


def _mean(values: list[np.ndarray]) -> np.ndarray:
    """Over categories, without those that nobody is of."""
    known = ~np.isnan(values)
    number = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    return np.divide(
        total, number, out=np.full(len(total), np.nan), where=number > 0
    )


def _precision(
    image: np.ndarray,
    found: np.ndarray,
    ignored: np.ndarray,
    weights: np.ndarray,
    people: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """AP and AR of one category; of nobody they are 0."""
    number = len(weights)
    ap, ar = np.zeros(number), np.zeros(number)
    hits = [np.flatnonzero(f) for f in found]
    step = max(1, _BLOCK // max(1, len(image)))
    for start in range(0, number, step):
        block = slice(start, start + step)
        drawn = weights[block][:, image]
        size = len(drawn)
        read = np.zeros((size, len(found), len(RECALLS)))
        recall = np.zeros((size, len(found)))
        judged = _Judged(drawn)
        for t, hit in enumerate(hits):
            if not len(hit):
                continue
            right = np.cumsum(drawn[:, hit], axis=1)
            seen = judged.upto(ignored[t])[:, hit]
            # COCOeval's own sum, for its very numbers
            precision = right / (seen + np.spacing(1))
            best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
            reached = right / np.maximum(people[block], 1)[:, None]
            recall[:, t] = reached[:, -1]
            for b in range(size):
                place = np.searchsorted(reached[b], RECALLS, side='left')
                inside = np.searchsorted(place, len(hit))
                read[b, t, :inside] = best[b, place[:inside]]
        ap[block] = read.reshape(size, -1).mean(axis=1)
        ar[block] = recall.mean(axis=1)
    return ap, ar


class _Judged:
    """Poses so far that are not ignored, for each set of ignored ones."""

    def __init__(self, drawn: np.ndarray) -> None:
        self._drawn = drawn
        self._known: dict[bytes, np.ndarray] = {}

    def upto(self, ignored: np.ndarray) -> np.ndarray:
        """``(B, D)`` number of poses up to each."""
        key = ignored.tobytes()
        if key not in self._known:
            counts = self._drawn
            if ignored.any():
                counts = np.where(ignored, 0, counts)
            self._known[key] = np.cumsum(counts, axis=1)
        return self._known[key]
