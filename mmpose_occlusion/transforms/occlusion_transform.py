"""What all occlusions do with MMPose's ``results``."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.datasets.transforms import LoadImage

from mmpose_occlusion.occlusion import (
    FILLS,
    PLACES,
    REFERENCE_FILLS,
    CorrectedRules,
    DiscSize,
    Named,
    Occlusion,
    PaperRules,
    Target,
)
from mmpose_occlusion.occlusion.placement import TARGET
from mmpose_occlusion.occlusion.regions import Joint
from mmpose_occlusion.occlusion.targets import Chooser
from mmpose_occlusion.skeleton import Skeleton

from .results_reader import (
    MATCHED_KEY,
    SampleJoints,
    read_sample,
    sample_keys,
)
from .sample_surroundings import SampleSurroundings


class OcclusionTransform(BaseTransform):
    """An :class:`mmpose_occlusion.occlusion.Occlusion` in a pipeline.

    Its children check their arguments with the methods here and hand over an
    occlusion; all arguments become attributes, which ``repr`` shows.

    Args:
        occlusion: What is done.
        arguments: Of the child, by name.
        backend_args: Where donors' files are, as in MMPose's ``LoadImage``.
    """

    def __init__(
        self,
        occlusion: Occlusion,
        arguments: Mapping[str, Any],
        backend_args: dict | None = None,
    ) -> None:
        self._arguments = tuple(arguments)
        for name, value in arguments.items():
            setattr(self, name, value)
        self.seed = arguments.get('seed')
        self.inplace = arguments.get('inplace', False)
        self.paper_exact = arguments.get('paper_exact', False)
        self.parts = arguments.get('parts')
        self.occlusion = occlusion
        self._load = LoadImage(backend_args=backend_args)
        self._known: Skeleton | None = None

    def transform(self, results: dict) -> dict:
        """Hide the targets in ``results['img']``; see the class."""
        who = self.occlusion.name
        sample = read_sample(results, who, self.parts, self.paper_exact)
        earlier = results.get('occlusions', [])
        call = earlier[-1]['call'] + 1 if earlier else 0
        if sample.skeleton is None:
            records = self.occlusion.refrain(call, None, sample.reason)
        else:
            records = self._occlude(results, sample, call)
        results['occlusions'] = [*earlier, *records]
        return results

    def _occlude(
        self, results: dict, sample: SampleJoints, call: int
    ) -> list[dict]:
        self._check_names(sample.skeleton)
        occlusion, count = self.occlusion, sample.count
        keys = (
            [(0, 0)] * count
            if self.seed is None
            else sample_keys(results, count)
        )
        numbers = self._draw(keys, call)
        if not (numbers[:, 0] < occlusion.prob).any():
            # most samples of a training: their people are not read
            reason = f'not drawn (prob={occlusion.prob})'
            return [
                record
                for i in range(count)
                for record in occlusion.refrain(call, i, reason)
            ]
        people = sample.people(results, occlusion.rules, occlusion.name)
        outcome = occlusion.apply(
            results['img'],
            people,
            numbers,
            SampleSurroundings(results, people, occlusion, self._load),
            call,
            self.inplace,
        )
        results['img'] = outcome.image
        if outcome.removed:
            self._remove(results, sample, outcome.removed)
        return outcome.records

    @cache_randomness
    def _draw(self, keys: list[tuple[int, int]], call: int) -> np.ndarray:
        """See :meth:`mmpose_occlusion.occlusion.Occlusion.draw`."""
        return self.occlusion.draw(keys, self.seed, call)

    def _check_names(self, skeleton: Skeleton | None) -> None:
        """Refuse names that the data set lacks, once per data set."""
        chooser = self.occlusion.chooser
        if skeleton is None or skeleton is self._known:
            return
        if isinstance(chooser, Named):
            for target in chooser.targets:
                target.joints(skeleton)
        self._known = skeleton

    def _remove(
        self, results: dict, sample: SampleJoints, removed: list[Joint]
    ) -> None:
        """Joints lose their weight, in both channels where there are two;
        under ``paper_exact`` their coordinates as well."""
        assert sample.skeleton is not None
        rows = [i for i, _ in removed]
        joints = [sample.skeleton.joint_index(name) for _, name in removed]
        changed = {}
        keys = ['keypoints_visible']
        if self.paper_exact:
            keys.append(sample.key)
        for key in keys:
            changed[key] = np.array(sample.source[key])
            changed[key][rows, joints] = 0
        if sample.matched:
            results[MATCHED_KEY] = {**sample.source, **changed}
        else:
            results.update(changed)

    def __repr__(self) -> str:
        given = (f'{n}={getattr(self, n)!r}' for n in self._arguments)
        return f'{type(self).__name__}({", ".join(given)})'


def make_occlusion(
    chooser: Chooser,
    name: str,
    *,
    size: Any,
    prob: float,
    seed: int | None,
    paper_exact: bool,
    place: str = TARGET,
    remove_keypoints: bool = False,
    make: type[Occlusion] = Occlusion,
    **others: Any,
) -> Occlusion:
    """Check the arguments that transforms share, and make their occlusion.

    Raises:
        ValueError: One does not fit; the sentence begins with ``name``.
    """
    for fill in chooser.fills:
        if fill not in FILLS:
            raise ValueError(
                f'{name}: fill={fill!r} is unknown; it is one of '
                f'{", ".join(FILLS)}.'
            )
        if paper_exact and make is Occlusion and fill not in REFERENCE_FILLS:
            raise ValueError(
                f"{name}: fill={fill!r} is not the reference's, which are "
                f'{", ".join(REFERENCE_FILLS)}: leave out paper_exact=True.'
            )
    if place not in PLACES:
        raise ValueError(
            f'{name}: place={place!r} is unknown; it is one of '
            f'{", ".join(PLACES)}.'
        )
    if paper_exact and place != TARGET:
        raise ValueError(
            f"{name}: place={place!r} is not the reference's, which has no "
            'controls: leave out paper_exact=True.'
        )
    check_probability(name, 'prob', prob)
    if seed is not None and (
        isinstance(seed, bool)
        or not isinstance(seed, int | np.integer)
        or seed < 0
    ):
        raise ValueError(
            f'{name}: seed={seed!r} must be None or a whole number that is '
            'not negative.'
        )
    try:
        disc = DiscSize.of(size)
    except ValueError as error:
        raise ValueError(f'{name}: {error}.') from None
    radius = disc.radius
    if paper_exact and (radius is None or radius != int(radius)):
        raise ValueError(
            f'{name}: size={size!r} must be a whole number of pixels with '
            'paper_exact=True.'
        )
    return make(
        chooser,
        disc,
        place,
        prob,
        PaperRules() if paper_exact else CorrectedRules(),
        remove_keypoints,
        in_turn=paper_exact,
        name=name,
        **others,
    )


def check_probability(name: str, argument: str, value: Any) -> None:
    """Refuse what is no probability."""
    if not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(
            f'{name}: {argument}={value!r} must be a probability between 0 '
            'and 1.'
        )


def read_targets(
    name: str, kind: str, target: Any, words: Sequence[str]
) -> tuple[Target, ...]:
    """The targets that are named; () for one of the random ``words``.

    Args:
        name: Of the transform.
        kind: Of the targets.
        target: A name or a list of names, each with or without the prefix
            ``KIND:``.
        words: Random targets.

    Raises:
        ValueError: It is neither.
    """
    if isinstance(target, str):
        if target in words:
            return ()
        target = [target]
    if (
        not isinstance(target, Sequence)
        or not target
        or not all(isinstance(one, str) for one in target)
    ):
        raise ValueError(
            f"{name}: target={target!r} must be a {kind}'s name, a list of "
            f'names, or {" or ".join(map(repr, words))}.'
        )
    out = []
    for one in target:
        prefix, colon, rest = one.rpartition(':')
        if colon and prefix != kind:
            raise ValueError(
                f'{name} hides a {kind}, but target={one!r} names a '
                f'{prefix}; use the transform for that.'
            )
        out.append(Target(kind, rest))
    return tuple(out)
