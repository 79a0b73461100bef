"""Transforms beside the occlusions: targets, colours, kept images."""

# ruff: noqa: NPY002 (the global generator is MMEngine's way of seeding)

from dataclasses import dataclass

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS
from PIL import Image

from .results_reader import joint_names

MAX_HUE = 0.5


@TRANSFORMS.register_module()
@dataclass(eq=False)
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
        single = not isinstance(results.get('heatmaps'), list)
        maps, weights = (
            value if isinstance(value, list) else [value]
            for value in map(results.get, ('heatmaps', 'keypoint_weights'))
        )
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
        results['heatmaps'] = maps[0] if single else maps
        results['keypoint_weights'] = weights[0] if single else weights
        return results


@TRANSFORMS.register_module()
@dataclass(eq=False)
class ColorJitter(BaseTransform):
    """Torchvision's ``ColorJitter`` with one strength for all four changes.

    The reference offers it, between PartMix and the other occlusions, and
    has it off in every published config. For each image one magnitude is
    drawn from U(0, ``magnitude``), which then bounds the changes of
    brightness, contrast, saturation and hue.

    Modified Keys:

        - img: (H, W, 3) uint8, BGR; a copy

    Args:
        magnitude: The largest magnitude, at most 0.5; the default is the
            reference's. 0 leaves the image as it is.

    Raises:
        ValueError: For another magnitude.
        TypeError: For an image of another kind.
    """

    magnitude: float = 0.05

    def __post_init__(self) -> None:
        most = self.magnitude
        if not isinstance(most, int | float) or not 0 <= most <= MAX_HUE:
            raise ValueError(
                f'ColorJitter: magnitude={most!r} must be a number from '
                f'0 to {MAX_HUE}, the most that a hue can be turned.'
            )
        # few pipelines have this one, and torchvision takes a second
        from torchvision.transforms import ColorJitter as Jitter

        self._jitter = Jitter

    @cache_randomness
    def _draw(self) -> tuple[float, int]:
        """The magnitude, and a seed for torchvision's own numbers; both from
        NumPy's global generator, which MMEngine seeds in every worker."""
        magnitude = np.random.uniform(0, self.magnitude)
        return magnitude, int(np.random.randint(2**31))

    def transform(self, results: dict) -> dict:
        """Change the colours; see the class."""
        image = results['img']
        if (
            not isinstance(image, np.ndarray)
            or image.dtype != np.uint8
            or image.shape[2:] != (3,)
        ):
            raise TypeError(
                'ColorJitter needs an image of three channels of uint8 in '
                'results["img"]: put it after LoadImage, with '
                'to_float32=False.'
            )
        magnitude, seed = self._draw()
        rgb = Image.fromarray(np.ascontiguousarray(image[..., ::-1]))
        with torch.random.fork_rng(devices=[]):
            # not torch.manual_seed, which would seed the GPUs as well
            torch.default_generator.manual_seed(seed)
            changed = np.asarray(self._jitter(*[magnitude] * 4)(rgb))
        results['img'] = np.ascontiguousarray(changed[..., ::-1])
        return results


@TRANSFORMS.register_module()
@dataclass(eq=False)
class KeepImage(BaseTransform):
    """Keep a copy of the image as it is at this place of the pipeline.

    Args:
        key: Where to keep it. For it to reach the data sample, the packing
            transform's ``meta_keys`` must name it.
    """

    key: str

    def transform(self, results: dict) -> dict:
        """Copy the image."""
        results[self.key] = results['img'].copy()
        return results
