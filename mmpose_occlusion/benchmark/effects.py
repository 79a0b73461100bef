"""What an attack does to one person of an image or a crop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import FILLS, Attack, Person
from mmpose_occlusion.occlusion.attack import TRANSFORMS
from mmpose_occlusion.occlusion.paints import Donor
from mmpose_occlusion.occlusion.placement import Surroundings, segment_mask
from mmpose_occlusion.occlusion.regions import Patch, Point
from mmpose_occlusion.occlusion.targets import CELL, KEYPOINT
from mmpose_occlusion.skeleton import Skeleton

from .store import BlockResult
from .suite import SuiteAttack

PADDING = 1.25  # of the region around a bbox that top-down models see
PLACED = 'PlacedOcclusion'
"""Type of the attacks of a search: a joint's disc at a place that is given
with each person."""


@dataclass(frozen=True)
class Effect:
    """What an attack does to one person's crop, or to an image."""

    patch: Patch | None = None  # the changed pixels, in their smallest box
    targets: tuple[int, ...] = ()  # joints that are asked for, under paint
    bystanders: tuple[int, ...] = ()  # the person's other joints under paint
    painted: int = 0  # number of pixels
    excluded: bool = False  # no place was found, and the target is there
    records: tuple[dict, ...] = ()  # of the transforms; empty if unchanged
    centre: Point | None = None  # of the disc of an attack on one joint

    def paint(self, image: np.ndarray) -> None:
        """Paint it into an image ``(H, W, C)``, in place."""
        if self.patch is not None:
            self.patch.apply(image)

    def joints_under(
        self, person: Person, shape: tuple[int, ...]
    ) -> list[int]:
        """Available joints of any person of an image under changed pixels."""
        if self.patch is None:
            return []
        names = self.patch.joints_under(person.points, shape)
        return [person.skeleton.joint_index(name) for name in names]

    def note(self, result: BlockResult, row: int) -> None:
        """Write what it hides of a person into a row of a result."""
        result.changed[row] = self.patch is not None
        result.excluded[row] = self.excluded
        result.targets[row, list(self.targets)] = True
        result.bystanders[row, list(self.bystanders)] = True
        result.pixels[row] = self.painted
        if self.centre is not None:
            result.centres[row] = self.centre


def effect_of(
    clean: np.ndarray,
    attacked: np.ndarray,
    records: Iterable[Mapping[str, Any]],
    skeleton: Skeleton,
    corner: tuple[int, int] = (0, 0),
) -> Effect:
    """The effect of an attack on a region of pixels ``(h, w, C)`` whose corner
    is at (x, y), by the records of its transforms."""
    found = tuple(dict(record) for record in records)
    differ = clean != attacked
    rows = np.flatnonzero(differ.any(axis=(1, 2)))
    if not len(rows):  # black paint on black pixels hides nothing
        return Effect(excluded=any(r.get('excluded') for r in found))
    y1, y2 = int(rows[0]), int(rows[-1]) + 1
    changed = differ[y1:y2].any(axis=2)
    columns = np.flatnonzero(changed.any(axis=0))
    x1, x2 = int(columns[0]), int(columns[-1]) + 1
    targets, others = (
        {skeleton.joint_index(n) for r in found for _, n in r.get(k, ())}
        for k in ('targets', 'bystanders')
    )
    x, y = corner
    regions = [r['region'] for r in found if r.get('region')]
    is_disc = len(regions) == 1 and regions[0]['shape'] == 'disc'
    return Effect(
        Patch(
            (x + x1, y + y1, x + x2, y + y2),
            np.ascontiguousarray(attacked[y1:y2, x1:x2]),
            changed[:, x1:x2],
        ),
        tuple(sorted(targets)),
        tuple(sorted(others - targets)),
        sum(record['pixels'] for record in found),
        records=found,
        centre=tuple(regions[0]['center']) if is_disc else None,
    )


class ImageAttack:
    """An occlusion of a person, as MMPose's transforms do it on a whole image
    that has this person alone. The seed is of random draws, unless the attack
    has its own; ``links`` are pairs of joint indices between which there are
    limbs. A UsageError if it needs MMPose's pipelines or a data set of donors.
    """

    def __init__(
        self, attack: SuiteAttack, seed: int, links: Sequence[tuple[int, int]]
    ) -> None:
        self._links, config = links, attack.config
        if config.get('type') == PLACED:
            paint = {k: config[k] for k in ('target', 'fill', 'size')}
            config = dict(paint, type=TRANSFORMS[KEYPOINT])
        one, needs = Attack.from_config(config), ''
        if one is None:
            needs = "is a transform of MMPose's pipelines"
        elif other := set(one.options) - {'prob', 'seed'}:
            needs = f'has the option "{min(other)}" of MMPose\'s pipelines'
        elif FILLS.get(one.fill) is Donor:
            needs = 'paints donors, which need a data set of MMPose'
        if one is None or needs:
            raise UsageError(
                f'attack "{attack.name}" {needs}: leave it out, or give a '
                'config and a checkpoint'
            )
        own = one.options.get('seed')
        self._seed = seed if own is None else own
        self._occlusion = one.occlusion()

    def reaches(self, person: Person) -> bool:
        """Whether it may change the person's image; a cell is known not to
        where it is beside the person's box."""
        return any(
            target.kind != CELL
            or not isinstance(self._occlusion.region(person, target, ()), str)
            for target in self._occlusion.chooser.label
        )

    def on(
        self,
        image: np.ndarray,
        scratch: np.ndarray,
        person: Person,
        annotation: Mapping[str, Any],
        point: Point | None = None,
    ) -> Effect:
        """The effect on one person, which does not depend on other people.

        Args:
            image: ``(H, W, 3)`` uint8 BGR; not modified.
            scratch: A copy of it, painted and restored (a new copy for each
                attack would take most of the time).
            person: The person, of whose ``annotation`` ids and segment count.
            point: Centre of the disc of a :data:`PLACED` attack, which has
                no target: all joints under it are bystanders.
        """
        if point is not None:
            first = np.arange(len(person.xy)) == 0
            xy = np.where(first[:, None], point, person.xy)
            moved = replace(person, xy=xy, available=first)
            effect = self.on(image, scratch, moved, annotation)
            hidden = tuple(effect.joints_under(person, image.shape))
            return replace(effect, targets=(), bystanders=hidden)
        about = image.shape, [person], self._links
        around = PersonSurroundings(annotation, *about)
        key = int(annotation['image_id']), int(annotation['id'])
        numbers = self._occlusion.draw([key], self._seed, 0)
        records, _ = self._occlusion.apply(scratch, around, numbers)
        boxes = np.array([r['box'] for r in records if r['box'] is not None])
        if not len(boxes):
            return Effect(excluded=any(r['excluded'] for r in records))
        x1, y1 = boxes[:, :2].min(axis=0).tolist()
        x2, y2 = boxes[:, 2:].max(axis=0).tolist()
        clean, painted = image[y1:y2, x1:x2], scratch[y1:y2, x1:x2]
        effect = effect_of(
            clean, painted.copy(), records, person.skeleton, (x1, y1)
        )
        painted[...] = clean
        return effect


class PersonSurroundings(Surroundings):
    """A person's segment, and the region that top-down models see of it, in
    which controls are placed for every predictor."""

    def __init__(self, annotation: Mapping[str, Any], *others: Any) -> None:
        super().__init__(*others)
        self._segment = annotation.get('segmentation')

    def segment(self, index: int) -> np.ndarray | None:
        """The annotated segment where there is one."""
        if not self._segment:
            return None
        return segment_mask(self._segment, self._shape)

    def photo_mask(self) -> np.ndarray:
        """The padded bbox."""
        out, box = np.zeros(self._shape, bool), np.array(self.people[0].box)
        center, half = (box[:2] + box[2:]) / 2, PADDING * (box[2:] - box[:2])
        x1, y1 = np.maximum(np.floor(center - half / 2), 0).astype(int)
        x2, y2 = np.ceil(center + half / 2).astype(int) + 1
        out[y1:y2, x1:x2] = True
        return out
