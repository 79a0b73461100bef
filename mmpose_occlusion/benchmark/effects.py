"""What an attack does to a person, and the results of a block of people."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mmpose_occlusion.occlusion.placement import nearest_pixel
from mmpose_occlusion.occlusion.regions import PixelBox
from mmpose_occlusion.skeleton import Skeleton

from .store import BlockResult


@dataclass(frozen=True)
class Effect:
    """What an attack does to one person's crop, or to an image.

    Args:
        box: Smallest box of all changed pixels; None if there are none.
        pixels: ``(h, w, C)``, the box under the attack.
        changed: ``(h, w)`` bool, its changed pixels.
        targets: Indices of joints that the attack asks for, under paint.
        bystanders: Indices of the person's other joints under paint.
        painted: Number of painted pixels.
        excluded: Whether the attack found no place although the person has
            the target.
        records: The transforms' records; empty without a change.
        centre: (x, y) of the disc of an attack on one joint.
    """

    box: PixelBox | None = None
    pixels: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 3)))
    changed: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    targets: tuple[int, ...] = ()
    bystanders: tuple[int, ...] = ()
    painted: int = 0
    excluded: bool = False
    records: tuple[dict, ...] = ()
    centre: tuple[float, float] | None = None

    def paint(self, image: np.ndarray) -> None:
        """Paint it into an image with the same channels, in place."""
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            where = self.changed[..., None]
            np.copyto(image[y1:y2, x1:x2], self.pixels, where=where)

    def covers(self, xy: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """``(K,)`` bool, joints ``(K, 2)`` on changed pixels."""
        out = np.zeros(len(xy), bool)
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            col, row = nearest_pixel(xy, shape)
            inside = (col >= x1) & (col < x2) & (row >= y1) & (row < y2)
            out[inside] = self.changed[row[inside] - y1, col[inside] - x1]
        return out


def effect_of(
    clean: np.ndarray,
    attacked: np.ndarray,
    records: Iterable[Mapping[str, Any]],
    skeleton: Skeleton,
    corner: tuple[int, int] = (0, 0),
) -> Effect:
    """The effect of an attack on a region of pixels.

    Args:
        clean: ``(h, w, C)``.
        attacked: ``(h, w, C)``.
        records: Of the attack's transforms.
        skeleton: The data set's joints and parts.
        corner: (x, y) of the region.
    """
    found = tuple(dict(record) for record in records)
    rows = np.flatnonzero((_rows(clean) != _rows(attacked)).any(axis=1))
    if not len(rows):  # black paint on black pixels hides nothing
        return Effect(excluded=any(r.get('excluded') for r in found))
    y1, y2 = int(rows[0]), int(rows[-1]) + 1
    changed = (clean[y1:y2] != attacked[y1:y2]).any(axis=2)
    columns = np.flatnonzero(changed.any(axis=0))
    x1, x2 = int(columns[0]), int(columns[-1]) + 1
    targets, others = (
        {skeleton.joint_index(n) for r in found for _, n in r.get(k, ())}
        for k in ('targets', 'bystanders')
    )
    x, y = corner
    regions = [r['region'] for r in found if r.get('region')]
    centre = None
    if len(regions) == 1 and regions[0]['shape'] == 'disc':
        centre = tuple(regions[0]['center'])
    return Effect(
        (x + x1, y + y1, x + x2, y + y2),
        np.ascontiguousarray(attacked[y1:y2, x1:x2]),
        changed[:, x1:x2],
        tuple(sorted(targets)),
        tuple(sorted(others - targets)),
        sum(record['pixels'] for record in found),
        records=found,
        centre=centre,
    )


def _rows(pixels: np.ndarray) -> np.ndarray:
    """Rows of pixels, as 8-byte integers where their size allows (faster)."""
    rows = pixels.reshape(len(pixels), -1)
    if rows.dtype == np.uint8 and rows.shape[1] % 8 == 0:
        return np.ascontiguousarray(rows).view(np.uint64)
    return rows


class BlockArrays:
    """The arrays of :class:`.store.BlockResult` while they are computed, for
    all n people of a block.

    Args:
        people: n.
        joints: K.
    """

    def __init__(self, people: int, joints: int) -> None:
        shape = people, joints
        self.changed = np.zeros(people, bool)
        self.excluded = np.zeros(people, bool)
        self.targets = np.zeros(shape, bool)
        self.bystanders = np.zeros(shape, bool)
        self.pixels = np.zeros(people, np.int32)
        self.keypoints = np.full((*shape, 2), np.nan, np.float32)
        self.scores = np.zeros(shape, np.float32)
        self.person_scores = np.zeros(people, np.float32)
        self.visibility = np.full(shape, np.nan, np.float32)
        self.centres = np.full((people, 2), np.nan, np.float32)

    def note(self, row: int, effect: Effect) -> None:
        """What an attack hides of a person."""
        self.changed[row] = effect.box is not None
        self.excluded[row] = effect.excluded
        self.targets[row, list(effect.targets)] = True
        self.bystanders[row, list(effect.bystanders)] = True
        self.pixels[row] = effect.painted
        if effect.centre is not None:
            self.centres[row] = effect.centre

    def result(self, person_scores: bool = False) -> BlockResult:
        """With the predictions of changed rows.

        Args:
            person_scores: Whether the model gives people scores.
        """
        rows = np.flatnonzero(self.changed)
        seen, centres = self.visibility[rows], self.centres[rows]
        return BlockResult(
            self.changed,
            self.excluded,
            self.targets,
            self.bystanders,
            self.pixels,
            self.keypoints[rows],
            self.scores[rows],
            self.person_scores[rows] if person_scores else None,
            None if np.isnan(seen).all() else seen,
            None if np.isnan(centres).all() else centres,
        )
