"""What keypoint and part occlusions have in common."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from mmpose_occlusion.occluders import (
    FILLS,
    CorrectedRules,
    PaperRules,
    Person,
    hidden,
    make_patch,
    make_record,
)
from mmpose_occlusion.occluders.region import Region
from mmpose_occlusion.skeleton import Skeleton

from .scene import Scene, read_scene


class Occlusion(BaseTransform):
    """Hide targets of every person in a picture; see its two children.

    One call draws all of its random numbers, makes all patches from the
    picture as it came, paints them in order and appends its records.
    """

    kind: str
    """Kind of target: ``keypoint`` or ``part``."""

    random_targets: tuple[str, ...]
    """Values of ``target`` that are drawn for each person."""

    remove_keypoints = False

    def __init__(
        self,
        target: str | Sequence[str] = 'random',
        fill: str = 'blur',
        prob: float = 1.0,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
        parts: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        if fill not in FILLS:
            raise ValueError(
                f'{self._who}: fill={fill!r} is unknown; it is '
                f'one of {", ".join(FILLS)}.'
            )
        if not isinstance(prob, int | float) or not 0 <= prob <= 1:
            raise ValueError(
                f'{self._who}: prob={prob!r} must be a '
                'probability between 0 and 1.'
            )
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
        self.paper_exact = paper_exact
        self.parts = parts
        self._names = self._parse(target)
        self._rules = PaperRules() if paper_exact else CorrectedRules()
        self._known: Skeleton | None = None

    @property
    def _who(self) -> str:
        return type(self).__name__

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
        scene = read_scene(
            results,
            self._who,
            self._rules,
            self.parts,
            crops_only=self.paper_exact,
        )
        earlier = results.get('occlusions', [])
        call = earlier[-1]['call'] + 1 if earlier else 0
        if not scene.people:
            records = [
                self._record(
                    call,
                    None,
                    self._label(),
                    reason='there is nobody in this picture',
                )
            ]
        else:
            records = self._occlude(results, scene, call)
        results['occlusions'] = [*earlier, *records]
        return results

    def _occlude(self, results: dict, scene: Scene, call: int) -> list[dict]:
        self._check(scene.people[0].skeleton)
        image = results['img']
        draws = self._draw(scene.keys, call)
        records, patches = [], []
        removed = np.zeros((len(scene.people), len(scene.people[0].xy)), bool)
        for i, person in enumerate(scene.people):
            drawn, choice = draws[i % len(draws)]
            for name in self._targets(person, drawn, choice):
                region = self._locate(person, name, drawn, scene.shape)
                label = self._label(name)
                if isinstance(region, str):
                    records.append(self._record(call, i, label, reason=region))
                    continue
                paint = self._rules.make_paint(
                    image, self.fill, self._ksize(person, region)
                )
                patch = make_patch(image, region, paint)
                if patch is None:
                    records.append(
                        self._record(
                            call,
                            i,
                            label,
                            region=region,
                            reason='its region has no pixel in this picture',
                        )
                    )
                    continue
                gone = np.zeros_like(removed)
                if self.remove_keypoints:
                    gone = self._rules.removed(
                        scene.people, i, name, patch, scene.shape
                    )
                    removed |= gone
                patches.append(patch)
                records.append(
                    self._record(
                        call,
                        i,
                        label,
                        region=region,
                        paint=paint,
                        patch=patch,
                        hidden=_listed(
                            hidden(scene.people, patch, scene.shape), scene
                        ),
                        removed=_listed(gone, scene),
                    )
                )
        if patches:
            out = image if self.inplace else image.copy()
            for patch in patches:
                patch.apply(out)
            results['img'] = out
        if removed.any():
            self._remove(results, scene, removed)
        return records

    @cache_randomness
    def _draw(self, keys: list[tuple[int, int]], call: int) -> np.ndarray:
        """Two numbers in [0, 1) per instance: whether, and what.

        Keyed by (seed, image id, annotation id), and by the number of
        earlier calls where there are any, so that two occlusions in one
        pipeline draw independently; without a seed from NumPy's global
        generator, which MMEngine seeds in every worker.
        """
        if self.seed is None:
            return np.random.random((len(keys), 2))  # noqa: NPY002
        later = [call] if call else []
        return np.array(
            [
                np.random.default_rng([self.seed, *key, *later]).random(2)
                for key in keys
            ]
        )

    def _targets(
        self, person: Person, drawn: float, choice: float
    ) -> Sequence[str | None]:
        """Names of what to hide; None where nothing could be drawn."""
        if self._names:
            return self._names
        if drawn >= self.prob:
            return (None,)
        candidates = self._candidates(person)
        if not candidates:
            return (None,)
        return (candidates[int(choice * len(candidates))],)

    def _locate(
        self,
        person: Person,
        name: str | None,
        drawn: float,
        shape: tuple[int, ...],
    ) -> Region | str:
        if drawn >= self.prob:
            return f'not drawn (prob={self.prob})'
        if name is None:
            return f'this person has no available {self.kind}'
        return self._region(person, name, shape)

    def _label(self, name: str | None = None) -> str:
        return f'{self.kind}:{name or self.target}'

    def _record(
        self, call: int, instance: int | None, name: str, **done
    ) -> dict:
        return make_record(
            transform=self._who,
            call=call,
            instance=instance,
            name=name,
            fill=self.fill,
            **done,
        )

    def _check(self, skeleton: Skeleton) -> None:
        """Refuse names that the data set lacks, once per data set."""
        if skeleton is not self._known:
            for name in self._names:
                self._index(skeleton, name)
            self._known = skeleton

    def _remove(
        self, results: dict, scene: Scene, removed: np.ndarray
    ) -> None:
        """Joints lose their weight, in both channels where there are two;
        under ``paper_exact`` their coordinates as well."""
        visible = results['keypoints_visible'].copy()
        visible[removed] = 0
        results['keypoints_visible'] = visible
        if self.paper_exact:
            joints = results[scene.joints_key].copy()
            joints[removed] = 0
            results[scene.joints_key] = joints

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
    def _index(self, skeleton: Skeleton, name: str) -> object:
        """Look a target up; ValueError where the data set lacks it."""


def _listed(mask: np.ndarray, scene: Scene) -> list[list]:
    """``[instance, joint]`` of the labelled joints of an (N, K) mask."""
    names = scene.people[0].skeleton.names
    return [
        [int(i), names[k]]
        for i, k in np.argwhere(mask)
        if scene.people[i].labelled[k]
    ]
