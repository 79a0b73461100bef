"""Transforms beside the occlusions: targets, and kept images."""

from dataclasses import dataclass

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from .results_reader import joint_names


@TRANSFORMS.register_module()
@dataclass(eq=False)
class EmptyRemovedHeatmaps(BaseTransform):
    """Train the joints that an occlusion removed towards an empty heatmap.

    Without it a removed joint has weight 0, and any answer will do. Put it
    after ``GenerateTarget`` with a heatmap codec of one map for each joint.

    Required Keys:

        - occlusions: records of the occlusions before it
        - heatmaps: (K, h, w) float32, or a list of these
        - keypoint_weights: (N, K), or a list of these
        - dataset or keypoint_id2name: for the joints' names

    Modified Keys:

        - heatmaps: zero for the removed joints
        - keypoint_weights: ``weight`` for the removed joints

    Args:
        weight: Target weight of a removed joint.

    Raises:
        ValueError: For a codec that makes other targets than that, or a
            weight that is not a positive number.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        weight = self.weight
        if not isinstance(weight, int | float) or not 0 < weight < np.inf:
            raise ValueError(
                f'EmptyRemovedHeatmaps: weight={weight!r} must be a positive '
                'number.'
            )

    def transform(self, results: dict) -> dict:
        """Empty the maps of the removed joints; see the class."""
        names = joint_names(results, 'EmptyRemovedHeatmaps')
        keys = 'heatmaps', 'keypoint_weights'
        single = not isinstance(results.get('heatmaps'), list)
        maps, weights = (
            value if isinstance(value, list) else [value]
            for value in map(results.get, keys)
        )
        labels = set(results.get('label_mapping_table', ()))
        per_joint = all(np.shape(m)[:1] == (len(names),) for m in maps)
        if not per_joint or labels != {'keypoint_weights'}:
            raise ValueError(
                'EmptyRemovedHeatmaps needs the targets of a heatmap codec, '
                f'one map for each of the {len(names)} joints and nothing '
                'else, after GenerateTarget; other codecs have no way to say '
                'that a joint is not visible.'
            )
        removed = [
            (instance, names.index(joint))
            for record in results.get('occlusions', [])
            for instance, joint in record['removed']
        ]
        if not removed:
            return results
        rows, joints = np.array(removed).T
        if any(w is None or len(w) <= rows.max() for w in weights):
            raise ValueError(
                'EmptyRemovedHeatmaps needs results["keypoint_weights"] '
                '(N, K) of all people of the records: put it right after '
                'GenerateTarget.'
            )
        maps, weights = ([a.copy() for a in each] for each in (maps, weights))
        for one_map, weight in zip(maps, weights, strict=True):
            one_map[joints] = 0
            weight[rows, joints] = self.weight
        for key, each in zip(keys, (maps, weights), strict=True):
            results[key] = each[0] if single else each
        return results


@TRANSFORMS.register_module()
@dataclass(eq=False)
class KeepImage(BaseTransform):
    """Keep a copy of the image as it is at this place of the pipeline, under
    ``key``, for the packing transform's ``meta_keys``."""

    key: str

    def transform(self, results: dict) -> dict:
        results[self.key] = results['img'].copy()
        return results
