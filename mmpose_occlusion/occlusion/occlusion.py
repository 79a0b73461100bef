"""An occlusion: targets, paint, rules and placement, applied to an image."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .paints import FILLS, Donor, Paint, Request
from .patch import Patch, Record, make_patch, make_record
from .person import Person, joints_height
from .placement import (
    DECOY,
    OFF_PERSON,
    ON_PERSON,
    TARGET,
    Surroundings,
    move_aside,
    move_elsewhere,
)
from .regions import (
    DEFAULT_DISC,
    Array,
    Box,
    Disc,
    DiscSize,
    Joint,
    Region,
    Shape,
)
from .rules import CorrectedRules, Rules
from .targets import CELL, PART, Chooser, Named, Target, cell_position

_WHERE = {
    ON_PERSON: 'on the person',
    OFF_PERSON: 'off the person',
    DECOY: 'beside the joint',
}


class Outcome(NamedTuple):
    """What an occlusion did: the painted image, or the one that came if
    nothing was painted; a record of each target; joints that lose their
    label."""

    image: Array
    records: list[Record]
    removed: list[Joint]


@dataclass(frozen=True)
class Occlusion:
    """Hide targets of the people in an image.

    All patches of a call are made from the image as it came and painted in
    order; with ``in_turn`` each is made from the image that the one before it
    left.

    Args:
        chooser: Which targets of a person, and with which fills.
        size: Of discs, see :class:`.regions.DiscSize`.
        place: One of :data:`.placement.PLACES`.
        prob: Probability that a person is occluded.
        rules: The corrected ones, or the paper's.
        remove_keypoints: Whether joints under a painted part lose their
            label.
        in_turn: See above; as the reference does.
        name: In records and messages.
        offset: Of discs: the centre moves by a random vector, uniform in a
            disc of this fraction of the radius.
        stay_covered: Whether the vector is limited so that the pixel of the
            joint stays painted; with an offset above 1 it must be False.

    Raises:
        ValueError: The offset does not fit.
    """

    chooser: Chooser
    size: DiscSize = DEFAULT_DISC
    place: str = TARGET
    prob: float = 1.0
    rules: Rules = field(default_factory=CorrectedRules)
    remove_keypoints: bool = False
    in_turn: bool = False
    name: str = 'Occlusion'
    offset: float = 0.0
    stay_covered: bool = True

    def __post_init__(self) -> None:
        offset = self.offset
        most = 1 if self.stay_covered else math.inf
        number = isinstance(offset, int | float) and offset is not True
        if not number or not 0 <= offset <= most or offset == math.inf:
            raise ValueError(
                f'{self.name}: offset={offset!r} must be a fraction of the '
                "disc's radius from 0 to 1, or above 1 with "
                'stay_covered=False.'
            )
        if self.in_turn and offset:
            raise ValueError(
                f"{self.name}: offset={offset!r} is not the reference's, "
                'whose discs are centred: leave out paper_exact=True.'
            )

    @cached_property
    def numbers(self) -> int:
        """Random numbers that each person takes; the last one is of fill,
        place and offset where these are random."""
        random = any(FILLS[fill].random for fill in self.chooser.fills)
        random |= self.place != TARGET or self.offset > 0
        return self.chooser.numbers + random

    def draw(
        self, keys: Sequence[tuple[int, int]], seed: int | None, call: int = 0
    ) -> Array:
        """Random numbers of each person.

        Args:
            keys: Image id and annotation id of each.
            seed: None draws from NumPy's global generator, which MMEngine
                seeds in each worker; with a number they depend on (seed,
                image id, annotation id), and on ``call`` where it is not 0.
            call: Number of earlier occlusions of the image.

        Returns:
            (N, numbers) in [0, 1).
        """
        shape = len(keys), self.numbers
        named = isinstance(self.chooser, Named)
        if self.prob == 1 and named and self.numbers == self.chooser.numbers:
            return np.zeros(shape)  # nothing is random
        if seed is None:
            return np.random.random(shape)  # noqa: NPY002
        later = [call] if call else []
        drawn = [
            np.random.default_rng([seed, *key, *later]).random(self.numbers)
            for key in keys
        ]
        return np.reshape(drawn, shape)

    def apply(
        self,
        image: Array,
        people: Sequence[Person],
        numbers: Array,
        surroundings: Surroundings | None = None,
        call: int = 0,
        inplace: bool = False,
    ) -> Outcome:
        """Hide the targets.

        Args:
            image: ``(H, W, C)`` or ``(H, W)``, uint8 or float32.
            people: All people in it.
            numbers: (N, numbers) from :meth:`draw`.
            surroundings: By default, that only the joints are known.
            call: Number of earlier occlusions of the image.
            inplace: Paint into ``image`` instead of a copy.
        """
        around = surroundings or Surroundings(image.shape, people)
        source, turn = image, 0
        patches: list[Patch] = []
        records: list[Record] = []
        removed: list[Joint] = []
        for i, person in enumerate(people):
            mine = numbers[i].tolist()
            chosen: Any = f'left out at random, prob={self.prob}'
            if mine[0] < self.prob:
                chosen = self.chooser.choose(person, mine, self.rules)
            if isinstance(chosen, str):
                records += self.refrain(call, i, chosen)
                continue
            for target, fill in chosen:
                found = self._attempt(
                    source, i, person, target, fill, mine, around
                )
                patch: Any = found.get('patch')
                under, gone = [], []
                for k, other in enumerate(people if patch else ()):
                    joints = patch.joints_under(other.points, image.shape)
                    under += [(k, joint) for joint in joints]
                if self.removes(target, patch):
                    gone = self.rules.removed(person, i, target.name, under)
                removed += gone
                hidden, others = [], under
                if under and self.place == TARGET:  # a control asks for none
                    names = person.skeleton.names
                    asked = [
                        (i, names[k]) for k in target.joints(person.skeleton)
                    ]
                    hidden = [joint for joint in under if joint in asked]
                    others = [joint for joint in under if joint not in asked]
                record = make_record(
                    transform=self.name,
                    call=call,
                    turn=turn,
                    instance=i,
                    target=target,
                    fill=fill,
                    place=self.place,
                    targets=_listed(hidden, people),
                    bystanders=_listed(others, people),
                    removed=_listed(gone, people),
                    **found,
                )
                records.append(record)
                if patch is None:
                    continue
                if self.in_turn:
                    source = source if inplace or turn else source.copy()
                    patch.apply(source)
                    turn += 1
                else:
                    patches.append(patch)
        if patches:
            source = source if inplace else source.copy()
            for patch in patches:
                patch.apply(source)
        return Outcome(source, records, removed)

    def refrain(
        self, call: int, instance: int | None, reason: str
    ) -> list[Record]:
        """Records of a person, or an image, that is left alone."""
        return [
            make_record(
                transform=self.name,
                call=call,
                instance=instance,
                target=target,
                fill=self.chooser.fills[0],
                place=self.place,
                reason=reason,
            )
            for target in self.chooser.label
        ]

    def removes(self, target: Target, patch: Patch | None) -> bool:
        """Whether joints lose their label; discs remove nothing."""
        return self.remove_keypoints and target.kind == PART

    def region(
        self, person: Person, target: Target, shape: Shape
    ) -> Region | str:
        """The region of a target, or why it has none.

        A size that is a fraction of the person's box takes
        :func:`.person.joints_height` where that box is not known.
        """
        name = target.name
        if target.kind == PART:
            if not person.has(name):
                return f'no joint of the {name} is available'
            return self.rules.part_box(person, name, shape)
        if target.kind == CELL:
            return self._cell(person, name)
        if name not in person.points:
            return self.rules.why_unavailable(person, name)
        if self.size.radius is not None:
            return self.rules.disc(person, name, self.size.radius, shape)
        height = person.box_height
        if not 0 < height < math.inf:
            height = joints_height(person.points, shape[0])
        assert self.size.fraction is not None
        radius = self.size.fraction * height / 2
        # at least the pixel of the joint
        return Disc(person.points[name], max(radius, math.sqrt(0.5)))

    def _cell(self, person: Person, name: str) -> Region | str:
        """The square around a place in the person's box, if it is in it."""
        if person.box is None or self.size.fraction is None:
            return "the person's box or the size as a fraction is not known"
        x1, y1, x2, y2 = person.box
        height = y2 - y1
        right, down = (height * u for u in cell_position(name))
        if not abs(right) <= (x2 - x1) / 2:  # also of an undefined box
            return "the cell is beside the person's box"
        side = self.size.fraction * height
        left = math.ceil((x1 + x2 - side) / 2 + right)
        top = math.ceil(y1 + down - side / 2)
        side = max(1, round(side))
        return Box((left, top, left + side, top + side))

    def _start(
        self, person: Person, target: Target, shape: Shape
    ) -> Region | str:
        """The region of a chosen target; PartMix may refuse it first."""
        return self.region(person, target, shape)

    def _attempt(
        self,
        image: Array,
        index: int,
        person: Person,
        target: Target,
        fill: str,
        numbers: list[float],
        around: Surroundings,
    ) -> dict[str, Any]:
        """What becomes of one target, as :func:`.patch.make_record` takes it:
        a region, a paint and a patch, or a reason why there is none."""
        region = self._start(person, target, image.shape)
        if isinstance(region, str):
            return dict(reason=region)
        kind = FILLS[fill]
        rng: np.random.Generator | None = None
        if kind.random or self.offset or self.place != TARGET:
            # from the last number; a different one for each target
            key = [int(numbers[-1] * 2**53), zlib.crc32(target.name.encode())]
            rng = np.random.default_rng(key)
        found: dict[str, Any] = {}
        if rng and self.offset and isinstance(region, Disc):
            x, y = region.center
            region = move_aside(
                region, self.offset, self.stay_covered, rng.random(2)
            )
            found['offset'] = region.center[0] - x, region.center[1] - y
        if rng and self.place != TARGET:
            mask = (
                around.joint_mask
                if self.place == DECOY
                else around.person_mask
            )
            moved = move_elsewhere(
                region,
                self.place,
                mask(index),
                around.photo_mask(),
                rng.random(),
            )
            if moved is None:
                reason = f'the same region fits nowhere {_WHERE[self.place]}'
                return dict(region=region, reason=reason, excluded=True)
            region = moved
        paint: Paint | str
        if rng and kind is Donor:
            paint = around.donor(index, target, numbers, rng)
            if isinstance(paint, str):
                return dict(region=region, reason=paint)
        else:
            request = Request(
                image,
                self.rules.ksize(person, region),
                int(rng.integers(2**31)) if rng and kind.random else 0,
                self.rules.exact_blur,
                self.rules.mean_color,
            )
            paint = kind.resolve(fill, request)
        patch = make_patch(image, region, paint)
        if patch is None:
            return dict(region=region, reason='its region has no pixel here')
        return dict(region=region, paint=paint, patch=patch, **found)


@dataclass(frozen=True)
class PartMixOcclusion(Occlusion):
    """Paste parts of other people; see the transform ``PartMix``.

    Args:
        tries: Donors that are tried.
    """

    tries: int = 8

    @cached_property
    def numbers(self) -> int:
        """Whether, which part, which part of the donor, and the donors."""
        return 3 + self.tries

    def _start(
        self, person: Person, target: Target, shape: Shape
    ) -> Region | str:
        if not self.rules.mixes(person, target.name):
            return f'not all joints of the {target.name} available'
        return self.region(person, target, shape)

    def removes(self, target: Target, patch: Patch | None) -> bool:
        """None where nothing is pasted, also under ``paper_exact``."""
        return self.remove_keypoints and patch is not None


def _listed(joints: list[Joint], people: Sequence[Person]) -> list[list]:
    """``[instance, joint]`` of those that are labelled."""
    return [
        [i, joint]
        for i, joint in joints
        if people[i].labelled[people[i].skeleton.joint_index(joint)]
    ]
