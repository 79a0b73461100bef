"""What all occlusions do with MMPose's ``results``."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.datasets.transforms import PackPoseInputs

from mmpose_occlusion.occlusion import Occlusion, regions
from mmpose_occlusion.occlusion.occlusion import Checked
from mmpose_occlusion.occlusion.rules import CorrectedRules, PaperRules

from .results_reader import MATCHED_KEY, Sample

SHOWN = 'keypoints_visible_weights'
"""Key of (N, K) float32, 0 for joints hidden with ``label='occluded'``, in
``results`` after ``GenerateTarget`` and in ``gt_instances``; or absent."""


@dataclass(kw_only=True, eq=False)
class OcclusionTransform(BaseTransform, Checked):
    """An :class:`mmpose_occlusion.occlusion.Occlusion` in a pipeline; the
    fields of its children, which have a ``chooser()``, are their arguments."""

    prob: float = 1.0
    seed: int | None = None
    paper_exact: bool = False
    label: str = 'keep'

    size = parts = None  # fields of some children

    def __post_init__(self) -> None:
        self.name = type(self).__name__
        chooser, exact = self.chooser(), self.paper_exact
        whole = isinstance(self.seed, int | np.integer) and self.seed >= 0
        words = 'must be None or a whole number that is not negative'
        self.require(self.seed is None or whole, 'seed', words)
        try:
            size = regions.DiscSize.of(self.size, exact)
        except ValueError as error:
            raise ValueError(f'{self.name}: {error}.') from None
        rules = PaperRules() if exact else CorrectedRules()
        same = {one.name for one in fields(Occlusion)} - {'size'}
        how = {k: v for k, v in vars(self).items() if k in same}
        self.occlusion = Occlusion(chooser, size, rules=rules, **how)

    def transform(self, results: dict) -> dict:
        """Hide the targets in ``results['img']``; see the class."""
        occlusion = self.occlusion
        sample = Sample(results, occlusion, self.parts)
        earlier = results.get('occlusions', [])
        call = earlier[-1]['call'] + 1 if earlier else 0
        removed: Any = False
        if sample.skeleton is None:
            records = occlusion.leave(call, None, sample.reason)
        else:
            if not occlusion.chooser.drawn:
                for target in occlusion.chooser.label:
                    target.joints(sample.skeleton)  # refuses unknown names
            count, seed = sample.count, self.seed
            keys = [(0, 0)] * count if seed is None else sample.keys()
            # mmcv copies the wrapper at each access; it only matters while
            # draws are shared
            shared = hasattr(self, '_cache_enabled')
            draw = self._draw if shared else occlusion.draw
            numbers = draw(keys, seed, call)
            if min(numbers[:, 0].tolist(), default=1) < occlusion.prob:
                results['img'] = results['img'].copy()
            records, removed = occlusion.apply(
                results['img'], sample, numbers, call
            )
        if removed is not False and removed.any():
            self._relabel(results, sample, removed)
        results['occlusions'] = [*earlier, *records]
        return results

    @cache_randomness
    def _draw(
        self, keys: list[tuple[int, int]], seed: int | None, call: int
    ) -> np.ndarray:
        return self.occlusion.draw(keys, seed, call)

    def _relabel(
        self, results: dict, sample: Sample, joints: np.ndarray
    ) -> None:
        """Joints lose their weight, in both channels where there are two,
        and under ``paper_exact`` their coordinates; with
        ``label='occluded'`` only the second channel, which
        ``GenerateTarget`` makes to ``keypoints_visible_weights``."""
        visible = np.array(sample.source['keypoints_visible'])
        if self.label == 'occluded':
            if visible.ndim == 2:
                visible = np.stack([visible, np.ones_like(visible)], axis=-1)
            visible[joints, 1] = 0
            # codecs pack neither this key nor other ones beside their own
            results['instance_mapping_table'] = {
                **PackPoseInputs.instance_mapping_table,
                SHOWN: SHOWN,
            }
        else:
            visible[joints] = 0
        changed = dict(keypoints_visible=visible)
        if self.paper_exact:
            changed[sample.key] = np.array(sample.source[sample.key])
            changed[sample.key][joints] = 0
        if sample.matched:
            results[MATCHED_KEY] = {**sample.source, **changed}
        else:
            results.update(changed)
