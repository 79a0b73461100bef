"""Keeping images of a pipeline's inside."""

from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class KeepImage(BaseTransform):
    """Keep a copy of the image as it is at this place of the pipeline.

    Required Keys:

        - img: (H, W, C)

    Added Keys:

        - the given key: a copy of img

    Args:
        key: Where to keep it. For it to reach the data sample, the packing
            transform's ``meta_keys`` must name it.
    """

    def __init__(self, key: str) -> None:
        self.key = key

    def transform(self, results: dict) -> dict:
        """Copy the image."""
        results[self.key] = results['img'].copy()
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(key={self.key!r})'
