"""Division of a data set's crops into the blocks that a benchmark computes."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import numpy as np


@dataclass(frozen=True)
class Block:
    """Consecutive crops that are computed together, the same in every run.

    Args:
        number: Index of the block.
        start: Index of its first crop.
        stop: Index after its last crop.
    """

    number: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


def order_by_image(image_ids: np.ndarray) -> np.ndarray:
    """Stable order in which the crops of an image are consecutive.

    Images are sorted by their first crop; crops of an image keep their order.

    Args:
        image_ids: ``(N,)`` image id of each crop.

    Returns:
        ``(N,)`` indices.
    """
    _, first, inverse = np.unique(
        image_ids, return_index=True, return_inverse=True
    )
    return np.argsort(first[inverse], kind='stable')


def image_ranges(image_ids: Sequence) -> list[tuple[int, int]]:
    """Start and stop index of each image's crops.

    >>> image_ranges([7, 7, 3])
    [(0, 2), (2, 3)]
    """
    lengths = [len(list(group)) for _, group in groupby(image_ids)]
    ends = np.cumsum([0, *lengths]).tolist()
    return list(pairwise(ends))


def cut(image_ids: Sequence, size: int) -> list[Block]:
    """Divide crops into blocks of whole images.

    The result depends on the arguments only, and all blocks but the last one
    stay the same when images are appended.

    Args:
        image_ids: Image id of each crop; crops of an image are consecutive.
        size: Maximum number of crops in a block. An image with more crops
            than that is divided.
    """
    edges = [0]
    for start, stop in image_ranges(image_ids):
        if stop - edges[-1] > size and start > edges[-1]:
            edges.append(start)
        while stop - edges[-1] > size:
            edges.append(edges[-1] + size)
    if len(image_ids) > edges[-1]:
        edges.append(len(image_ids))
    return [Block(i, a, b) for i, (a, b) in enumerate(pairwise(edges))]
