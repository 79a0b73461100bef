"""Loss between the heatmaps of several views of one crop."""

from collections.abc import Mapping, Sequence

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmpose_occlusion.datasets.occlusion_views import PLAIN

HALF_MSE = dict(
    type='KeypointMSELoss', use_target_weight=True, loss_weight=0.5
)
"""The reference's: half the squared error, averaged over crops, joints and
pixels, with joints of weight 0 counted as 0 in that average."""


@MODELS.register_module()
class OcclusionContrastLoss(nn.Module):
    """Plain heatmaps against the target, other views against the plain one.

    With heatmaps ``p`` of the plain view and ``v`` of another, target ``t``
    and weights ``w`` of B crops with K joints:

    - ``loss_kpt = 1/K sum_k 1/2 mean(w_k (p_k - t_k)^2)``, and for each
      other view, by its name,
    - ``loss_<view> = 1/K sum_k 1/2 mean(w_k (v_k - p_k)^2)``,

    mean over crops and pixels: with weights of 0 and 1 the loss of the code
    behind "Tilting at windmills" (ICPR 2020). It is half of what MMPose's
    own heads log for the same heatmaps.

    Of a network with several stages (Hourglass) each stage is compared with
    the target and with the same stage of the plain view, and the stages are
    summed up, as MMPose does it for ``loss_kpt``.

    Args:
        weights: View's name -> factor of its term (``plain`` is that of
            ``loss_kpt``); 1 where it is not named. The log shows the terms
            with their factors.
        detach_target: Stop the gradient of the other views' terms at the
            plain view, so that they are fitted to it and not it to them. In
            the reference, gradients flow into all views.
        mask_removed: Leave joints whose label a view's occlusion removed
            out of that view's term.
        loss: Of heatmaps (B, K, h, w), target (B, K, h, w) and target
            weights (B, K); used for every term.

    Raises:
        ValueError: At construction for a negative factor; at a call for
            a factor of a view that the data do not have.
    """

    def __init__(
        self,
        weights: Mapping[str, float] | None = None,
        detach_target: bool = False,
        mask_removed: bool = False,
        loss: Mapping = HALF_MSE,
    ) -> None:
        super().__init__()
        self.weights = dict(weights or {})
        for name, weight in self.weights.items():
            if not isinstance(weight, int | float) or not weight >= 0:
                raise ValueError(
                    f'OcclusionContrastLoss: weights.{name}={weight!r} must '
                    'be a number that is not negative.'
                )
        self.detach_target = detach_target
        self.mask_removed = mask_removed
        self.loss = MODELS.build(dict(loss))

    def forward(
        self,
        heatmaps: Mapping[str, Sequence[Tensor]],
        target: Tensor,
        target_weights: Mapping[str, Tensor],
    ) -> dict[str, Tensor]:
        """The terms of the loss.

        Args:
            heatmaps: View's name -> its heatmaps, (B, K, h, w) for each
                stage of the network. One view is ``plain``.
            target: (B, K, h, w) of the plain view.
            target_weights: View's name -> (B, K). All terms are weighted by
                the plain view's; ``mask_removed`` also uses the zeros of the
                other views.

        Returns:
            ``loss_kpt`` and ``loss_<view>`` for each other view: scalars.
        """
        unknown = self.weights.keys() - heatmaps.keys()
        if unknown:
            raise ValueError(
                f'OcclusionContrastLoss: weights name {sorted(unknown)}, but '
                f'the views of the data are {", ".join(heatmaps)}.'
            )
        plain, weights = heatmaps[PLAIN], target_weights[PLAIN]
        losses = {
            'loss_kpt': self._term(
                PLAIN, plain, [target] * len(plain), weights
            )
        }
        goals = [p.detach() for p in plain] if self.detach_target else plain
        for name, maps in heatmaps.items():
            if name == PLAIN:
                continue
            kept = weights
            if self.mask_removed:
                kept = weights * (target_weights[name] > 0)
            losses[f'loss_{name}'] = self._term(name, maps, goals, kept)
        return losses

    def _term(
        self,
        name: str,
        stages: Sequence[Tensor],
        goals: Sequence[Tensor],
        weights: Tensor,
    ) -> Tensor:
        terms = [
            self.loss(maps, goal, weights)
            for maps, goal in zip(stages, goals, strict=True)
        ]
        return self.weights.get(name, 1.0) * torch.stack(terms).sum()
