"""An occlusion: targets, paint, rules and placement, applied to an image."""

import math
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from ..errors import UsageError
from .paints import FILLS, REFERENCE_FILLS, Donor, Paint, Request, make_patch
from .placement import NOWHERE, PLACES, TARGET, Surroundings, move_aside
from .regions import DEFAULT_DISC, Array, Disc, DiscSize, Patch, Region
from .rules import CorrectedRules, Rules
from .targets import CELL, PART, Chooser, Person, Target, cell_box


class Record(dict):
    """What was done to one target, or why nothing was: an entry of
    ``results['occlusions']``, plain values from which :func:`.paints.replay`
    makes the patch again. Not to be modified: deep copies of a sample, such
    as ``PackPoseInputs`` makes, share it, since copying one takes 20 µs.

    - ``transform``: class of the transform; ``call``: number of occlusions
      before it; ``turn``: targets of one call and turn are made from the same
      image
    - ``instance``: index of the person in the image
    - ``kind``, ``target``: 'keypoint', 'part' or 'cell', and the name,
      'random' where none was drawn
    - ``fill``, ``place``: as asked for
    - ``region``, before clipping, and ``paint``, as their classes record them
    - ``box`` of the painted pixels, ends exclusive, and ``pixels``, their
      number
    - ``targets``: ``[instance, joint]`` of the labelled joints that were
      asked for and lie on painted pixels; ``bystanders``: of all other joints
      on painted pixels, of any person; ``removed``: of those that lost their
      label
    - ``reason``: why nothing was done, a clause without a full stop;
      ``excluded``: whether that is so because a control fits nowhere
    - ``offset``: from the joint to the centre of its disc, x and y in pixels,
      before the disc went to another ``place``; only of discs with an offset
    - ``label``: as asked for, unless 'keep'
    """

    def __deepcopy__(self, memo: dict) -> 'Record':
        return self


LABELS = ('keep', 'occluded', 'drop')
"""What becomes of the labels of hidden joints."""

_NO_DRAWS = np.random.default_rng(0)
"""Of occlusions without random draws; making one takes 10 µs."""

NOT_PAPER = "is not the reference's, which is %s: leave out paper_exact=True"


class Checked:
    """Base of what has arguments to be checked."""

    name: str

    def require(
        self, fits: Any, argument: str, why_not: str, value: Any = None
    ) -> None:
        """Raise a UsageError of one sentence unless an argument fits."""
        if not fits:
            value = getattr(self, argument) if value is None else value
            raise UsageError(f'{self.name}: {argument}={value!r} {why_not}.')

    def require_one_of(
        self, known: Iterable[str], argument: str, value: str
    ) -> None:
        words = f'is unknown; it is one of {", ".join(known)}'
        self.require(value in known, argument, words, value)

    def require_probability(self, argument: str, value: Any) -> None:
        fits = isinstance(value, int | float) and 0 <= value <= 1
        self.require(fits, argument, 'must be a probability between 0 and 1')


@dataclass(frozen=True)
class Occlusion(Checked):
    """Hide targets of the people in an image.

    Args:
        chooser: Which targets of a person, and with which fills.
        size, place, offset, stay_covered: See :func:`.occlude.occlude`.
        prob: Probability that a person is occluded.
        rules: The corrected ones; or the paper's, with which each patch is
            made from the image that the one before it left, and not all from
            the image as it came.
        remove_keypoints: Whether joints under a painted part lose their
            label.
        label: One of :data:`LABELS`.
        name: In records and messages.

    Raises:
        UsageError: An argument does not fit.
    """

    chooser: Chooser
    size: DiscSize = DEFAULT_DISC
    place: str = TARGET
    prob: float = 1.0
    rules: Rules = field(default_factory=CorrectedRules)
    remove_keypoints: bool = False
    label: str = 'keep'
    name: str = 'Occlusion'
    offset: float = 0.0
    stay_covered: bool = True

    def __post_init__(self) -> None:
        offset, paper = self.offset, self.rules.paper
        for fill in self.chooser.fills:
            self.require_one_of(FILLS, 'fill', fill)
            own = fill in REFERENCE_FILLS or self.chooser.drawn == 'mixed'
            words = ' or '.join(REFERENCE_FILLS)
            self.require(own or not paper, 'fill', NOT_PAPER % words, fill)
        self.require_one_of(PLACES, 'place', self.place)
        self.require_probability('prob', self.prob)
        fits = isinstance(offset, int | float) and 0 <= offset < math.inf
        fits = fits and (offset <= 1 or not self.stay_covered)
        words = (
            "must be a fraction of the disc's radius from 0 to 1, or above 1 "
            'with stay_covered=False'
        )
        self.require(fits, 'offset', words)
        self.require_one_of(LABELS, 'label', self.label)
        other = 'paper_exact' if paper else 'remove_keypoints'
        words = f'contradicts {other}=True: leave out one of them'
        removes = paper or self.remove_keypoints
        self.require(self.label == 'keep' or not removes, 'label', words)
        if paper:
            there, size = self.place == TARGET, self.size
            self.require(there, 'place', NOT_PAPER % 'the target')
            self.require(not offset, 'offset', NOT_PAPER % '0')
            words = 'must be a whole number of pixels with paper_exact=True'
            whole = isinstance(size.radius, int)
            self.require(whole, 'size', words, size.plain)

    @cached_property
    def numbers(self) -> int:
        """Random numbers that each person takes; the last one is of fill,
        place and offset where these are random."""
        random = any(FILLS[fill].random for fill in self.chooser.fills)
        random = random or self.place != TARGET or self.offset > 0
        return self.chooser.numbers + random

    def draw(
        self, keys: Sequence[tuple[int, int]], seed: int | None, call: int = 0
    ) -> Array:
        """Random numbers of each person, (N, numbers) in [0, 1).

        Without a seed they are of NumPy's global generator, which MMEngine
        seeds in each worker; with one they depend on it, on the person's key
        (image id, annotation id), and on ``call``, the number of earlier
        occlusions of the image, where it is not 0.
        """
        shape = len(keys), self.numbers
        random = self.chooser.drawn or self.numbers > self.chooser.numbers
        if self.prob == 1 and not random:
            return np.zeros(shape)
        if seed is None:
            return np.random.random(shape)  # noqa: NPY002
        later = [call] if call else []
        drawn = [
            np.random.default_rng([seed, *key, *later]).random(self.numbers)
            for key in keys
        ]
        return np.reshape(drawn, shape)

    def apply(
        self, image: Array, around: Surroundings, numbers: Array, call: int = 0
    ) -> tuple[list[Record], Any]:
        """Hide the targets in an image ``(H, W, C)`` or ``(H, W)``, in place,
        by the ``numbers`` from :meth:`draw`; returns a record of each target,
        and whose label changes, ``(N, K)`` bool or False."""
        turn = 0
        patches: list[Patch] = []
        records: list[Record] = []
        removed: Any = False
        for i, mine in enumerate(numbers.tolist()):
            if mine[0] >= self.prob:  # most samples: their people are not read
                records += self.leave(call, i)
                continue
            person, parts_of = around.people[i], self.rules.random_parts
            chosen = self.chooser.choose(person, mine, parts_of)
            if isinstance(chosen, str):
                records += self.leave(call, i, chosen)
                continue
            for target, fill in chosen:
                record = self._record(call, i, target, fill, turn)
                records.append(record)
                patch: Patch | str | None
                patch = self._patch(image, around, record, mine)
                if isinstance(patch, str):
                    record['reason'], patch = patch, None
                removed = removed | self._note_joints(
                    record, patch, around.people, image.shape
                )
                if patch is not None and self.rules.paper:
                    patch.apply(image)
                    turn += 1
                elif patch is not None:
                    patches.append(patch)
        for patch in patches:
            patch.apply(image)
        return records, removed

    def leave(
        self, call: int, instance: int | None, reason: str = ''
    ) -> list[Record]:
        """Records of a person, or an image, that is left alone: at random
        where no other reason is given."""
        reason = reason or f'left out at random, prob={self.prob}'
        fill, targets = self.chooser.fills[0], self.chooser.label
        records = [self._record(call, instance, t, fill) for t in targets]
        for record in records:
            record['reason'] = reason
        return records

    def _record(
        self, call: int, index: Any, target: Target, fill: str, turn: int = 0
    ) -> Record:
        who = dict(call=call, turn=turn, instance=index)
        what = dict(kind=target.kind, target=target.name, fill=fill)
        where = dict(place=self.place, region=None, paint=None, box=None)
        joints: dict[str, list] = dict(targets=[], bystanders=[], removed=[])
        done = dict(reason=None, excluded=False)
        label = {} if self.label == 'keep' else dict(label=self.label)
        record = Record(transform=self.name, **who, **what, **where, pixels=0)
        record.update(**joints, **done, **label)
        return record

    def region(
        self, person: Person, target: Target, shape: tuple[int, ...]
    ) -> Region | str:
        """The region of a target, or why it has none."""
        kind, name = target
        if kind == CELL:
            return cell_box(person, name, self.size.fraction)
        if kind == PART:
            if not person.points_of(person.skeleton.parts[name]):
                return f'no joint of the {name} is available'
            return self.rules.part_box(person, name, shape)
        if name not in person.points:
            (k,) = target.joints(person.skeleton)
            return f'{name} {self.rules.obstacle(bool(person.labelled[k]))}'
        if self.size.fraction is None:
            assert self.size.radius is not None
            return self.rules.disc(person, name, self.size.radius, shape)
        radius = self.size.fraction * person.height_in(shape[0]) / 2
        radius = max(radius, math.sqrt(0.5))  # at least the joint's pixel
        return Disc(person.points[name], radius)

    def _patch(
        self, image: Array, around: Surroundings, record: Record, mine: list
    ) -> Patch | str:
        """The patch of one target, or why there is none; notes in its record
        what it did."""
        target = Target(record['kind'], record['target'])
        index, name, rules = record['instance'], target.name, self.rules
        person = around.people[index]
        skeleton = person.skeleton
        whole = rules.paper and self.chooser.drawn == 'mixed'
        if whole and not all(map(person.points.get, skeleton.parts[name])):
            return f'not all joints of the {name} available'
        region = self.region(person, target, image.shape)
        if isinstance(region, str):
            return region
        kind = FILLS[record['fill']]
        offset, rng = None, _NO_DRAWS
        if self.numbers > self.chooser.numbers:
            # from the last number; a different one for each target
            key = [int(mine[-1] * 2**53), zlib.crc32(name.encode())]
            rng = np.random.default_rng(key)
        if self.offset and isinstance(region, Disc):
            (x, y), pair = region.center, rng.random(2)
            region = move_aside(region, self.offset, self.stay_covered, pair)
            offset = [region.center[0] - x, region.center[1] - y]
        record['region'] = region.to_record()
        if self.place != TARGET:
            moved = around.move(region, self.place, index, rng.random())
            if moved is None:
                record['excluded'] = True
                return NOWHERE[self.place]
            region = moved
            record['region'] = region.to_record()
        paint: Paint | str
        if kind is Donor:
            paint = around.donor(index, target, mine, rng)
            if isinstance(paint, str):
                return paint
        else:
            seed = int(rng.integers(2**31)) if kind.random else 0
            ksize = rules.ksize(person, region)
            request = Request(image, ksize, seed, rules.paper)
            paint = kind.resolve(record['fill'], request)
        patch = make_patch(image, region, paint)
        if patch is None:
            return 'its region has no pixel here'
        record['paint'] = paint.to_record()
        record['box'] = list(patch.box)
        record['pixels'] = int(np.count_nonzero(patch.mask))
        if offset:
            record['offset'] = offset
        return patch

    def _note_joints(
        self,
        record: Record,
        patch: Patch | None,
        people: Sequence[Person],
        shape: tuple[int, ...],
    ) -> Any:
        """Note in a target's record which joints lie under its patch and
        which lose their label; returns whose label changes, ``(N, K)`` bool
        or False."""
        index, name = record['instance'], record['target']
        kind, skeleton = record['kind'], people[index].skeleton
        names, own = skeleton.names, Target(kind, name).joints(skeleton)
        hidden = []
        if patch is not None:
            for n, person in enumerate(people):
                under = patch.joints_under(person.points, shape)
                hidden += [(n, skeleton.joint_index(joint)) for joint in under]
        known = [(n, k) for n, k in hidden if people[n].labelled[k]]
        for n, k in known:
            # a control asks for no joint
            asked = self.place == TARGET and n == index and k in own
            record['targets' if asked else 'bystanders'].append([n, names[k]])
        changed: Any = False
        if self.label != 'keep':
            changed = _mask(known, (len(people), len(names)))
        if self.label == 'drop':
            record['removed'] = record['targets'] + record['bystanders']
        mixed_none = self.chooser.drawn == 'mixed' and patch is None
        if self.remove_keypoints and kind == PART and not mixed_none:
            under_paint = _mask(hidden, (len(people), len(names)))
            person = people[index]
            changed = self.rules.removed(person, index, name, under_paint)
            record['removed'] = [
                [n, names[k]]
                for n, k in np.argwhere(changed).tolist()
                if people[n].labelled[k]
            ]
        return changed


def _mask(joints: list[tuple[int, int]], shape: tuple[int, int]) -> Array:
    """``(N, K)`` bool: the joints, index of the person and of the joint."""
    out = np.zeros(shape, bool)
    for joint in joints:
        out[joint] = True
    return out
