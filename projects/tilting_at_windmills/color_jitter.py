"""The reference's change of colours, which its published configs have off."""

# ruff: noqa: NPY002 (the global generator is MMEngine's way of seeding)

from dataclasses import dataclass

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS
from PIL import Image

MAX_HUE = 0.5


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
