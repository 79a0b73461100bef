"""What all occlusions do with MMPose's ``results``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.datasets.transforms import LoadImage, PackPoseInputs

from mmpose_occlusion.occlusion import (
    DEFAULT_SIZE,
    FILLS,
    PLACES,
    REFERENCE_FILLS,
    REFERENCE_RADIUS,
    CorrectedRules,
    DiscSize,
    Named,
    Occlusion,
    PaperRules,
    Record,
    Target,
)
from mmpose_occlusion.occlusion.placement import TARGET
from mmpose_occlusion.occlusion.regions import Joint
from mmpose_occlusion.occlusion.targets import KINDS, Chooser
from mmpose_occlusion.skeleton import Skeleton

from .results_reader import (
    MATCHED_KEY,
    SampleJoints,
    read_sample,
    sample_keys,
)
from .sample_surroundings import SampleSurroundings

LABELS = ('keep', 'occluded', 'drop')
"""What becomes of the labels of hidden joints."""

SHOWN = 'keypoints_visible_weights'
"""Key of (N, K) float32, 0 for joints that were hidden with
``label='occluded'``, in ``results`` after ``GenerateTarget`` and in the
``gt_instances`` of data samples; absent where there is none."""


@dataclass(kw_only=True, eq=False)
class OcclusionTransform(BaseTransform):
    """An :class:`mmpose_occlusion.occlusion.Occlusion` in a pipeline.

    The fields of its children are their arguments, see
    :class:`.occlusions.KeypointOcclusion`; :meth:`make` checks them.
    """

    prob: float = 1.0
    seed: int | None = None
    inplace: bool = False
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

    def __post_init__(self) -> None:
        self.occlusion = self.make()
        self._load = LoadImage(backend_args=self.backend_args)
        self._known: Skeleton | None = None

    def make(self) -> Occlusion:
        """The occlusion that the arguments describe."""
        raise NotImplementedError

    def occlusion_of(
        self,
        chooser: Chooser,
        make: type[Occlusion] = Occlusion,
        **others: Any,
    ) -> Occlusion:
        """Check the arguments that transforms share, and make an occlusion.

        Args:
            chooser: Of the targets.
            make: Class of the occlusion.
            **others: Its further arguments.
        """
        exact = self.paper_exact
        for fill in chooser.fills:
            if fill not in FILLS:
                self.refuse('fill', fill, f'is unknown; {_one_of(FILLS)}')
            if exact and make is Occlusion and fill not in REFERENCE_FILLS:
                words = f"is not the reference's, which are {_listed_fills()}"
                self.refuse('fill', fill, f'{words}: {_WITHOUT}')
        if self.place not in PLACES:
            self.refuse('place', self.place, f'is unknown; {_one_of(PLACES)}')
        if exact and self.place != TARGET:
            words = "is not the reference's, which has no controls"
            self.refuse('place', self.place, f'{words}: {_WITHOUT}')
        if self.label not in LABELS:
            self.refuse('label', self.label, f'is unknown; {_one_of(LABELS)}')
        if self.label != 'keep' and (exact or self.remove_keypoints):
            other = 'paper_exact' if exact else 'remove_keypoints'
            words = f'contradicts {other}=True: leave out one of them'
            self.refuse('label', self.label, words)
        self.check_probability('prob')
        if self.seed is not None and (
            isinstance(self.seed, bool)
            or not isinstance(self.seed, int | np.integer)
            or self.seed < 0
        ):
            words = 'must be None or a whole number that is not negative'
            self.refuse('seed', self.seed, words)
        size = self.size
        if size is None:
            size = REFERENCE_RADIUS if exact else DEFAULT_SIZE
        try:
            disc = DiscSize.of(size)
        except ValueError as error:
            raise ValueError(f'{type(self).__name__}: {error}.') from None
        radius = disc.radius
        if exact and (radius is None or radius != int(radius)):
            words = 'must be a whole number of pixels with paper_exact=True'
            self.refuse('size', self.size, words)
        return make(
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
            **others,
        )

    def refuse(self, argument: str, value: Any, why: str) -> None:
        """Raise a ValueError that names an argument and its value."""
        name = type(self).__name__
        raise ValueError(f'{name}: {argument}={value!r} {why}.')

    def check_probability(self, argument: str) -> None:
        """Refuse a value that is not in [0, 1]."""
        value = getattr(self, argument)
        if not isinstance(value, int | float) or not 0 <= value <= 1:
            words = 'must be a probability between 0 and 1'
            self.refuse(argument, value, words)

    def named_targets(self, kind: str, *words: str) -> tuple[Target, ...]:
        """The targets of this kind that the argument ``target`` names, with
        or without the prefix ``KIND:``; () for one of the random words."""
        target: Any = self.target  # type: ignore[attr-defined]
        if isinstance(target, str):
            if target in words:
                return ()
            target = [target]
        if (
            not isinstance(target, Sequence)
            or not target
            or not all(isinstance(one, str) for one in target)
        ):
            or_words = ' or '.join(map(repr, words))
            why = f"must be a {kind}'s name, a list of names, or {or_words}"
            self.refuse('target', target, why)
        for one in target:
            prefix = one.partition(':')[0]
            if prefix in KINDS and one not in KINDS and prefix != kind:
                raise ValueError(
                    f'{type(self).__name__} hides a {kind}, but '
                    f'target={one!r} names a {prefix}; use the transform for '
                    'that.'
                )
        return tuple(
            Target(kind, one.removeprefix(f'{kind}:')) for one in target
        )

    def transform(self, results: dict) -> dict:
        """Hide the targets in ``results['img']``; see the class."""
        occlusion = self.occlusion
        sample = read_sample(
            results, occlusion.name, self.parts, self.paper_exact
        )
        earlier = results.get('occlusions', [])
        call = earlier[-1]['call'] + 1 if earlier else 0
        if sample.skeleton is None:
            records = occlusion.refrain(call, None, sample.reason)
        else:
            records = self._occlude(results, sample, sample.skeleton, call)
        if self.label != 'keep':
            records = [Record(each, label=self.label) for each in records]
        results['occlusions'] = [*earlier, *records]
        return results

    def _occlude(
        self,
        results: dict,
        sample: SampleJoints,
        skeleton: Skeleton,
        call: int,
    ) -> list[dict]:
        occlusion, count = self.occlusion, sample.count
        if skeleton is not self._known:  # once for each data set
            if isinstance(occlusion.chooser, Named):
                for target in occlusion.chooser.targets:
                    target.joints(skeleton)  # refuses unknown names
            self._known = skeleton
        keys = [(0, 0)] * count
        if self.seed is not None:
            keys = sample_keys(results, count)
        # mmcv copies the wrapper at each access; it only matters while draws
        # are shared
        shared = hasattr(self, '_cache_enabled')
        draw = self._draw if shared else occlusion.draw
        numbers = draw(keys, self.seed, call)
        if not any(one < occlusion.prob for one in numbers[:, 0].tolist()):
            # most samples of a training: their people are not read
            reason = f'left out at random, prob={occlusion.prob}'
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
        records, removed = outcome.records, outcome.removed
        if self.label != 'keep':
            hidden = [r['targets'] + r['bystanders'] for r in records]
            if self.label == 'drop':
                records = [
                    Record(record, removed=joints)
                    for record, joints in zip(records, hidden, strict=True)
                ]
            removed = [tuple(joint) for joints in hidden for joint in joints]
        if removed:
            self._relabel(results, sample, skeleton, removed)
        return records

    @cache_randomness
    def _draw(
        self, keys: list[tuple[int, int]], seed: int | None, call: int
    ) -> np.ndarray:
        """See :meth:`mmpose_occlusion.occlusion.Occlusion.draw`."""
        return self.occlusion.draw(keys, seed, call)

    def _relabel(
        self,
        results: dict,
        sample: SampleJoints,
        skeleton: Skeleton,
        joints: Sequence[Joint],
    ) -> None:
        """Joints lose their weight, in both channels where there are two,
        and under ``paper_exact`` their coordinates; with
        ``label='occluded'`` only the second channel, which
        ``GenerateTarget`` makes to ``keypoints_visible_weights``."""
        at = (
            [i for i, _ in joints],
            [skeleton.joint_index(name) for _, name in joints],
        )
        visible = np.array(sample.source['keypoints_visible'])
        changed = dict(keypoints_visible=visible)
        if self.label == 'occluded':
            if visible.ndim == 2:
                visible = np.stack([visible, np.ones_like(visible)], axis=-1)
                changed['keypoints_visible'] = visible
            visible[(*at, 1)] = 0
            # codecs pack neither this key nor other ones beside their own
            results['instance_mapping_table'] = {
                **PackPoseInputs.instance_mapping_table,
                SHOWN: SHOWN,
            }
        else:
            visible[at] = 0
        if self.paper_exact:
            changed[sample.key] = np.array(sample.source[sample.key])
            changed[sample.key][at] = 0
        if sample.matched:
            results[MATCHED_KEY] = {**sample.source, **changed}
        else:
            results.update(changed)


_WITHOUT = 'leave out paper_exact=True'


def _one_of(words: Any) -> str:
    return f'it is one of {", ".join(words)}'


def _listed_fills() -> str:
    return ', '.join(REFERENCE_FILLS)
