"""What keypoint and part occlusions have in common."""

import zlib
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmpose_occlusion.occlusion import (
    FILLS,
    OFF_PERSON,
    ON_PERSON,
    PLACES,
    REFERENCE_FILLS,
    CorrectedRules,
    PaperRules,
    Patch,
    Person,
    make_patch,
    make_record,
)
from mmpose_occlusion.occlusion.controls import TARGET, move_elsewhere
from mmpose_occlusion.occlusion.joints_under import Joints
from mmpose_occlusion.occlusion.paint import DRAWN_FILLS
from mmpose_occlusion.occlusion.region import Region
from mmpose_occlusion.skeleton import Skeleton

from .donor_patches import Donation, donors_of, is_of, others
from .person_mask import person_pixels, photo_pixels
from .results_reader import MATCHED_KEY, Scene, SceneReader, keys_of

DONOR_TRIES = 8
"""Donors that are tried for a patch."""

_CERTAIN = np.zeros((1, 1))
"""Numbers of a person where none decides anything but the first, which is
less than any probability."""

_WHERE = {ON_PERSON: 'on the person', OFF_PERSON: 'off the person'}


class Attempt(NamedTuple):
    """What became of one target: a patch, or a reason why there is none."""

    region: Region | None = None
    paint: dict | None = None
    patch: Patch | None = None
    reason: str | None = None
    excluded: bool = False


class Canvas:
    """Collects patches and paints them into a picture.

    Args:
        image: The picture.
        inplace: Paint into it, not into a copy.
        in_turn: Paint each patch at once, so that the next one is made from
            the picture that it left; else all are made from the picture as
            it came.
    """

    def __init__(
        self, image: np.ndarray, inplace: bool, in_turn: bool
    ) -> None:
        self.source = image
        self.turns = 0
        self._inplace = inplace
        self._in_turn = in_turn
        self._patches: list[Patch] = []
        self._mean: dict | None = None

    def paint(
        self, rules: CorrectedRules, fill: str, ksize: int, seed: int
    ) -> dict:
        """Settle what is painted; the picture's mean is the same for all
        patches that are made from it."""
        if fill != 'mean':
            return rules.make_paint(self.source, fill, ksize, seed)
        if self._mean is None:
            self._mean = rules.make_paint(self.source, fill, ksize, seed)
        return dict(self._mean)

    def add(self, patch: Patch | None) -> None:
        if patch is None:
            return
        self._patches.append(patch)
        if self._in_turn:
            self.source = self.finish()
            self._inplace = True
            self._mean = None
            self.turns += 1

    def finish(self) -> np.ndarray:
        """The painted picture; the one that came if there are no patches."""
        if not self._patches:
            return self.source
        out = self.source if self._inplace else self.source.copy()
        for patch in self._patches:
            patch.apply(out)
        self._patches = []
        return out


class Occlusion(BaseTransform):
    """Hide targets of every person in a picture; see its two children.

    One call draws all of its random numbers, makes all patches from the
    picture as it came, paints them in order and appends its records.
    """

    kind: str
    """Kind of target: ``keypoint``, ``part`` or ``target`` for either."""

    random_targets: tuple[str, ...]
    """Values of ``target`` that are drawn for each person."""

    num_draws = 2
    """Random numbers for each instance: whether, and what. One more follows
    for a fill or a place that leaves something to chance."""

    remove_keypoints = False

    donor_parts: tuple[str, ...] = ()
    """Targets of the donors of a patch, where the data set has them."""

    def __init__(
        self,
        target: str | Sequence[str] = 'random',
        fill: str = 'blur',
        prob: float = 1.0,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        parts: Mapping[str, Sequence[str]] | None = None,
        place: str = TARGET,
    ) -> None:
        self.paper_exact = paper_exact
        self._check_fill(fill)
        if place not in PLACES:
            raise ValueError(
                f'{self._who}: place={place!r} is unknown; it is '
                f'one of {", ".join(PLACES)}.'
            )
        if paper_exact and place != TARGET:
            raise ValueError(
                f"{self._who}: place={place!r} is not the reference's, "
                'which has no controls: leave out paper_exact=True.'
            )
        self._check_probability('prob', prob)
        if seed is not None and (not isinstance(seed, int) or seed < 0):
            raise ValueError(
                f'{self._who}: seed={seed!r} must be None or a '
                'whole number that is not negative.'
            )
        self.target = target
        self.fill = fill
        self.prob = prob
        self.seed = seed
        self.inplace = inplace
        self.parts = parts
        self.place = place
        self.num_draws = self.num_draws + self._leaves_to_chance(fill)
        self._names = self._parse(target)
        self._certain = bool(
            prob == 1 and self._names and not self._leaves_to_chance(fill)
        )
        self._rules = PaperRules() if paper_exact else CorrectedRules()
        self._reader = SceneReader(
            self._who, self._rules, parts, crops_only=paper_exact
        )
        self._donation = Donation(self._who, self._rules, self._region)
        self._known: Skeleton | None = None

    @property
    def _who(self) -> str:
        return type(self).__name__

    def _check_fill(self, fill: object) -> None:
        if fill not in FILLS:
            raise ValueError(
                f'{self._who}: fill={fill!r} is unknown; it is '
                f'one of {", ".join(FILLS)}.'
            )
        if self.paper_exact and fill not in REFERENCE_FILLS:
            raise ValueError(
                f"{self._who}: fill={fill!r} is not the reference's, which "
                f'are {", ".join(REFERENCE_FILLS)}: leave out '
                'paper_exact=True.'
            )

    def _leaves_to_chance(self, *fills: str) -> bool:
        """Whether one of these fills, or the place, needs a number."""
        return self.place != TARGET or any(f in DRAWN_FILLS for f in fills)

    def _check_probability(self, name: str, value: float) -> None:
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ValueError(
                f'{self._who}: {name}={value!r} must be a probability '
                'between 0 and 1.'
            )

    def _check_radius(self, radius: float) -> None:
        if not isinstance(radius, int | float) or not 0 < radius < 1e4:
            raise ValueError(
                f'{self._who}: radius={radius!r} must be a '
                'positive number of pixels at height 256.'
            )
        if self.paper_exact and radius != int(radius):
            raise ValueError(
                f'{self._who}: radius={radius!r} must be a '
                'whole number of pixels with paper_exact=True.'
            )

    def _parse(self, target: str | Sequence[str]) -> tuple[str, ...]:
        """Targets without their prefix; () where they are drawn."""
        if isinstance(target, str):
            if target in self.random_targets:
                return ()
            target = [target]
        if (
            not isinstance(target, Sequence)
            or not target
            or not all(isinstance(name, str) for name in target)
        ):
            raise ValueError(
                f'{self._who}: target={target!r} must be a '
                f"{self.kind}'s name, a list of names, or "
                f'{" or ".join(map(repr, self.random_targets))}.'
            )
        names = []
        for name in target:
            prefix, colon, rest = name.rpartition(':')
            if colon and prefix != self.kind:
                raise ValueError(
                    f'{self._who} hides a {self.kind}, but target={name!r} '
                    f'names a {prefix}; use the transform for that.'
                )
            names.append(rest)
        return tuple(names)

    def transform(self, results: dict) -> dict:
        """Hide the targets in ``results['img']``; see the class."""
        scene = self._reader.read(results)
        earlier = results.get('occlusions', [])
        call = earlier[-1]['call'] + 1 if earlier else 0
        if scene.count:
            records = self._occlude(results, scene, call)
        else:
            records = self._refrain(call, None, scene.reason)
        results['occlusions'] = [*earlier, *records]
        return results

    def _occlude(self, results: dict, scene: Scene, call: int) -> list[dict]:
        self._check(scene.skeleton)
        canvas = Canvas(results['img'], self.inplace, in_turn=self.paper_exact)
        removed: Joints = []
        draws = self._draws(results, scene.count, call)
        records = []
        for i in range(scene.count):
            numbers = draws[i % len(draws)]
            targets = (
                self._choose(scene.people[i], numbers)
                if numbers[0] < self.prob
                else f'not drawn (prob={self.prob})'
            )
            if isinstance(targets, str):
                records += self._refrain(call, i, targets)
                continue
            for name, fill in targets:
                attempt = self._attempt(
                    results, canvas, scene, i, name, fill, numbers
                )
                under = scene.hidden(attempt.patch)
                gone = self._gone(scene.people[i], i, name, attempt, under)
                removed += gone
                records.append(
                    make_record(
                        transform=self._who,
                        call=call,
                        turn=canvas.turns,
                        instance=i,
                        name=self._full_name(name),
                        fill=fill,
                        place=self.place,
                        region=attempt.region,
                        paint=attempt.paint,
                        patch=attempt.patch,
                        hidden=_listed(under, scene),
                        removed=_listed(gone, scene),
                        reason=attempt.reason,
                        excluded=attempt.excluded,
                    )
                )
                canvas.add(attempt.patch)
        results['img'] = canvas.finish()
        if removed:
            self._remove(results, scene, removed)
        return records

    def _draws(
        self, results: dict, count: int, call: int
    ) -> Sequence[np.ndarray]:
        """The numbers of each person, see :meth:`_draw`; where nothing is
        left to chance, one set for all."""
        if self._certain:
            return _CERTAIN
        if self.seed is None:
            return self._draw([(0, 0)] * count, call)
        return self._draw(keys_of(results, count), call)

    @cache_randomness
    def _draw(self, keys: list[tuple[int, int]], call: int) -> np.ndarray:
        """Numbers in [0, 1) for each instance, the first of which says
        whether it is occluded: (N, num_draws).

        Keyed by (seed, image id, annotation id), and by the number of
        earlier calls where there are any, so that two occlusions in one
        pipeline draw independently; without a seed from NumPy's global
        generator, which MMEngine seeds in every worker.
        """
        if self.seed is None:
            return np.random.random(  # noqa: NPY002
                (len(keys), self.num_draws)
            )
        later = [call] if call else []
        return np.array(
            [
                np.random.default_rng([self.seed, *key, *later]).random(
                    self.num_draws
                )
                for key in keys
            ]
        )

    def _choose(
        self, person: Person, numbers: np.ndarray
    ) -> list[tuple[str, str]] | str:
        """Name and fill of each target, or why there is none."""
        if self._names:
            return [(name, self.fill) for name in self._names]
        candidates = self._candidates(person)
        if not candidates:
            return f'this person has no available {self.kind}'
        return [(candidates[int(numbers[1] * len(candidates))], self.fill)]

    def _attempt(
        self,
        results: dict,
        canvas: Canvas,
        scene: Scene,
        index: int,
        name: str,
        fill: str,
        numbers: np.ndarray,
    ) -> Attempt:
        """Make the patch of one target of one person."""
        person = scene.people[index]
        region = self._region(person, name, scene.shape)
        if isinstance(region, str):
            return Attempt(reason=region)
        seed = 0
        if self._leaves_to_chance(fill):
            rng = _generator(numbers, name)
            if self.place != TARGET:
                control = self._control(results, scene, index, region, rng)
                if control is None:
                    where = _WHERE[self.place]
                    reason = f'the same region fits nowhere {where}'
                    return Attempt(region, reason=reason, excluded=True)
                region = control
            if fill == 'donor':
                return self._donate(
                    results, canvas.source, scene, index, name, region, rng
                )
            seed = int(rng.integers(2**31))
        ksize = self._ksize(person, region)
        paint = canvas.paint(self._rules, fill, ksize, seed)
        patch = make_patch(canvas.source, region, paint)
        if patch is None:
            return Attempt(region, reason='its region has no pixel here')
        return Attempt(region, paint, patch)

    def _control(
        self,
        results: dict,
        scene: Scene,
        index: int,
        region: Region,
        rng: np.random.Generator,
    ) -> Region | None:
        """The region somewhere else; None where it fits nowhere."""
        return move_elsewhere(
            region,
            self.place,
            person_pixels(results, scene, index),
            photo_pixels(results, scene.shape),
            rng.random(),
        )

    def _donate(
        self,
        results: dict,
        image: np.ndarray,
        scene: Scene,
        index: int,
        name: str,
        region: Region,
        rng: np.random.Generator,
    ) -> Attempt:
        """Paste another target of somebody else."""
        person = scene.people[index]
        skeleton = person.skeleton
        known = others(name, self.donor_parts, self._targets(skeleton))
        if not known:
            return Attempt(region, reason=f'there is no other {self.kind}')
        target = known[rng.integers(len(known))]
        donors = donors_of(results, self._who)
        found = self._donation.find(
            donors,
            donors.rows_with(self._index(skeleton, target)),
            rng.random(DONOR_TRIES),
            target,
            skeleton,
            own=is_of(results, index),
            zoom=person.zoom,
        )
        if found is None:
            return Attempt(
                region,
                reason=f'no donor of a {target} found in {DONOR_TRIES} tries',
            )
        paint, source = found
        return Attempt(region, paint, make_patch(image, region, paint, source))

    def _gone(
        self,
        person: Person,
        index: int,
        name: str,
        attempt: Attempt,
        under: Joints,
    ) -> Joints:
        """Joints that lose their label with a target, of those ``under`` its
        paint or others."""
        if not self.remove_keypoints:
            return []
        return self._rules.removed(person, index, name, under)

    def _refrain(
        self, call: int, instance: int | None, reason: str
    ) -> list[dict]:
        """Records of targets that were not tried."""
        return [
            make_record(
                transform=self._who,
                call=call,
                instance=instance,
                name=self._full_name(name),
                fill=self.fill,
                place=self.place,
                reason=reason,
            )
            for name in self._names or (self.target,)
        ]

    def _full_name(self, name: str) -> str:
        """A target's name in the records."""
        return f'{self.kind}:{name}'

    def _check(self, skeleton: Skeleton | None) -> None:
        """Refuse names that the data set lacks, once per data set."""
        if skeleton is not None and skeleton is not self._known:
            for name in self._names:
                self._index(skeleton, name)
            self._known = skeleton

    def _remove(self, results: dict, scene: Scene, removed: Joints) -> None:
        """Joints lose their weight, in both channels where there are two;
        under ``paper_exact`` their coordinates as well."""
        source = results[MATCHED_KEY] if scene.matched else results
        index = scene.people[0].skeleton.joint_index
        rows = [i for i, _ in removed]
        joints = [index(name) for _, name in removed]
        left = {}
        keys = ['keypoints_visible']
        if self.paper_exact:
            keys.append(scene.joints_key)
        for key in keys:
            left[key] = source[key].copy()
            left[key][rows, joints] = 0
        if scene.matched:
            results[MATCHED_KEY] = {**source, **left}
        else:
            results.update(left)

    @abstractmethod
    def _candidates(self, person: Person) -> list[str]:
        """What a random draw chooses from."""

    @abstractmethod
    def _region(
        self, person: Person, name: str, shape: tuple[int, ...]
    ) -> Region | str:
        """The region of a target, or why it has none."""

    @abstractmethod
    def _ksize(self, person: Person, region: Region) -> int:
        """Kernel size of the blur."""

    @abstractmethod
    def _index(self, skeleton: Skeleton, name: str) -> tuple[int, ...]:
        """A target's joints; ValueError where the data set lacks it."""

    @abstractmethod
    def _targets(self, skeleton: Skeleton) -> Sequence[str]:
        """All targets that a data set has."""


def _generator(numbers: np.ndarray, name: str) -> np.random.Generator:
    """What a fill or a place leaves to chance, from the last of a person's
    numbers, and another for each target."""
    number = int(float(numbers[-1]) * 2**53)
    return np.random.default_rng([number, zlib.crc32(name.encode())])


def _listed(joints: Joints, scene: Scene) -> list[list]:
    """``[instance, joint]`` of those that are labelled."""
    return [
        [i, joint]
        for i, joint in joints
        if scene.people[i].labelled[
            scene.people[i].skeleton.joint_index(joint)
        ]
    ]
