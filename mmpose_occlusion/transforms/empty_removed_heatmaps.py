"""Teach a model to answer "not visible" for removed joints."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from .results_reader import joint_names


@TRANSFORMS.register_module()
class EmptyRemovedHeatmaps(BaseTransform):
    """Train the joints that an occlusion removed towards an empty heatmap.

    Without it a removed joint has weight 0 and the model may answer what it
    likes. Put it after ``GenerateTarget``; it goes with heatmap codecs of
    one map for each joint.

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
        ValueError: For a codec that makes no heatmaps, or not one for each
            joint, or more targets than that; and for a weight that is not a
            positive number.
    """

    def __init__(self, weight: float = 1.0) -> None:
        if not isinstance(weight, int | float) or not 0 < weight < np.inf:
            raise ValueError(
                f'EmptyRemovedHeatmaps: weight={weight!r} must be a positive '
                'number.'
            )
        self.weight = weight

    def transform(self, results: dict) -> dict:
        """Empty the maps of the removed joints; see the class."""
        names = joint_names(results, 'EmptyRemovedHeatmaps')
        heatmaps = results.get('heatmaps')
        maps = heatmaps if isinstance(heatmaps, list) else [heatmaps]
        labels = set(results.get('label_mapping_table', ()))
        if any(np.shape(m)[:1] != (len(names),) for m in maps) or labels != {
            'keypoint_weights'
        }:
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
        weights = results.get('keypoint_weights')
        if weights is None or rows.max() >= min(
            map(len, weights if isinstance(weights, list) else [weights])
        ):
            raise ValueError(
                'EmptyRemovedHeatmaps needs results["keypoint_weights"] '
                '(N, K) of all people of the records: put it right after '
                'GenerateTarget.'
            )
        weights = weights if isinstance(weights, list) else [weights]
        maps = [m.copy() for m in maps]
        weights = [w.copy() for w in weights]
        for one_map, weight in zip(maps, weights, strict=True):
            one_map[joints] = 0
            weight[rows, joints] = self.weight
        single = not isinstance(heatmaps, list)
        results['heatmaps'] = maps[0] if single else maps
        results['keypoint_weights'] = weights[0] if single else weights
        return results

    def __repr__(self) -> str:
        return f'EmptyRemovedHeatmaps(weight={self.weight})'
