"""An occlusion: targets, paint, rules and placement, applied to an image."""

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .choosers import Chooser, Named
from .corrected import CorrectedRules
from .paints import FILLS, Donor, Paint, Request, is_random, make_patch
from .patch import Patch
from .person import Joint, Person, joints_under
from .placement import OFF_PERSON, ON_PERSON, TARGET, move_elsewhere
from .records import Record, make_record
from .regions import Disc, Region
from .rules import Rules
from .sizes import DEFAULT_DISC, DiscSize
from .surroundings import BareImage, Surroundings
from .targets import KEYPOINT, PART, Target

_WHERE = {ON_PERSON: 'on the person', OFF_PERSON: 'off the person'}


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

    image: np.ndarray
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
        size: Of discs, see :class:`.sizes.DiscSize`.
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

    @property
    def fills(self) -> tuple[str, ...]:
        """All fills that it may paint."""
        many = getattr(self.chooser, 'fills', None)
        return many or (getattr(self.chooser, 'fill', 'blur'),)

    def is_random(self, *fills: str) -> bool:
        """Whether one of these fills, or the place, needs a number."""
        return self.place != TARGET or any(map(is_random, fills))

    @property
    def numbers(self) -> int:
        """Random numbers that each person takes; the last one is of the fill
        and the place where these are random."""
        return self.chooser.numbers + self.is_random(*self.fills)

    def draw(
        self,
        keys: Sequence[tuple[int, int]],
        seed: int | None,
        call: int = 0,
    ) -> np.ndarray:
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
        named = isinstance(self.chooser, Named)
        if self.prob == 1 and named and not self.is_random(*self.fills):
            return np.zeros((len(keys), self.numbers))  # nothing is random
        if seed is None:
            return np.random.random(  # noqa: NPY002
                (len(keys), self.numbers)
            )
        later = [call] if call else []
        drawn = [
            np.random.default_rng([seed, *key, *later]).random(self.numbers)
            for key in keys
        ]
        return np.reshape(drawn, (len(keys), self.numbers))

    def apply(
        self,
        image: np.ndarray,
        people: Sequence[Person],
        numbers: np.ndarray,
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
        around = surroundings or BareImage(image.shape, people)
        source, turn = image, 0
        means: dict[int, Paint] = {}
        patches: list[Patch] = []
        records: list[Record] = []
        removed: list[Joint] = []
        for i, person in enumerate(people):
            mine = numbers[i]
            if not mine[0] < self.prob:
                records += self.refrain(
                    call, i, f'not drawn (prob={self.prob})'
                )
                continue
            chosen = self.chooser.choose(person, mine.tolist(), self.rules)
            if isinstance(chosen, str):
                records += self.refrain(call, i, chosen)
                continue
            for target, fill in chosen:
                attempt = self._attempt(
                    source, people, i, target, fill, mine, around, means
                )
                under = joints_under(people, attempt.patch, image.shape)
                gone = self._removed(person, i, target, attempt, under)
                removed += gone
                asked = _asked(person, i, target, self.place)
                records.append(
                    make_record(
                        transform=self.name,
                        call=call,
                        turn=turn,
                        instance=i,
                        kind=target.kind,
                        target=target.name,
                        fill=fill,
                        place=self.place,
                        region=attempt.region,
                        paint=attempt.paint,
                        patch=attempt.patch,
                        targets=_listed(
                            [j for j in under if j in asked], people
                        ),
                        bystanders=_listed(
                            [j for j in under if j not in asked], people
                        ),
                        removed=_listed(gone, people),
                        reason=attempt.reason,
                        excluded=attempt.excluded,
                    )
                )
                if attempt.patch is None:
                    continue
                if self.in_turn:
                    source = source if inplace or turn else source.copy()
                    attempt.patch.apply(source)
                    means.clear()
                    turn += 1
                else:
                    patches.append(attempt.patch)
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
                kind=target.kind,
                target=target.name,
                fill=self.fills[0],
                place=self.place,
                reason=reason,
            )
            for target in self.chooser.label
        ]

    def region(
        self, person: Person, target: Target, shape: tuple[int, ...]
    ) -> Region | str:
        """The region of a target, or why it has none.

        Raises:
            ValueError: The size is a fraction of the box, which is unknown.
        """
        if target.kind == PART:
            part = target.name
            if person.points.keys().isdisjoint(person.skeleton.parts[part]):
                return f'no joint of the {part} is available'
            return self.rules.part_box(person, part, shape)
        if target.name not in person.points:
            return self.rules.why_unavailable(person, target.name)
        if self.size.radius is not None:
            return self.rules.disc(
                person, target.name, self.size.radius, shape
            )
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
        return Disc(person.points[target.name], max(radius, math.sqrt(0.5)))

    def _attempt(
        self,
        image: np.ndarray,
        people: Sequence[Person],
        index: int,
        target: Target,
        fill: str,
        numbers: np.ndarray,
        around: Surroundings,
        means: dict[int, Paint],
    ) -> Attempt:
        person = people[index]
        region = self._start(person, target, image.shape)
        if isinstance(region, str):
            return Attempt(reason=region)
        seed, rng = 0, None
        if self.is_random(fill):
            rng = _generator(numbers, target.name)
            if self.place != TARGET:
                moved = move_elsewhere(
                    region,
                    self.place,
                    around.person_mask(index),
                    around.photo_mask(),
                    rng.random(),
                )
                if moved is None:
                    where = _WHERE[self.place]
                    reason = f'the same region fits nowhere {where}'
                    return Attempt(region, reason=reason, excluded=True)
                region = moved
        if FILLS[fill] is Donor:
            found = around.donor(index, target, numbers.tolist(), rng)
            if isinstance(found, str):
                return Attempt(region, reason=found)
            return Attempt(region, found, make_patch(image, region, found))
        if rng is not None:
            seed = int(rng.integers(2**31))
        if fill != 'mean' or not means:
            paint = FILLS[fill].resolve(
                fill,
                Request(
                    image,
                    self._ksize(person, region),
                    seed,
                    self.rules.exact_blur,
                    self.rules.mean_color,
                ),
            )
            if fill == 'mean':
                means[0] = paint
        else:
            paint = means[0]
        patch = make_patch(image, region, paint)
        if patch is None:
            return Attempt(region, reason='its region has no pixel here')
        return Attempt(region, paint, patch)

    def _start(
        self, person: Person, target: Target, shape: tuple[int, ...]
    ) -> Region | str:
        """The region of a chosen target; PartMix may refuse it first."""
        return self.region(person, target, shape)

    def _ksize(self, person: Person, region: Region) -> int:
        if isinstance(region, Disc):
            return self.rules.disc_ksize(region)
        return self.rules.part_ksize(person)

    def _removed(
        self,
        person: Person,
        index: int,
        target: Target,
        attempt: Attempt,
        under: list[Joint],
    ) -> list[Joint]:
        """Joints that lose their label; discs remove nothing."""
        if not self.remove_keypoints or target.kind == KEYPOINT:
            return []
        return self.rules.removed(person, index, target.name, under)


def _asked(
    person: Person, index: int, target: Target, place: str
) -> set[Joint]:
    """The joints that a target asks for; a control asks for none."""
    if place != TARGET:
        return set()
    names: Any = target.joint_names(person.skeleton)
    return {(index, name) for name in names}


def _generator(numbers: np.ndarray, name: str) -> np.random.Generator:
    """Of a random fill or place, from the last of a person's numbers; a
    different one for each target."""
    number = int(float(numbers[-1]) * 2**53)
    return np.random.default_rng([number, zlib.crc32(name.encode())])


def _listed(joints: list[Joint], people: Sequence[Person]) -> list[list]:
    """``[instance, joint]`` of those that are labelled."""
    return [
        [i, joint]
        for i, joint in joints
        if people[i].labelled[people[i].skeleton.joint_index(joint)]
    ]
