"""What all occlusions do with MMPose's ``results``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.datasets.transforms import LoadImage, PackPoseInputs

from mmpose_occlusion.occlusion import Occlusion, regions, targets
from mmpose_occlusion.occlusion.paints import FILLS, REFERENCE_FILLS
from mmpose_occlusion.occlusion.placement import PLACES, TARGET
from mmpose_occlusion.occlusion.rules import CorrectedRules, PaperRules

from .results_reader import MATCHED_KEY, Sample

LABELS = ('keep', 'occluded', 'drop')
"""What becomes of the labels of hidden joints."""

SHOWN = 'keypoints_visible_weights'
"""Key of (N, K) float32, 0 for joints hidden with ``label='occluded'``, in
``results`` after ``GenerateTarget`` and in ``gt_instances``; or absent."""

_WITHOUT = 'leave out paper_exact=True'


@dataclass(kw_only=True, eq=False)
class OcclusionTransform(BaseTransform):
    """An :class:`mmpose_occlusion.occlusion.Occlusion` in a pipeline.

    The fields of its children are their arguments, see
    :class:`.occlusions.KeypointOcclusion`; they are checked here.
    """

    prob: float = 1.0
    seed: int | None = None
    paper_exact: bool = False
    label: str = 'keep'

    # fields of some children
    size = None
    place = TARGET
    offset = 0.0
    stay_covered = True
    remove_keypoints = False
    parts = None
    backend_args = None

    def chooser(self) -> targets.Chooser:
        """Which targets the arguments describe."""
        raise NotImplementedError

    def __post_init__(self) -> None:
        chooser, exact = self.chooser(), self.paper_exact
        for fill in chooser.fills:
            self.require_one_of('fill', FILLS, fill)
            self.require(
                not exact
                or chooser.drawn == 'mixed'
                or fill in REFERENCE_FILLS,
                'fill',
                "is not the reference's, which are "
                f'{", ".join(REFERENCE_FILLS)}: {_WITHOUT}',
                fill,
            )
        self.require_one_of('place', PLACES)
        words = f"is not the reference's, which has no controls: {_WITHOUT}"
        self.require(not exact or self.place == TARGET, 'place', words)
        self.require_one_of('label', LABELS)
        other = 'paper_exact' if exact else 'remove_keypoints'
        words = f'contradicts {other}=True: leave out one of them'
        free = not exact and not self.remove_keypoints
        self.require(free or self.label == 'keep', 'label', words)
        self.require_probability('prob')
        seed = self.seed
        whole = isinstance(seed, int | np.integer) and type(seed) is not bool
        words = 'must be None or a whole number that is not negative'
        self.require(seed is None or (whole and seed >= 0), 'seed', words)
        size = self.size
        if size is None:
            size = regions.REFERENCE_RADIUS if exact else regions.DEFAULT_SIZE
        try:
            disc = regions.DiscSize.of(size)
        except ValueError as error:
            raise ValueError(f'{type(self).__name__}: {error}.') from None
        words = 'must be a whole number of pixels with paper_exact=True'
        whole = disc.radius is not None and disc.radius == int(disc.radius)
        self.require(not exact or whole, 'size', words)
        self.occlusion = Occlusion(
            chooser,
            disc,
            self.place,
            self.prob,
            PaperRules() if exact else CorrectedRules(),
            self.remove_keypoints,
            in_turn=exact,
            name=type(self).__name__,
            offset=self.offset,
            stay_covered=self.stay_covered,
        )
        self._load = LoadImage(backend_args=self.backend_args)

    def require(
        self, fits: Any, argument: str, why_not: str, value: Any = None
    ) -> None:
        """Raise a ValueError of one sentence unless an argument fits."""
        if not fits:
            value = getattr(self, argument) if value is None else value
            name = type(self).__name__
            raise ValueError(f'{name}: {argument}={value!r} {why_not}.')

    def require_one_of(
        self, argument: str, known: Any, value: Any = None
    ) -> None:
        one = getattr(self, argument) if value is None else value
        words = f'is unknown; it is one of {", ".join(known)}'
        self.require(one in known, argument, words, value)

    def require_probability(self, argument: str) -> None:
        value = getattr(self, argument)
        fits = isinstance(value, int | float) and 0 <= value <= 1
        words = 'must be a probability between 0 and 1'
        self.require(fits, argument, words)

    def require_count(self, argument: str) -> None:
        value = getattr(self, argument)
        words = 'must be a whole number of at least 1'
        self.require(isinstance(value, int) and value >= 1, argument, words)

    def by_name(self, kind: str) -> targets.Chooser:
        """The chooser of this kind of targets for the argument ``target``."""
        target: Any = self.target  # type: ignore[attr-defined]
        names = [target] if isinstance(target, str) else target
        or_words = ' or '.join(map(repr, targets.RANDOM_WORDS[kind]))
        self.require(
            isinstance(names, Sequence)
            and names
            and all(isinstance(one, str) for one in names),
            'target',
            f"must be a {kind}'s name, a list of names, or {or_words}",
        )
        return targets.chooser_of(kind, names, self.fill)  # type: ignore[attr-defined]

    def transform(self, results: dict) -> dict:
        """Hide the targets in ``results['img']``; see the class."""
        occlusion = self.occlusion
        sample = Sample(results, occlusion, self._load, self.parts)
        earlier = results.get('occlusions', [])
        call = earlier[-1]['call'] + 1 if earlier else 0
        removed: Sequence[regions.Joint] = ()
        if sample.skeleton is None:
            records = occlusion.leave(call, None, sample.reason)
        else:
            if not occlusion.chooser.drawn:
                for target in occlusion.chooser.label:
                    target.joints(sample.skeleton)  # refuses unknown names
            keys = sample.keys(zero=self.seed is None)
            # mmcv copies the wrapper at each access; it only matters while
            # draws are shared
            shared = hasattr(self, '_cache_enabled')
            draw = self._draw if shared else occlusion.draw
            numbers = draw(keys, self.seed, call)
            if any(one < occlusion.prob for one in numbers[:, 0].tolist()):
                results['img'] = results['img'].copy()
            records, removed = occlusion.apply(
                results['img'], sample, numbers, call
            )
        if self.label != 'keep':
            for record in records:
                hidden = record['targets'] + record['bystanders']
                removed = [*removed, *map(tuple, hidden)]
                record['label'] = self.label
                if self.label == 'drop':
                    record['removed'] = hidden
        if removed:
            self._relabel(results, sample, removed)
        results['occlusions'] = [*earlier, *records]
        return results

    @cache_randomness
    def _draw(
        self, keys: list[tuple[int, int]], seed: int | None, call: int
    ) -> np.ndarray:
        return self.occlusion.draw(keys, seed, call)

    def _relabel(
        self, results: dict, sample: Sample, joints: Sequence[regions.Joint]
    ) -> None:
        """Joints lose their weight, in both channels where there are two,
        and under ``paper_exact`` their coordinates; with
        ``label='occluded'`` only the second channel, which
        ``GenerateTarget`` makes to ``keypoints_visible_weights``."""
        people, names = zip(*joints, strict=True)
        at = list(people), [sample.skeleton.joint_index(n) for n in names]
        visible = np.array(sample.source['keypoints_visible'])
        if self.label == 'occluded':
            if visible.ndim == 2:
                visible = np.stack([visible, np.ones_like(visible)], axis=-1)
            visible[(*at, 1)] = 0
            # codecs pack neither this key nor other ones beside their own
            results['instance_mapping_table'] = {
                **PackPoseInputs.instance_mapping_table,
                SHOWN: SHOWN,
            }
        else:
            visible[at] = 0
        changed = dict(keypoints_visible=visible)
        if self.paper_exact:
            changed[sample.key] = np.array(sample.source[sample.key])
            changed[sample.key][at] = 0
        if sample.matched:
            results[MATCHED_KEY] = {**sample.source, **changed}
        else:
            results.update(changed)
