"""An occlusion: targets, paint, rules and placement, applied to an image."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .paints import FILLS, Donor, Paint, Request
from .patch import Patch, Record, make_patch, make_record
from .person import Person
from .placement import TARGET, Surroundings, move_elsewhere
from .regions import DEFAULT_DISC, Array, Disc, DiscSize, Joint, Region, Shape
from .rules import CorrectedRules, Rules
from .targets import KEYPOINT, PART, Chooser, Named, Target


class Attempt(NamedTuple):
    """What became of one target: a patch, or a reason why there is none."""

    region: Region | None = None
    paint: Paint | None = None
    patch: Patch | None = None
    reason: str | None = None
    excluded: bool = False


class Outcome(NamedTuple):
    """What an occlusion did to an image.

    Args:
        image: The painted image; the one that came if nothing was painted.
        records: One for each target.
        removed: Joints that lose their label.
    """

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
    """

    chooser: Chooser
    size: DiscSize = DEFAULT_DISC
    place: str = TARGET
    prob: float = 1.0
    rules: Rules = field(default_factory=CorrectedRules)
    remove_keypoints: bool = False
    in_turn: bool = False
    name: str = 'Occlusion'

    def is_random(self, *fills: str) -> bool:
        """Whether one of these fills, or the place, needs a number."""
        return self.place != TARGET or any(FILLS[f].random for f in fills)

    @property
    def numbers(self) -> int:
        """Random numbers that each person takes; the last one is of the fill
        and the place where these are random."""
        return self.chooser.numbers + self.is_random(*self.chooser.fills)

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
            chosen: Any = f'not drawn (prob={self.prob})'
            if mine[0] < self.prob:
                chosen = self.chooser.choose(person, mine, self.rules)
            if isinstance(chosen, str):
                records += self.refrain(call, i, chosen)
                continue
            for target, fill in chosen:
                found = self._attempt(
                    source, person, i, target, fill, mine, around
                )
                patch = found.patch
                under = [
                    (k, joint)
                    for k, other in enumerate(people)
                    for joint in _under(other, patch, image.shape)
                ]
                gone = self._removed(person, i, target, found, under)
                removed += gone
                asked: set[Joint] = set()  # a control asks for none
                if self.place == TARGET:
                    names = person.skeleton.names
                    joints = target.joints(person.skeleton)
                    asked = {(i, names[k]) for k in joints}
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
                    **found._asdict(),
                    targets=_listed(hidden, people),
                    bystanders=_listed(others, people),
                    removed=_listed(gone, people),
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

    def region(
        self, person: Person, target: Target, shape: Shape
    ) -> Region | str:
        """The region of a target, or why it has none.

        Raises:
            ValueError: The size is a fraction of the box, which is unknown.
        """
        name = target.name
        if target.kind == PART:
            if not person.has(name):
                return f'no joint of the {name} is available'
            return self.rules.part_box(person, name, shape)
        if name not in person.points:
            return self.rules.why_unavailable(person, name)
        if self.size.radius is not None:
            return self.rules.disc(person, name, self.size.radius, shape)
        if not math.isfinite(person.box_height):
            raise ValueError(
                f"{self.name} with size='{self.size}' scales with the "
                "height of the person's box, but this sample does not say "
                'it: it needs results["bbox"] and, in a crop, '
                'results["input_scale"] of TopdownAffine.'
            )
        assert self.size.fraction is not None
        radius = self.size.fraction * person.box_height / 2
        # at least the pixel of the joint
        return Disc(person.points[name], max(radius, math.sqrt(0.5)))

    def _start(
        self, person: Person, target: Target, shape: Shape
    ) -> Region | str:
        """The region of a chosen target; PartMix may refuse it first."""
        return self.region(person, target, shape)

    def _attempt(
        self,
        image: Array,
        person: Person,
        index: int,
        target: Target,
        fill: str,
        numbers: list[float],
        around: Surroundings,
    ) -> Attempt:
        region = self._start(person, target, image.shape)
        if isinstance(region, str):
            return Attempt(reason=region)
        rng = None
        if self.is_random(fill):
            # from the last number; a different one for each target
            key = [int(numbers[-1] * 2**53), zlib.crc32(target.name.encode())]
            rng = np.random.default_rng(key)
        if self.place != TARGET:
            assert rng is not None
            moved = move_elsewhere(
                region,
                self.place,
                around.person_mask(index),
                around.photo_mask(),
                rng.random(),
            )
            if moved is None:
                where = self.place.replace('_', ' the ')
                reason = f'the same region fits nowhere {where}'
                return Attempt(region, reason=reason, excluded=True)
            region = moved
        paint: Paint | str
        if FILLS[fill] is Donor:
            paint = around.donor(index, target, numbers, rng)
            if isinstance(paint, str):
                return Attempt(region, reason=paint)
        else:
            request = Request(
                image,
                self.rules.ksize(person, region),
                0 if rng is None else int(rng.integers(2**31)),
                self.rules.exact_blur,
                self.rules.mean_color,
            )
            paint = FILLS[fill].resolve(fill, request)
        patch = make_patch(image, region, paint)
        if patch is None:
            return Attempt(region, reason='its region has no pixel here')
        return Attempt(region, paint, patch)

    def _removed(
        self,
        person: Person,
        index: int,
        target: Target,
        found: Attempt,
        under: list[Joint],
    ) -> list[Joint]:
        """Joints that lose their label; discs remove nothing."""
        if not self.remove_keypoints or target.kind == KEYPOINT:
            return []
        return self.rules.removed(person, index, target.name, under)


@dataclass(frozen=True)
class PartMixOcclusion(Occlusion):
    """Paste parts of other people; see the transform ``PartMix``.

    Args:
        tries: Donors that are tried.
    """

    tries: int = 8

    @property
    def numbers(self) -> int:
        """Whether, which part, which part of the donor, and the donors."""
        return 3 + self.tries

    def _start(
        self, person: Person, target: Target, shape: Shape
    ) -> Region | str:
        if not self.rules.mixes(person, target.name):
            return f'not all joints of the {target.name} available'
        return self.region(person, target, shape)

    def _removed(
        self,
        person: Person,
        index: int,
        target: Target,
        found: Attempt,
        under: list[Joint],
    ) -> list[Joint]:
        """Nothing where nothing is pasted, also under ``paper_exact``."""
        if found.patch is None:
            return []
        return super()._removed(person, index, target, found, under)


def _listed(joints: list[Joint], people: Sequence[Person]) -> list[list]:
    """``[instance, joint]`` of those that are labelled."""
    return [
        [i, joint]
        for i, joint in joints
        if people[i].labelled[people[i].skeleton.joint_index(joint)]
    ]


def _under(person: Person, patch: Patch | None, shape: Shape) -> list[str]:
    return patch.joints_under(person.points, shape) if patch else []
