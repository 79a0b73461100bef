"""Occlusions for ``torchvision.transforms.v2``."""

from collections.abc import Mapping
from typing import Any

from mmpose_occlusion.occlusion import occlude


class TorchvisionOcclusion:
    """Hides joints, keeps all keypoints and marks those under paint.

    A step of ``v2.Compose``, called with an image and a target.

    Args:
        p: Probability, by torch's generator.
        **how: Arguments of :func:`mmpose_occlusion.occlude`, such as
            ``target``, ``fill``, ``size`` and ``names``.

    Example:

        augment = v2.Compose([TorchvisionOcclusion(fill='object')])
        image, target = augment(image, dict(keypoints=xy, visible=flags))
    """

    def __init__(self, p: float = 0.5, **how: Any) -> None:
        self.p, self.how = p, how

    def __call__(
        self, image: Any, target: Mapping[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Occlude.

        Args:
            image: ``(3, H, W)`` uint8 tensor or ``tv_tensors.Image``.
            target: ``keypoints``, a ``tv_tensors.KeyPoints`` or tensor
                (K, 2) or (N, K, 2) in pixels, and ``visible`` (K,) or (N, K)
                as COCO has it, 0 for not labelled.

        Returns:
            New image, and the target with 1 in ``visible`` under paint.
        """
        import torch
        from torchvision import tv_tensors

        if torch.rand(()) >= self.p:
            return image, dict(target)
        seen = target['visible']
        joints = torch.cat([target['keypoints'], seen[..., None]], dim=-1)
        found = occlude(
            image.permute(1, 2, 0).cpu().numpy(),
            joints.cpu().numpy(),
            seed=int(torch.randint(2**31, ())),
            **self.how,
        )
        pixels = torch.from_numpy(found.image).permute(2, 0, 1)
        if isinstance(image, tv_tensors.Image):
            pixels = tv_tensors.wrap(pixels, like=image)
        hidden = torch.from_numpy(found.hidden).to(seen.device)
        visible = seen.masked_fill(hidden, 1)
        return pixels.to(image.device), dict(target, visible=visible)
