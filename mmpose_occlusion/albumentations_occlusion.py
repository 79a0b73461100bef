"""Occlusions for Albumentations 2 and AlbumentationsX."""

from typing import Any

import numpy as np

from mmpose_occlusion.errors import UsageError
from mmpose_occlusion.occlusion import DEFAULT_SIZE, occlude
from mmpose_occlusion.occlusion.regions import Size
from mmpose_occlusion.skeleton import joint_names

try:
    from albumentations import DualTransform
    from albumentations.core.type_definitions import Targets
except ImportError:  # missing, or older than 2
    DualTransform, Targets = object, None

_FIRST_LABEL = 5
"""Column of the first label field, after x, y, z, angle and scale."""


class AlbumentationsOcclusion(DualTransform):
    """Hides joints, keeps all keypoints and marks those under paint.

    The keypoints are those of one person or of several in turn, in the order
    of ``names``. The first label field holds their visibility as COCO has it,
    0 for not labelled; of keypoints under paint it becomes 1. Give
    ``remove_invisible=False``, so that none is dropped.

    Args:
        target, fill, size, place, names: See :func:`mmpose_occlusion.occlude`.
        p: Probability.

    Raises:
        UsageError: Albumentations is missing; or in a call without label
            field or with another number of keypoints.

    Example:

        compose = A.Compose(
            [AlbumentationsOcclusion('random', fill='object')],
            keypoint_params=A.KeypointParams(
                'xy', label_fields=['visible'], remove_invisible=False
            ),
        )
        out = compose(image=image, keypoints=xy, visible=flags)
    """

    if Targets is not None:
        _targets = (Targets.IMAGE, Targets.KEYPOINTS, Targets.MASK)

    def __init__(
        self,
        target: str | list[str] = 'random',
        fill: str = 'object',
        size: Size = DEFAULT_SIZE,
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

    @property
    def targets_as_params(self) -> list[str]:
        """What the occlusion depends on."""
        return ['image', 'keypoints']

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
        found = occlude(
            data['image'],
            keypoints[:, [0, 1, _FIRST_LABEL]].reshape(-1, joints, 3),
            target=self.target,
            fill=self.fill,
            size=self.size,
            place=self.place,
            names=self.names,
            seed=self.py_random.randrange(2**32),
        )
        return dict(occluded=found.image, hidden=found.hidden.ravel())

    def apply(
        self, img: np.ndarray, occluded: np.ndarray, **params: Any
    ) -> np.ndarray:
        """The image."""
        return occluded

    def apply_to_mask(self, mask: np.ndarray, **params: Any) -> np.ndarray:
        """Unchanged."""
        return mask

    def apply_to_keypoints(
        self, keypoints: np.ndarray, hidden: np.ndarray, **params: Any
    ) -> np.ndarray:
        """With visibility 1 under paint."""
        out = keypoints.copy()
        out[hidden, _FIRST_LABEL] = 1
        return out

    def get_transform_init_args_names(self) -> tuple[str, ...]:
        """For Albumentations' serialization."""
        return ('target', 'fill', 'size', 'place', 'names')
