"""Cutting a data set's crops into the blocks that a benchmark computes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np


@dataclass(frozen=True)
class Block:
    """Crops that are computed together, the same in every run.

    Args:
        number: Counted from 0.
        start: Its first crop.
        stop: One behind its last.
    """

    number: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def order_by_image(image_ids: np.ndarray) -> np.ndarray:
    """An order in which the crops of an image follow each other.

    Images come in the order of their first crops, and the crops of an image
    in their own: a data set that is ordered so already stays as it is.

    Args:
        image_ids: ``(N,)`` of the crops.

    Returns:
        ``(N,)`` indices.
    """
    _, first, inverse = np.unique(
        image_ids, return_index=True, return_inverse=True
    )
    return np.argsort(first[inverse], kind='stable')


def runs_of_images(image_ids: Sequence) -> list[tuple[int, int]]:
    """Start and stop of the crops of each image, which follow each other."""
    lengths = [len(list(group)) for _, group in groupby(image_ids)]
    ends = np.cumsum([0, *lengths]).tolist()
    return list(pairwise(ends))


def cut(image_ids: Sequence, size: int) -> list[Block]:
    """Cut crops into blocks, without cutting through an image.

    Args:
        image_ids: Of the crops, those of an image one after another.
        size: Crops of a block at most; only an image of more people than
            that is cut through.

    Returns:
        The blocks. They depend on the arguments alone, and those of the first
        images, but for the last one, not on the images after them.
    """
    edges = [0]
    for start, stop in runs_of_images(image_ids):
        if stop - edges[-1] > size and start > edges[-1]:
            edges.append(start)
        while stop - edges[-1] > size:
            edges.append(edges[-1] + size)
    if len(image_ids) > edges[-1]:
        edges.append(len(image_ids))
    return [Block(i, a, b) for i, (a, b) in enumerate(pairwise(edges))]
