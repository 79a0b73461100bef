"""The reference's change of colours, which its published configs have off."""

# ruff: noqa: NPY002 (the global generator is MMEngine's way of seeding)

from dataclasses import dataclass

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS
from PIL import Image
from torchvision.transforms import ColorJitter as Jitter


@TRANSFORMS.register_module()
@dataclass(eq=False)
class ColorJitter(BaseTransform):
    """Torchvision's ``ColorJitter`` with one strength for all four changes.

    The reference offers it, between PartMix and the other occlusions. For
    each image one magnitude is drawn from U(0, ``magnitude``), which then
    bounds the changes of brightness, contrast, saturation and hue.

    Modified Keys:

        - img: (H, W, 3) uint8, BGR; a copy

    Args:
        magnitude: The largest magnitude, at most 0.5; the default is the
            reference's. 0 leaves the image as it is.
    """

    magnitude: float = 0.05

    @cache_randomness
    def _draw(self) -> tuple[float, int]:
        """The magnitude, and a seed for torchvision's own numbers; both from
        NumPy's global generator, which MMEngine seeds in every worker."""
        magnitude = np.random.uniform(0, self.magnitude)
        return magnitude, int(np.random.randint(2**31))

    def transform(self, results: dict) -> dict:
        """Change the colours; see the class."""
        magnitude, seed = self._draw()
        rgb = np.ascontiguousarray(results['img'][..., ::-1])
        with torch.random.fork_rng(devices=[]):
            # not torch.manual_seed, which would seed the GPUs as well
            torch.default_generator.manual_seed(seed)
            changed = Jitter(*[magnitude] * 4)(Image.fromarray(rgb))
        bgr = np.asarray(changed)[..., ::-1]
        results['img'] = np.ascontiguousarray(bgr)
        return results
