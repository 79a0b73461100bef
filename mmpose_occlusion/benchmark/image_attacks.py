"""Attacks on the people of whole images."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import FILLS, Attack, Occlusion, Person
from mmpose_occlusion.occlusion.attack import TRANSFORMS
from mmpose_occlusion.occlusion.paints import Donor
from mmpose_occlusion.occlusion.placement import Surroundings, segment_mask
from mmpose_occlusion.occlusion.regions import Point
from mmpose_occlusion.occlusion.targets import CELL, KEYPOINT

from .effects import Effect, effect_of
from .suite import SuiteAttack

PADDING = 1.25
"""Of the region around a bbox that top-down models see."""

PLACED = 'PlacedOcclusion'
"""Type of the attacks of a search: a joint's disc at a place that is given
with each person."""

_OPTIONS = ('prob', 'seed')


class ImageAttack:
    """Occlusions of one person after another, as MMPose's transforms do them
    on a whole image that has this person alone.

    Args:
        attack: Of a suite.
        seed: Of random draws, unless the attack has its own.
        links: Pairs of joint indices between which there are limbs.

    Raises:
        UsageError: It needs MMPose's pipelines or a data set of donors.
    """

    def __init__(
        self,
        attack: SuiteAttack,
        seed: int,
        links: Sequence[tuple[int, int]],
    ) -> None:
        self.key = attack.key
        self._links = links
        self._steps: list[tuple[Occlusion, int]] = []
        for config in attack.configs:
            if config.get('type') == PLACED:
                paint = {k: config[k] for k in ('target', 'fill', 'size')}
                config = dict(paint, type=TRANSFORMS[KEYPOINT])
            one = Attack.from_config(config)
            if one is None:
                raise UsageError(
                    f'attack "{attack.name}" is a transform of MMPose\'s '
                    'pipelines, which works on crops of MMPose models alone: '
                    'leave it out, or give a config and a checkpoint'
                )
            for option in one.options:
                if option not in _OPTIONS:
                    raise UsageError(
                        f'attack "{attack.name}" has the option "{option}", '
                        "which works in MMPose's pipelines alone: attacks on "
                        f'images have {" and ".join(_OPTIONS)}'
                    )
            if FILLS.get(one.fill) is Donor:
                raise UsageError(
                    f'attack "{attack.name}" paints donors, which need a data '
                    'set of MMPose: take another fill, such as "object"'
                )
            own = one.options.get('seed')
            self._steps.append((one.occlusion(), seed if own is None else own))

    def reaches(self, person: Person) -> bool:
        """Whether it may change the person's image; a cell is known not to
        where it is beside the person's box."""
        return any(
            target.kind != CELL
            or not isinstance(occlusion.region(person, target, ()), str)
            for occlusion, _ in self._steps
            for target in occlusion.chooser.label
        )

    def on(
        self,
        image: np.ndarray,
        scratch: np.ndarray,
        person: Person,
        box: np.ndarray,
        annotation: Mapping[str, Any],
        point: Point | None = None,
    ) -> Effect:
        """The effect on one person, which does not depend on other people.

        Args:
            image: ``(H, W, 3)`` uint8 BGR; not modified.
            scratch: A copy of it, painted and restored (a new copy for each
                attack would take most of the time).
            person: The person.
            box: ``(4,)`` xyxy of the person.
            annotation: Of which ids and the segment are used.
            point: Centre of the disc of a :data:`PLACED` attack, which has
                no target: all joints under it are bystanders.
        """
        if point is not None:
            moved = person._replace(points={person.skeleton.names[0]: point})
            effect = self.on(image, scratch, moved, box, annotation)
            under = effect.covers(np.array(person.xy, float), image.shape)
            under &= person.available
            hidden = tuple(np.flatnonzero(under).tolist())
            return replace(effect, targets=(), bystanders=hidden)
        around = PersonSurroundings(
            image, person, self._links, box, annotation
        )
        key = int(annotation['image_id']), int(annotation['id'])
        records = []
        for call, (occlusion, seed) in enumerate(self._steps):
            numbers = occlusion.draw([key], seed, call)
            records += occlusion.apply(
                scratch, around, numbers, call, inplace=True
            ).records
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
    """A person's segment, and the region that top-down models see of it.

    Controls are placed in that region for every predictor.
    """

    def __init__(
        self,
        image: np.ndarray,
        person: Person,
        links: Sequence[tuple[int, int]],
        box: np.ndarray,
        annotation: Mapping[str, Any],
    ) -> None:
        super().__init__(image.shape, [person], links)
        self._box = box
        self._segment = annotation.get('segmentation')

    def segment(self, index: int) -> np.ndarray | None:
        """The annotated segment where there is one."""
        if not self._segment:
            return None
        return segment_mask(self._segment, self._shape)

    def photo_mask(self) -> np.ndarray:
        """The padded bbox."""
        out = np.zeros(self._shape, bool)
        center = (self._box[:2] + self._box[2:]) / 2
        half = PADDING * (self._box[2:] - self._box[:2]) / 2
        x1, y1 = np.maximum(np.floor(center - half), 0).astype(int)
        x2, y2 = np.ceil(center + half).astype(int) + 1
        out[y1:y2, x1:x2] = True
        return out
