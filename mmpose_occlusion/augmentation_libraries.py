"""Occlusions for Albumentations 2, AlbumentationsX, and torchvision's v2.

All keypoints are kept, and those under paint are marked with visibility 1.
Examples are in ``docs/any_program.md``.
"""

from collections.abc import Mapping
from typing import Any

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import DEFAULT_SIZE, occlude
from mmpose_occlusion.occlusion.regions import Array
from mmpose_occlusion.skeleton import joint_names

try:
    from albumentations import DualTransform
    from albumentations.core.type_definitions import Targets
except ImportError:  # missing, or older than 2
    DualTransform, Targets = object, None

_FIRST_LABEL = 5
"""Column of the first label field, after x, y, z, angle and scale."""


class AlbumentationsOcclusion(DualTransform):
    """Hides joints of one person, or of several in turn, with probability
    ``p``; for the other arguments see :func:`mmpose_occlusion.occlude`.

    The keypoints are in the order of ``names``. The first label field holds
    their visibility as COCO has it, 0 for not labelled. Give
    ``remove_invisible=False``, so that none is dropped.

    Raises:
        UsageError: Albumentations is missing; or in a call without label
            field or with another number of keypoints.
    """

    if Targets is not None:
        _targets = (Targets.IMAGE, Targets.KEYPOINTS, Targets.MASK)

    targets_as_params = ('image', 'keypoints')

    def __init__(
        self,
        target: str | list[str] = 'random',
        fill: str = 'object',
        size: int | float | str = DEFAULT_SIZE,
        place: str = 'target',
        names: str | list[str] = 'coco',
        p: float = 0.5,
    ) -> None:
        if Targets is None:
            raise UsageError(
                'AlbumentationsOcclusion needs Albumentations 2: pip install '
                '"albumentations>=2"'
            )
        super().__init__(p=p)
        self.target, self.fill, self.size = target, fill, size
        self.place, self.names = place, names

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        """For Albumentations' serialization."""
        return ('target', 'fill', 'size', 'place', 'names')

    def get_params_dependent_on_data(
        self, params: dict[str, Any], data: dict[str, Any]
    ) -> dict[str, Any]:
        """The occluded image, and which keypoints are under paint."""
        keypoints, joints = data['keypoints'], len(joint_names(self.names))
        if keypoints.shape[1] <= _FIRST_LABEL or len(keypoints) % joints:
            raise UsageError(
                f'AlbumentationsOcclusion got {len(keypoints)} keypoints with '
                f'{keypoints.shape[1] - _FIRST_LABEL} label fields: give all '
                f'{joints} of each person, in the order of names, and their '
                'visibility as the first of label_fields'
            )
        how = self.get_transform_init_args_names()
        found = occlude(
            data['image'],
            keypoints[:, [0, 1, _FIRST_LABEL]].reshape(-1, joints, 3),
            seed=self.py_random.randrange(2**32),
            **{name: getattr(self, name) for name in how},
        )
        return dict(occluded=found.image, hidden=found.hidden.ravel())

    def apply(self, img: Array, occluded: Array, **params: Any) -> Array:
        return occluded

    def apply_to_mask(self, mask: Array, **params: Any) -> Array:
        return mask

    def apply_to_keypoints(
        self, keypoints: Array, hidden: Array, **params: Any
    ) -> Array:
        out = keypoints.copy()
        out[hidden, _FIRST_LABEL] = 1
        return out


class TorchvisionOcclusion:
    """Hides joints; a step of ``v2.Compose``, called with image and target.

    Its probability ``p`` is by torch's generator; ``how`` are arguments of
    :func:`mmpose_occlusion.occlude`, such as ``target`` and ``fill``.
    """

    def __init__(self, p: float = 0.5, **how: Any) -> None:
        self.p, self.how = p, how

    def __call__(
        self, image: Any, target: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """A new image and target.

        Args:
            image: ``(3, H, W)`` uint8 tensor or ``tv_tensors.Image``.
            target: ``keypoints``, a ``tv_tensors.KeyPoints`` or tensor
                (K, 2) or (N, K, 2) in pixels, and ``visible`` (K,) or (N, K)
                as COCO has it, 0 for not labelled.
        """
        import torch
        from torchvision import tv_tensors

        if torch.rand(()) >= self.p:
            return image, dict(target)
        seen = target['visible']
        joints = torch.cat([target['keypoints'], seen[..., None]], dim=-1)
        pixels, seed = image.permute(1, 2, 0).cpu(), torch.randint(2**31, ())
        found = occlude(
            pixels.numpy(), joints.cpu(), seed=int(seed), **self.how
        )
        pixels = torch.from_numpy(found.image).permute(2, 0, 1)
        if isinstance(image, tv_tensors.Image):
            pixels = tv_tensors.wrap(pixels, like=image)
        hidden = torch.from_numpy(found.hidden).to(seen.device)
        visible = seen.masked_fill(hidden, 1)
        return pixels.to(image.device), dict(target, visible=visible)
