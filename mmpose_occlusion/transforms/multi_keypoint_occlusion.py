"""Hide several joints at once, each under its own paint."""

from collections.abc import Sequence

import numpy as np
from mmpose.registry import TRANSFORMS

from mmpose_occlusion.occlusion import Person

from .keypoint_occlusion import KeypointOcclusion


@TRANSFORMS.register_module()
class MultiKeypointOcclusion(KeypointOcclusion):
    """Hide up to ``max_keypoints`` joints of every person under discs.

    ``min(available joints, max_keypoints)`` rounds; in each, with
    probability ``keypoint_prob``, one of the joints that are left and one of
    the fills is drawn. Source of the defaults: the published config
    ``multikeypoint_cutout_blurring_max5_02``.

    Needs, modifies and adds the keys that :class:`KeypointOcclusion` does.

    Args:
        max_keypoints: The most joints of a person that are hidden.
        keypoint_prob: Probability of each round.
        fills: Fills to draw from, any of :class:`KeypointOcclusion`.
        radius: As in :class:`KeypointOcclusion`.
        prob: Probability that a person is occluded at all.
        seed: As in :class:`KeypointOcclusion`.
        inplace: As in :class:`KeypointOcclusion`.
        paper_exact: The reference's pixels; each disc is then made from the
            picture that the one before it left.

    Raises:
        ValueError: As :class:`KeypointOcclusion`.
    """

    def __init__(
        self,
        max_keypoints: int = 5,
        keypoint_prob: float = 0.2,
        fills: Sequence[str] = ('mean', 'blur'),
        radius: float = 6,
        prob: float = 1.0,
        seed: int | None = None,
        inplace: bool = False,
        paper_exact: bool = False,
    ) -> None:
        if isinstance(fills, str) or not fills:
            raise ValueError(
                f'{self._who}: fills={fills!r} must be a list of fills.'
            )
        if not isinstance(max_keypoints, int) or max_keypoints < 1:
            raise ValueError(
                f'{self._who}: max_keypoints={max_keypoints!r} must be a '
                'whole number of at least 1.'
            )
        super().__init__(
            'random', fills[0], radius, prob, seed, inplace, paper_exact
        )
        for fill in fills:
            self._check_fill(fill)
        self._check_probability('keypoint_prob', keypoint_prob)
        self.max_keypoints = max_keypoints
        self.keypoint_prob = keypoint_prob
        self.fills = tuple(fills)
        chance = self._leaves_to_chance(*fills)
        self.num_draws = 1 + 3 * max_keypoints + chance

    def _choose(
        self, person: Person, numbers: np.ndarray
    ) -> list[tuple[str, str]] | str:
        left = self._candidates(person)
        if not left:
            return 'this person has no available keypoint'
        targets = []
        rounds = numbers[1 : 1 + 3 * self.max_keypoints].reshape(-1, 3)[
            : len(left)
        ]
        for drawn, joint, fill in rounds.tolist():
            if drawn < self.keypoint_prob:
                name = left.pop(int(joint * len(left)))
                targets.append((name, self.fills[int(fill * len(self.fills))]))
        return targets or f'none drawn (keypoint_prob={self.keypoint_prob})'

    def __repr__(self) -> str:
        return (
            f'{self._who}(max_keypoints={self.max_keypoints}, '
            f'keypoint_prob={self.keypoint_prob}, fills={self.fills}, '
            f'radius={self.radius}, prob={self.prob}, seed={self.seed}, '
            f'inplace={self.inplace}, paper_exact={self.paper_exact})'
        )
